package iam

import (
	"bytes"
	"encoding/base64"
	"net/netip"
	"strings"
	"time"
)

// condition is one key under one operator.
type condition struct {
	operator operator
	negated  bool
	ifExists bool
	set      set
	key      Key
	values   []operand
}

type set uint8

const (
	single set = iota
	forAllValues
	forAnyValue
)

type operator uint8

const (
	opString operator = iota
	opStringFold
	opStringLike
	opNumber // and a comparison in operand.order
	opDate
	opBool
	opBinary
	opIP
	opARN
	opNull
)

// verdict is what a condition says of a request. One that can't be evaluated says failed, and the
// statement's effect decides what that means.
type verdict uint8

const (
	doesNotHold verdict = iota
	holds
	failed
)

func verdictOf(b bool) verdict {
	if b {
		return holds
	}
	return doesNotHold
}

// evaluate holds the request's values of the key against the policy's. The order of the steps is
// the guide's ("Multivalued context keys", "Condition operators"):
//
//  1. Null asks whether there is the key, and nothing else.
//  2. Without the key a condition doesn't hold, except where the policy says what then: IfExists
//     and ForAllValues hold, and so does a single negated operator, as what isn't there isn't
//     equal. ForAnyValue with a negated operator doesn't: there is no value that it could be about.
//  3. Several values where the operator knows one are a request that the policy's author hasn't
//     thought of: failed, and neither "the first" nor "the last", as two readers would differ.
//  4. Else each value is compared, and the set's quantifier counts: all, or one.
//
// A value that isn't of the operator's type (a date that is none) is failed as well, and not
// "doesn't hold": a statement that denies unless a date lies ahead must deny where the date can't
// be read.
func (c *condition) evaluate(r *Request) verdict {
	// Without values there is nothing that could match. Where that would make the condition hold,
	// as "not equal to nothing" does for every request, it can't be what the author meant.
	if len(c.values) == 0 {
		if c.negated || c.ifExists || c.set == forAllValues || c.operator == opNull {
			return failed
		}
		return doesNotHold
	}
	if c.set == single && !c.key.multiValued() {
		switch c.operator { // without writing the value out and parsing it again
		case opIP:
			if addr, ok := r.addr(c.key); ok && (c.key.id == keySourceIP || c.key.id == keyVPCSourceIP) {
				return verdictOf(c.within(addr) != c.negated)
			}
		case opDate:
			if t, ok := r.time(c.key); ok {
				return verdictOf(c.dated(t) != c.negated)
			}
		}
	}
	var one [1]string
	values := r.list(c.key, &one)
	if c.operator == opNull {
		for i := range c.values {
			if c.values[i].truth == (len(values) == 0) {
				return holds
			}
		}
		return doesNotHold
	}
	if len(values) == 0 {
		return verdictOf(c.ifExists || c.set == forAllValues || c.set == single && c.negated)
	}
	if c.set == single && len(values) > 1 {
		return failed
	}
	for _, value := range values {
		matches, ok := c.matches(value, r)
		if !ok {
			return failed
		}
		switch satisfied := matches != c.negated; {
		case c.set == forAllValues && !satisfied:
			return doesNotHold
		case c.set != forAllValues && satisfied:
			return holds
		}
	}
	return verdictOf(c.set == forAllValues)
}

// matches reports whether value matches one of the policy's values. ok is false if it is none of
// the operator's type.
func (c *condition) matches(value string, r *Request) (matches, ok bool) {
	switch c.operator {
	case opString, opStringLike:
		for i := range c.values {
			if c.values[i].glob.match(value, r) {
				return true, true
			}
		}
		return false, true
	case opStringFold:
		for i := range c.values {
			if want, ok := c.values[i].glob.expand(r); ok && strings.EqualFold(want, value) {
				return true, true
			}
		}
		return false, true
	case opARN:
		parts, ok := splitARN(value, false)
		for i := range c.values {
			if ok && c.values[i].arn.match(&parts, r, false) {
				return true, true
			}
		}
		return false, ok
	case opIP:
		addr, err := netip.ParseAddr(value)
		return err == nil && c.within(addr.Unmap().WithZone("")), err == nil
	case opDate:
		t, ok := parseDate(value)
		return ok && c.dated(t), ok
	case opNumber:
		number, ok := parseNumber(value)
		for i := range c.values {
			if ok && c.values[i].order.holds(compare(number, c.values[i].number)) {
				return true, true
			}
		}
		return false, ok
	case opBool:
		truth, ok := parseBool(value)
		for i := range c.values {
			if ok && c.values[i].truth == truth {
				return true, true
			}
		}
		return false, ok
	case opBinary:
		data, err := base64.StdEncoding.DecodeString(value)
		for i := range c.values {
			if err == nil && bytes.Equal(c.values[i].bytes, data) {
				return true, true
			}
		}
		return false, err == nil
	}
	return false, false
}

func compare(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (c *condition) within(addr netip.Addr) bool {
	for i := range c.values {
		if c.values[i].prefix.Contains(addr) {
			return true
		}
	}
	return false
}

func (c *condition) dated(t time.Time) bool {
	for i := range c.values {
		if c.values[i].order.holds(t.Compare(c.values[i].time)) {
			return true
		}
	}
	return false
}

// expand returns the text of a glob without wildcards.
func (g *glob) expand(r *Request) (string, bool) {
	var b strings.Builder
	for i := range g.parts[0] {
		p := &g.parts[0][i]
		text := p.text
		if p.variable != nil {
			var ok bool
			if text, ok = p.variable.value(r); !ok {
				return "", false
			}
		}
		if len(g.parts[0]) == 1 {
			return text, true
		}
		b.WriteString(text)
	}
	return b.String(), true
}
