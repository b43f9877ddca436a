// Package contextvar reads $context variables: the names under which mapping templates, parameter
// mappings, gateway responses and access logs ask what a gatekit.RequestContext holds. (Developer
// guide, "Variables for data models, authorizers, mapping templates, and CloudWatch access
// logging"; for HTTP APIs "Customize HTTP API access logs".)
//
// A value is text, or there is none: a variable that is null on the managed gateway, or that isn't
// known (yet). What that prints as is the reader's: nothing in a template, "-" in a log.
package contextvar

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/gatekit-go/gatekit"
)

// Var is a variable whose name has been looked up. The zero Var has no value.
type Var struct {
	name string
	get  getter
	key  string // which claim, or which member of the authorizer's context
	add  appender
	end  *ending // what a log knows of it
}

// getter returns a variable's text. rc is never nil.
type getter func(rc *gatekit.RequestContext, r *http.Request, key string) (string, bool)

const (
	claims     = "authorizer.claims."
	authorizer = "authorizer."
)

// Parse looks up the name of a variable, without "$context.". The error says what is wrong with the
// name, and fits behind the name of a field.
func Parse(name string) (Var, error) {
	asListed := name
	if rest, ok := strings.CutPrefix(name, authorizer+"jwt.claims"); ok {
		asListed = authorizer + "claims" + rest
	}
	if row, ok := variables[asListed]; ok && row.kind != logged {
		return Var{name: name, get: row.get, add: appenders[name]}, nil
	}
	if key, ok := claimKey(asListed); ok {
		if key != "" {
			return Var{name: name, get: claim, key: key}, nil
		}
	} else if key, ok := memberKey(name); ok {
		return Var{name: name, get: authorizerMember, key: key}, nil
	}
	return Var{}, fmt.Errorf("want the name of a $context variable, got %.100q", name)
}

// Source looks up a variable that may be an identity source of an authorizer: one that is known
// before an authorizer is asked, and that isn't new with each request, which would make each
// request a caller of its own. ok is false for any other name.
//
// identity.apiKey is what the request carries then. Elsewhere it is what a usage plan has found,
// which comes after the authorizers: a template or a log must not take for a caller's key what a
// client merely sent.
func Source(name string) (v Var, ok bool) {
	row, ok := variables[name]
	switch {
	case !ok || row.kind != source:
		return Var{}, false
	case name == "identity.apiKey":
		return Var{name: name, get: field(carriedKey)}, true
	}
	return Var{name: name, get: row.get}, true
}

// memberKey is the member of an authorizer's context that a name asks for, also behind the
// authorizer.lambda of an event's form. What else an event has below authorizer is no variable: as
// the name of a member it would give nothing, without a word.
func memberKey(name string) (string, bool) {
	key, ok := strings.CutPrefix(name, authorizer)
	key = strings.TrimPrefix(key, "lambda.")
	return key, ok && key != "" && !strings.HasPrefix(key, "jwt.") && !strings.HasPrefix(key, "iam.")
}

// claimKey is the claim that a name asks for, in each of the spellings that are in use:
// authorizer.claims.sub and authorizer.claims['sub'].
func claimKey(name string) (string, bool) {
	rest, ok := strings.CutPrefix(name, strings.TrimSuffix(claims, "."))
	switch {
	case !ok || rest == "":
		return "", false
	case rest[0] == '.':
		return rest[1:], true
	case len(rest) > 4 && rest[0] == '[' && rest[len(rest)-1] == ']' && (rest[1] == '\'' || rest[1] == '"') &&
		rest[1] == rest[len(rest)-2]:
		return rest[2 : len(rest)-2], true
	case rest[0] == '[':
		return "", true // refused
	}
	return "", false
}

// Value returns the text of $context.name, and whether it has any. A name that there isn't has
// none.
func Value(r *http.Request, name string) (string, bool) {
	v, err := Parse(name)
	if err != nil {
		return "", false
	}
	return v.Value(r)
}

// Numeric reports whether a variable is a number on the managed gateway, which templates calculate
// with. The others are text.
func Numeric(name string) bool { return variables[name].kind == number }

// Name returns the name as it was given to [Parse].
func (v Var) Name() string { return v.name }

// Value returns the variable's text for r, and whether it has any.
func (v Var) Value(r *http.Request) (string, bool) { return v.Of(gatekit.From(r.Context()), r) }

// Of is Value for who has looked up the RequestContext of r already, which may be nil.
func (v Var) Of(rc *gatekit.RequestContext, r *http.Request) (string, bool) {
	if v.get == nil {
		return "", false
	}
	if rc == nil {
		rc = outside
	}
	return v.get(rc, r, v.key)
}

// outside stands in for the RequestContext of a request that has none. It is only read.
var outside = &gatekit.RequestContext{API: &gatekit.API{}}
