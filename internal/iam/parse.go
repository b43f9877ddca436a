package iam

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gatekit-go/gatekit/internal/strictjson"
)

// Options are what kinds of documents differ in.
type Options struct {
	// Principals says that statements name principals, as in resource-based policies. Otherwise
	// they must not.
	Principals bool
	// MaxResource is the longest Resource in characters; 0 is no limit but the document's.
	MaxResource int
}

const (
	maxBytes  = 1 << 20
	maxDepth  = 8
	maxErrors = 20 // a document of mistakes makes no error of its length
)

// Parse reads a policy document. An element, operator or value that isn't known is an error that
// says where it is, as passing over a part of a policy would open what it closes. What is only odd,
// and the managed gateway takes, is taken and told by [Policy.Findings]: to refuse it would lock
// out the users of a function that has worked for years.
func Parse(document []byte, o Options) (*Policy, error) {
	if len(document) > maxBytes {
		return nil, fmt.Errorf("want at most %d bytes, got %d", maxBytes, len(document))
	}
	p := &parser{options: o, sids: map[string]bool{}}
	var statements []byte
	version := ""
	p.object("the document", document, func(name string, value []byte) {
		switch name {
		case "Version":
			if version = p.text(name, value); version != "2012-10-17" && version != "2008-10-17" {
				p.wrong(name, `want "2012-10-17" or "2008-10-17", got %s`, clip(string(value)))
			}
		case "Id": // for people
			if _, ok := strictjson.Text(value); !ok {
				p.odd(name, "want a string")
			}
		case "Statement":
			statements = value
		default:
			p.wrong(name, "want Version, Id or Statement")
		}
	})
	p.variables = version == "2012-10-17"
	policy := &Policy{}
	switch {
	case statements == nil && len(p.errs) == 0:
		p.wrong("Statement", "want one, got none")
	case statements != nil && statements[0] == '{':
		policy.statements = append(policy.statements, p.statement("Statement", statements))
	case statements != nil:
		elements, ok := strictjson.Elements(statements)
		if !ok {
			p.wrong("Statement", "want a statement or a list of them")
		} else if len(elements) == 0 {
			p.odd("Statement", "want at least one, as none allows nothing")
		}
		for i, element := range elements {
			policy.statements = append(policy.statements, p.statement("Statement["+strconv.Itoa(i)+"]", element))
		}
	}
	if len(p.errs) > 0 {
		return nil, errors.Join(p.errs...)
	}
	policy.findings = p.findings
	return policy, nil
}

// parser collects what is wrong and what is odd. It goes on after a mistake, so that one error
// names them all, but doesn't look whether a statement is complete then: what is missing may be
// what was misspelled.
type parser struct {
	options   Options
	variables bool // the version has them
	sids      map[string]bool
	errs      []error
	findings  []string // what is odd
}

// odd notes what is taken, and better written otherwise.
func (p *parser) odd(path, format string, args ...any) {
	if len(p.findings) < maxErrors {
		p.findings = append(p.findings, path+": "+fmt.Sprintf(format, args...))
	}
}

func (p *parser) wrong(path, format string, args ...any) {
	if len(p.errs) < maxErrors {
		p.errs = append(p.errs, fmt.Errorf("%s: %s", path, fmt.Sprintf(format, args...)))
	}
}

func (p *parser) object(path string, value []byte, member func(name string, value []byte)) {
	err := strictjson.Object(value, maxDepth, func(name string, value []byte) error {
		member(name, value)
		return nil
	})
	if err != nil {
		p.wrong(path, "want a JSON object without repeated names")
	}
}

func (p *parser) text(path string, value []byte) string {
	text, ok := strictjson.Text(value)
	if !ok {
		p.wrong(path, "want a string, got %s", clip(string(value)))
	}
	return text
}

// texts reads a string or a list of strings. An empty list names nothing: Amazon's own blueprint
// for authorizer functions always answers one statement that allows and one that denies, of which
// one is empty.
func (p *parser) texts(path string, value []byte) []string {
	if text, ok := strictjson.Text(value); ok {
		return []string{text}
	}
	texts, ok := strictjson.Texts(value)
	if !ok {
		p.wrong(path, "want a string or a list of strings, got %s", clip(string(value)))
	} else if len(texts) == 0 {
		p.odd(path, "want at least one entry, as the statement has no effect without")
	}
	return texts
}

