// Package uritemplate holds the URI of an HTTP integration:
// https://host:port/path/{variable}?name={variable}, with ${stageVariables.name} anywhere behind
// the scheme. There is one grammar for the integrations of HTTP APIs and of REST APIs, so that what
// one of them takes isn't read in another way by the other.
//
// What differs between the two isn't the URI but where values come from: a variable of an HTTP API
// is the route's, one of a REST API what is mapped to integration.request.path. So callers bring
// [Values], and refuse by [Template.HostVariables] and the like what would be wrong with theirs.
// (REST sheet: D.4, E.6, J.1; HTTP sheet: D.1.)
package uritemplate

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/requestpath"
	"github.com/gatekit-go/gatekit/internal/routetree"
)

// MaxBytes is how long a URI may be, the managed gateway's bound. (API reference, "Integration",
// integrationUri.)
const MaxBytes = 2048

// Template is a URI whose stage variables are expanded. It is immutable and safe for concurrent
// use.
type Template struct {
	// Scheme is http or https, or "" for a URI that is a path, or nothing.
	Scheme            string
	host, path, query []part
}

// part is literal text, escaped as it was written, or a variable.
type part struct{ literal, variable string }

// Value is what stands for a variable.
type Value struct {
	// Escaped goes into the path: slashes in it are separators, and what is encoded stays so.
	Escaped string
	// Text goes into the query, where it is escaped, and into the host, where it isn't.
	Text string
}

// Values tells the value of a variable. Of one that isn't found the variable stays as it is
// spelled. An error ends the expansion and is returned as it is.
type Values func(name string) (v Value, found bool, err error)

// Parse parses a URI without stage variables. The error says what is wanted and what there is, and
// fits behind a field's name.
func Parse(text string) (*Template, error) {
	if len(text) > MaxBytes {
		return nil, fmt.Errorf("want at most %d bytes, got %d", MaxBytes, len(text))
	}
	text = strings.ReplaceAll(text, `\}`, "}") // as definitions have it that were escaped for a tool
	for i := range len(text) {
		if c := text[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`|#", c) >= 0 {
			return nil, fmt.Errorf("want a URI of visible ASCII without fragment, got %q in it", c)
		}
	}
	t := &Template{}
	host, rest := "", text
	if text != "" && text[0] != '/' {
		scheme, after, ok := strings.Cut(text, "://")
		if !ok || scheme != "http" && scheme != "https" {
			return nil, errors.New("want http://…, https://… or, with Upstreams, a path that begins with /")
		}
		t.Scheme = scheme
		if end := strings.IndexAny(after, "/?"); end >= 0 {
			host, rest = after[:end], after[end:]
		} else {
			host, rest = after, ""
		}
	}
	path, query, _ := strings.Cut(rest, "?")
	for _, p := range []struct {
		parts *[]part
		text  string
	}{{&t.host, host}, {&t.path, path}, {&t.query, query}} {
		var err error
		if *p.parts, err = split(p.text); err != nil {
			return nil, err
		}
	}
	return t, t.check(host, path)
}

// check looks at the URI as it will be, with something in the place of each variable that may be a
// host as well as a port.
func (t *Template) check(host, path string) error {
	if t.Scheme != "" && !httpword.IsHost(sample(t.host)) {
		return fmt.Errorf("want a host, or host:port, got %q", host)
	}
	if requestpath.Set(&url.URL{}, sample(t.path)) != nil {
		return fmt.Errorf("want a path with good escapes and without dot segments, got %q", path)
	}
	variables := 0
	for _, parts := range [][]part{t.host, t.path, t.query} {
		for _, p := range parts {
			if p.variable != "" {
				variables++
			}
		}
	}
	if variables > routetree.MaxVariables { // each may be filled in with all of a request's path
		return fmt.Errorf("want at most %d variables, got %d", routetree.MaxVariables, variables)
	}
	return nil
}

func sample(parts []part) string {
	text, _ := expand(parts, func(string) (Value, bool, error) { return Value{Escaped: "1"}, true, nil }, asPath)
	return text
}

// split cuts text at its variables. Names are those that both kinds of APIs can have; a plus sign
// is the mark of a greedy variable in a route, and no part of a name that anything could be mapped
// to.
func split(text string) ([]part, error) {
	var parts []part
	for text != "" {
		i := strings.IndexAny(text, "{}")
		if i < 0 {
			i = len(text)
		}
		if i > 0 {
			parts = append(parts, part{literal: text[:i]})
			text = text[i:]
			continue
		}
		name, after, ok := strings.Cut(text[1:], "}")
		switch {
		case text[0] == '}' || !ok:
			return nil, fmt.Errorf("want {name}, got %q", text)
		case name == "" || strings.Trim(name, alphanumeric+".:_$+-") != "":
			return nil, fmt.Errorf("want {name} of letters, digits and .:_-, got {%s}", name)
		}
		parts = append(parts, part{variable: name})
		text = after
	}
	return parts, nil
}

const alphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// HostVariables reports whether variables stand in the host.
func (t *Template) HostVariables() bool { return hasVariables(t.host) }

// PathVariables reports whether variables stand in the path.
func (t *Template) PathVariables() bool { return hasVariables(t.path) }

// HasQuery reports whether the URI has a query.
func (t *Template) HasQuery() bool { return len(t.query) > 0 }

func hasVariables(parts []part) bool {
	for i := range parts {
		if parts[i].variable != "" {
			return true
		}
	}
	return false
}

// Greedy returns the name of a variable that is spelled {name+}, or "". That spelling is a route's,
// and nothing has such a name.
func (t *Template) Greedy() string {
	for _, parts := range [][]part{t.host, t.path, t.query} {
		for i := range parts {
			if name, ok := strings.CutSuffix(parts[i].variable, "+"); ok {
				return name
			}
		}
	}
	return ""
}

// Host returns the host for some values, which the caller must check with httpword.IsHost if there
// are any, or "" where the URI is a path.
func (t *Template) Host(of Values) (string, error) { return expand(t.host, of, asHost) }

// Path returns the escaped path for some values, which the caller must check with requestpath.Set.
// It is "" where the URI has none.
func (t *Template) Path(of Values) (string, error) { return expand(t.path, of, asPath) }

// Query returns the encoded query for some values.
func (t *Template) Query(of Values) (string, error) { return expand(t.query, of, asQuery) }

type place uint8

const (
	asHost place = iota
	asPath
	asQuery
)

func expand(parts []part, of Values, where place) (string, error) {
	if len(parts) == 1 && parts[0].variable == "" {
		return parts[0].literal, nil
	}
	var b strings.Builder
	for i := range parts {
		p := &parts[i]
		if p.variable == "" {
			b.WriteString(p.literal)
			continue
		}
		v, found, err := of(p.variable)
		switch {
		case err != nil:
			return "", err
		case !found && where == asHost:
			b.WriteString("{" + p.variable + "}") // which makes no host
		case !found:
			b.WriteString("%7B" + p.variable + "%7D")
		case where == asPath:
			b.WriteString(v.Escaped)
		case where == asQuery:
			b.WriteString(url.QueryEscape(v.Text))
		default:
			b.WriteString(v.Text)
		}
	}
	return b.String(), nil
}
