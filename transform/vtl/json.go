package vtl

import (
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDigits is how long a number in JSON text may be. Reading digits costs more than their number.
const maxDigits = 4096

// DecodeJSON returns the value of a JSON text (RFC 8259): a [Map] with the keys in the order of the text, a [List] that prints as JSON, a
// string, a bool, an int64 or, beyond it, a *big.Int, a float64 for a number with a fraction or an exponent (infinite where it is too big
// for one), or nil. Of two equal keys the last one's value is kept, at the first one's place.
//
// It refuses, with the offset in bytes, anything else: text after the value, invalid UTF-8, values that are nested deeper than 512 and
// numbers of more than 4096 characters. A \u escape for half of a surrogate pair becomes U+FFFD.
func DecodeJSON(data []byte) (any, error) { return decodeJSON(data, nil) }

func decodeJSON(data []byte, m *Meter) (any, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("vtl: JSON text: want UTF-8")
	}
	d := decoder{data: data, meter: m}
	if err := d.charge(len(data)/16, 0); err != nil {
		return nil, err
	}
	d.space()
	v, err := d.value(0)
	if err != nil {
		return nil, err
	}
	if d.space(); d.at < len(data) {
		return nil, d.want("the end of the text")
	}
	return v, nil
}

type decoder struct {
	data  []byte
	at    int
	meter *Meter // nil: it costs nothing
}

func (d *decoder) charge(steps, bytes int) error {
	if d.meter == nil {
		return nil
	}
	return d.meter.Charge(steps, bytes)
}

func (d *decoder) want(what string) error {
	if d.at >= len(d.data) {
		return fmt.Errorf("vtl: JSON text, offset %d: want %s, got the end", d.at, what)
	}
	return fmt.Errorf("vtl: JSON text, offset %d: want %s, got %q", d.at, what, d.data[d.at])
}

func (d *decoder) space() {
	for d.at < len(d.data) {
		switch d.data[d.at] {
		case ' ', '\t', '\n', '\r':
			d.at++
		default:
			return
		}
	}
}

// peek is the byte at hand, or 0 at the end.
func (d *decoder) peek() byte {
	if d.at < len(d.data) {
		return d.data[d.at]
	}
	return 0
}

func (d *decoder) value(depth int) (any, error) {
	if depth >= maxValueDepth {
		return nil, fmt.Errorf("vtl: JSON text, offset %d: want values nested up to %d deep", d.at, maxValueDepth)
	}
	switch c := d.peek(); {
	case c == '{':
		return d.object(depth)
	case c == '[':
		return d.array(depth)
	case c == '"':
		return d.text()
	case c == '-' || c >= '0' && c <= '9':
		return d.number()
	}
	for _, word := range []struct {
		text  string
		value any
	}{{"true", true}, {"false", false}, {"null", nil}} {
		if strings.HasPrefix(string(d.data[d.at:min(d.at+len(word.text), len(d.data))]), word.text) {
			d.at += len(word.text)
			return word.value, nil
		}
	}
	return nil, d.want("a value")
}

func (d *decoder) object(depth int) (any, error) {
	if err := d.charge(1, perMap); err != nil {
		return nil, err
	}
	m := NewMap()
	d.at++
	d.space()
	if d.peek() == '}' {
		d.at++
		return m, nil
	}
	for {
		if d.peek() != '"' {
			return nil, d.want("a key in quotes")
		}
		key, err := d.text()
		if err != nil {
			return nil, err
		}
		if d.space(); d.peek() != ':' {
			return nil, d.want("a colon")
		}
		d.at++
		d.space()
		v, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		if err := d.charge(m.newKey()); err != nil {
			return nil, err
		}
		m.put(key, v)
		d.space()
		switch d.peek() {
		case ',':
			d.at++
			d.space()
		case '}':
			d.at++
			return m, nil
		default:
			return nil, d.want("a comma or }")
		}
	}
}