func (p *parser) statement(path string, value []byte) (s statement) {
	effect, actions, resources, who := false, 0, 0, 0
	p.object(path, value, func(name string, value []byte) {
		at := path + "." + name
		switch name {
		case "Sid":
			s.sid = p.sid(at, value)
		case "Effect":
			effect = true
			text := p.text(at, value)
			switch s.deny = !strings.EqualFold(text, "Allow"); {
			case s.deny && !strings.EqualFold(text, "Deny"):
				p.wrong(at, `want "Allow" or "Deny", got %s`, clip(string(value)))
			case text != "Allow" && text != "Deny": // two functions in use were seen to answer so
				p.odd(at, `want "Allow" or "Deny" in these letters, got %q`, clip(text))
			}
		case "Principal", "NotPrincipal":
			who++
			s.notPrincipals = name == "NotPrincipal"
			s.principals = p.principals(at, value)
		case "Action", "NotAction":
			actions++
			s.notActions = name == "NotAction"
			s.actions = p.actions(at, value)
		case "Resource", "NotResource":
			resources++
			s.notResources = name == "NotResource"
			s.resources = p.resources(at, value)
		case "Condition":
			s.conditions = p.conditions(at, value)
		default:
			p.wrong(at, "want an element of the policy grammar, such as Effect, Action, Resource or Condition")
		}
	})
	if len(p.errs) > 0 {
		return s
	}
	if !effect {
		p.wrong(path+".Effect", `want "Allow" or "Deny", got none`)
	}
	if actions != 1 {
		p.wrong(path, "want one of Action and NotAction, got %d", actions)
	}
	if resources != 1 {
		p.wrong(path, "want one of Resource and NotResource, got %d", resources)
	}
	if want := map[bool]int{true: 1}[p.options.Principals]; who != want {
		p.wrong(path, "want %d of Principal and NotPrincipal, got %d", want, who)
	}
	return s
}

// sid returns a statement's name, which people read and nothing depends on. One that isn't as it
// should be isn't kept: it would get into logs.
func (p *parser) sid(path string, value []byte) string {
	sid, ok := strictjson.Text(value)
	for _, c := range []byte(sid) {
		ok = ok && ('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9')
	}
	if !ok {
		p.odd(path, "want letters and digits, got %s", strconv.Quote(clip(string(value))))
		return ""
	}
	if sid != "" && p.sids[sid] {
		p.odd(path, "want each once, got %q twice", clip(sid))
	}
	p.sids[sid] = true
	return sid
}

func (p *parser) principals(path string, value []byte) *principals {
	found := &principals{}
	if text, ok := strictjson.Text(value); ok {
		if found.everyone, found.named = text == "*", true; !found.everyone {
			p.wrong(path, `want "*" or an object, got %q`, clip(text))
		}
		return found
	}
	p.object(path, value, func(kind string, value []byte) {
		at := path + "." + kind
		for _, entry := range p.texts(at, value) {
			switch kind {
			case "AWS":
				found.named = true
				if err := found.add(entry); err != nil {
					p.wrong(at, "%v", err)
				}
			case "Service", "Federated", "CanonicalUser": // such callers don't come to a gateway
				found.named = true
			default:
				p.wrong(at, "want AWS, Service, Federated or CanonicalUser")
			}
		}
	})
	return found
}

func (p *parser) actions(path string, value []byte) (globs []glob) {
	for _, text := range p.texts(path, value) {
		service, name, ok := strings.Cut(text, ":")
		if text != "*" && (!ok || service == "" || name == "" || strings.ContainsAny(text, " \t\r\n${}\"'/\\")) {
			p.wrong(path, `want an action such as "execute-api:Invoke", got %q`, clip(text))
		}
		g, _ := parseGlob(strings.ToLower(text), true, false) // without variables there is nothing to get wrong
		globs = append(globs, g)
	}
	return globs
}

func (p *parser) resources(path string, value []byte) (globs []arnGlob) {
	for _, text := range p.texts(path, value) {
		if limit := p.options.MaxResource; limit > 0 && utf8.RuneCountInString(text) > limit {
			p.wrong(path, "want at most %d characters, got %d", limit, utf8.RuneCountInString(text))
		}
		g, err := parseARNGlob(text, p.variables, true)
		if err == nil && g.short && !p.options.Principals {
			err = fmt.Errorf("want an ARN of six parts, or *, got %q", clip(text))
		}
		if err != nil {
			p.wrong(path, "%v", err)
		} else if g.odd != "" {
			p.odd(path, "%s, got %q", g.odd, clip(text))
		}
		if !p.variables && strings.Contains(text, "${") {
			p.odd(path, `want "Version": "2012-10-17" for variables, which are plain text without, got %q`, clip(text))
		}
		globs = append(globs, g)
	}
	return globs
}

func (p *parser) conditions(path string, value []byte) (conditions []condition) {
	p.object(path, value, func(operator string, value []byte) {
		at := path + "." + clip(operator)
		keys := 0
		p.object(at, value, func(name string, value []byte) {
			keys++
			at := at + "[" + strconv.Quote(clip(name)) + "]"
			key, err := ParseKey(name)
			if err != nil {
				p.wrong(at, "%v", err)
				return
			}
			c, err := newCondition(operator, key, p.values(at, value), p.variables)
			if err != nil {
				p.wrong(at, "%v", err)
				return
			}
			conditions = append(conditions, c)
		})
		if keys == 0 {
			p.wrong(at, "want at least one key, got none")
		}
	})
	return conditions
}

// values reads the values of a condition. Numbers and booleans need no quotes.
func (p *parser) values(path string, value []byte) []string {
	elements, isList := strictjson.Elements(value)
	if !isList {
		elements = [][]byte{value}
	}
	var texts []string
	for _, element := range elements {
		switch text, ok := strictjson.Text(element); {
		case ok:
			texts = append(texts, text)
		case element[0] == '{' || element[0] == '[' || element[0] == 'n':
			p.wrong(path, "want a string, number or boolean, or a list of them, got %s", clip(string(element)))
		default:
			texts = append(texts, string(element))
		}
	}
	if len(elements) == 0 {
		p.odd(path, "want at least one value, as none matches nothing")
	}
	return texts
}
