package iam

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// operand is one value of the policy, compiled for its operator.
type operand struct {
	glob   glob
	arn    arnGlob
	number float64
	time   time.Time
	order  order
	truth  bool
	bytes  []byte
	prefix netip.Prefix
}

// order says how a request's number or date must lie to the policy's.
type order uint8

const (
	equal order = iota
	less
	lessEqual
	greater
	greaterEqual
)

func (o order) holds(compared int) bool {
	switch o {
	case less:
		return compared < 0
	case lessEqual:
		return compared <= 0
	case greater:
		return compared > 0
	case greaterEqual:
		return compared >= 0
	}
	return compared == 0
}

type operatorForm struct {
	operator operator
	negated  bool
	order    order
}

// operators are all names but for prefixes and suffixes. (IAM user guide, "IAM JSON policy
// elements: Condition operators".)
var operators = map[string]operatorForm{
	"StringEquals": {operator: opString}, "StringNotEquals": {operator: opString, negated: true},
	"StringEqualsIgnoreCase": {operator: opStringFold}, "StringNotEqualsIgnoreCase": {operator: opStringFold,
		negated: true},
	"StringLike": {operator: opStringLike}, "StringNotLike": {operator: opStringLike, negated: true},
	"NumericEquals": {operator: opNumber}, "NumericNotEquals": {operator: opNumber, negated: true},
	"NumericLessThan": {operator: opNumber, order: less}, "NumericLessThanEquals": {operator: opNumber,
		order: lessEqual},
	"NumericGreaterThan":       {operator: opNumber, order: greater},
	"NumericGreaterThanEquals": {operator: opNumber, order: greaterEqual},
	"DateEquals":               {operator: opDate}, "DateNotEquals": {operator: opDate, negated: true},
	"DateLessThan": {operator: opDate, order: less}, "DateLessThanEquals": {operator: opDate, order: lessEqual},
	"DateGreaterThan": {operator: opDate, order: greater}, "DateGreaterThanEquals": {operator: opDate,
		order: greaterEqual},
	"Bool": {operator: opBool}, "BinaryEquals": {operator: opBinary},
	"IpAddress": {operator: opIP}, "NotIpAddress": {operator: opIP, negated: true},
	"ArnEquals": {operator: opARN}, "ArnLike": {operator: opARN},
	"ArnNotEquals": {operator: opARN, negated: true}, "ArnNotLike": {operator: opARN, negated: true},
	"Null": {operator: opNull},
}

// newCondition compiles the values of key under the operator called name.
func newCondition(name string, key Key, values []string, variables bool) (condition, error) {
	c := condition{key: key}
	base := name
	if rest, ok := strings.CutPrefix(base, "ForAllValues:"); ok {
		base, c.set = rest, forAllValues
	} else if rest, ok := strings.CutPrefix(base, "ForAnyValue:"); ok {
		base, c.set = rest, forAnyValue
	}
	if rest, ok := strings.CutSuffix(base, "IfExists"); ok {
		base, c.ifExists = rest, true
	}
	form, ok := operators[base]
	if !ok || form.operator == opNull && base != name {
		return condition{}, fmt.Errorf("want a condition operator, got %q", clip(name))
	}
	if key.multiValued() && c.set == single && form.operator != opNull {
		return condition{}, fmt.Errorf("want ForAllValues: or ForAnyValue: before %s, as the key has several values",
			name)
	}
	c.operator, c.negated = form.operator, form.negated
	for _, value := range values {
		o, err := newOperand(form, value, variables)
		if err != nil {
			return condition{}, err
		}
		c.values = append(c.values, o)
	}
	return c, nil
}

func newOperand(form operatorForm, value string, variables bool) (o operand, err error) {
	o.order = form.order
	ok := true
	want := ""
	switch form.operator {
	case opString, opStringFold:
		o.glob, err = parseGlob(value, false, variables)
	case opStringLike:
		o.glob, err = parseGlob(value, true, variables)
	case opARN:
		o.arn, err = parseARNGlob(value, variables, false)
	case opNumber:
		want = "a number"
		o.number, ok = parseNumber(value)
	case opDate:
		want = "a date such as 2026-01-31T00:00:00Z, or seconds since 1970"
		o.time, ok = parseDate(value)
	case opBool, opNull:
		want = "true or false"
		o.truth, ok = parseBool(value)
	case opBinary:
		want = "base64"
		o.bytes, err = base64.StdEncoding.Strict().DecodeString(value)
		ok, err = err == nil, nil
	case opIP:
		want = "an address or a range such as 192.0.2.0/24"
		o.prefix, ok = parsePrefix(value)
	}
	if !ok {
		err = fmt.Errorf("want %s, got %q", want, clip(value))
	}
	return o, err
}

// parseNumber reads a decimal number. ParseFloat alone would take hexadecimal, Inf and NaN, and no
// comparison with NaN holds, not even "not equal" as its negation has it.
func parseNumber(text string) (float64, bool) {
	if strings.Trim(text, "+-.0123456789") != "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil
}

func parseBool(text string) (truth, ok bool) {
	truth = strings.EqualFold(text, "true")
	return truth, truth || strings.EqualFold(text, "false")
}

// dateForms are the W3C profile of ISO 8601.
var dateForms = []string{"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04Z07:00", "2006-01-02", "2006-01", "2006"}

// parseDate reads a date, which is an instant in UTC if it says no more, or seconds since 1970.
// Four digits are a year.
func parseDate(text string) (time.Time, bool) {
	for _, form := range dateForms {
		if t, err := time.Parse(form, text); err == nil {
			return t, true
		}
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	const most = 1 << 48 // beyond it time.Time's arithmetic isn't what one means
	if err != nil || len(text) <= 4 || seconds > most || seconds < -most {
		return time.Time{}, false
	}
	return time.Unix(seconds, 0), true
}

// parsePrefix reads an address or a range. An IPv4 address in IPv6 form is the IPv4 address, as the
// sockets of some systems tell clients' addresses in that form; a range of such addresses that is
// wider than all of IPv4 is no range of either.
func parsePrefix(text string) (netip.Prefix, bool) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), true
	}
	p, err := netip.ParsePrefix(text)
	if err == nil && p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return netip.Prefix{}, false
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), err == nil
}