func (d *decoder) array(depth int) (any, error) {
	if err := d.charge(1, perList); err != nil {
		return nil, err
	}
	l := &List{kind: jsonArray}
	d.at++
	d.space()
	if d.peek() == ']' {
		d.at++
		return l, nil
	}
	for {
		v, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		if size := l.growth(1); size > 0 {
			if err := d.charge(len(l.items)/8, 16*size); err != nil {
				return nil, err
			}
			l.resize(size)
		}
		l.items = append(l.items, v)
		d.space()
		switch d.peek() {
		case ',':
			d.at++
			d.space()
		case ']':
			d.at++
			return l, nil
		default:
			return nil, d.want("a comma or ]")
		}
	}
}

func (d *decoder) text() (string, error) {
	d.at++
	start := d.at
	for d.at < len(d.data) {
		switch c := d.data[d.at]; {
		case c == '"':
			d.at++
			return string(d.data[start : d.at-1]), d.charge(1, 32+d.at-start)
		case c == '\\':
			return d.escaped(start)
		case c < 0x20:
			return "", d.want("an escape for a control character")
		}
		d.at++
	}
	return "", d.want(`a closing "`)
}

// escaped goes on with a text that has an escape at d.at.
func (d *decoder) escaped(start int) (string, error) {
	out := append([]byte(nil), d.data[start:d.at]...)
	for d.at < len(d.data) {
		c := d.data[d.at]
		switch {
		case c == '"':
			d.at++
			return string(out), d.charge(1+len(out)/16, 32+growth*len(out))
		case c < 0x20:
			return "", d.want("an escape for a control character")
		case c != '\\':
			out = append(out, c)
			d.at++
			continue
		}
		d.at++
		switch c = d.peek(); c {
		case '"', '\\', '/':
			out = append(out, c)
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, ok := d.hex(d.at + 1)
			if !ok {
				return "", d.want("four hexadecimal digits after")
			}
			d.at += 4
			if utf16.IsSurrogate(r) {
				next, ok := rune(0), false
				if d.at+2 < len(d.data) && d.data[d.at+1] == '\\' && d.data[d.at+2] == 'u' {
					next, ok = d.hex(d.at + 3)
				}
				if r = utf16.DecodeRune(r, next); ok && r != utf8.RuneError {
					d.at += 6
				}
			}
			out = utf8.AppendRune(out, r)
		default:
			return "", d.want("one of \"\\/bfnrtu")
		}
		d.at++
	}
	return "", d.want(`a closing "`)
}

func (d *decoder) hex(at int) (rune, bool) {
	if at+4 > len(d.data) {
		return 0, false
	}
	var r rune
	for _, c := range d.data[at : at+4] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

func (d *decoder) digits() bool {
	start := d.at
	for c := d.peek(); c >= '0' && c <= '9'; c = d.peek() {
		d.at++
	}
	return d.at > start
}

func (d *decoder) number() (any, error) {
	start, whole := d.at, true
	if d.peek() == '-' {
		d.at++
	}
	if d.peek() == '0' {
		d.at++
	} else if !d.digits() {
		return nil, d.want("a digit")
	}
	if d.peek() == '.' {
		whole = false
		d.at++
		if !d.digits() {
			return nil, d.want("a digit")
		}
	}
	if c := d.peek(); c == 'e' || c == 'E' {
		whole = false
		d.at++
		if c := d.peek(); c == '+' || c == '-' {
			d.at++
		}
		if !d.digits() {
			return nil, d.want("a digit")
		}
	}
	if d.at-start > maxDigits {
		return nil, fmt.Errorf("vtl: JSON text, offset %d: want a number of up to %d characters", start, maxDigits)
	}
	n := d.at - start
	if whole && n < 19 {
		return parseNumber(string(d.data[start:d.at]), whole), d.charge(1, 8)
	}
	return parseNumber(string(d.data[start:d.at]), whole), d.charge(2+n, 64+n) // a long fraction is calculated with
}

func parseNumber(text string, whole bool) any {
	if whole {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n
		}
		if b, ok := new(big.Int).SetString(text, 10); ok {
			return b
		}
	}
	f, _ := strconv.ParseFloat(text, 64) // an infinity is what Java reads too
	return f
}
