package validate

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxDepth is how deep the values of a body or a schema may nest.
const MaxDepth = 128

const (
	maxNumberBytes = 400
	maxExponent    = 400 // encoding/json's float64 ends at 308; beyond, a number takes time to compute with
)

// Why a text isn't decoded. None of them holds anything of the text.
var (
	errSyntax    = errors.New("not JSON")
	errUTF8      = errors.New("not UTF-8")
	errDepth     = errors.New("nested too deep")
	errValues    = errors.New("too many values")
	errNumber    = errors.New("a number is too long or too large")
	errDuplicate = errors.New("an object has a name twice")
)

// decoder reads one JSON text (RFC 8259) into the values that the schemas' package takes:
// map[string]any, []any, string, json.Number, bool and nil. It is stricter than encoding/json,
// bounded, and makes no copies but of what has escapes: strings point into the text.
type decoder struct {
	text       string
	at         int
	depth      int
	values     int // left
	duplicates bool
}

// decode decodes text, which may hold up to maxValues values, and returns how many it holds.
func decode(text string, maxValues int, duplicates bool) (value any, values int, err error) {
	if !utf8.ValidString(text) {
		return nil, 0, errUTF8
	}
	d := decoder{text: text, values: maxValues, duplicates: duplicates}
	d.space()
	value, err = d.value()
	if err == nil {
		if d.space(); d.at != len(text) {
			err = errSyntax
		}
	}
	if err != nil {
		return nil, 0, fmt.Errorf("%w, at byte %d", err, d.at)
	}
	return value, maxValues - d.values, nil
}

func (d *decoder) space() {
	for d.at < len(d.text) {
		switch d.text[d.at] {
		case ' ', '\t', '\r', '\n':
			d.at++
		default:
			return
		}
	}
}

// take skips c and the space behind it, if c is next.
func (d *decoder) take(c byte) bool {
	if d.at >= len(d.text) || d.text[d.at] != c {
		return false
	}
	d.at++
	d.space()
	return true
}

func (d *decoder) value() (any, error) {
	if d.values--; d.values < 0 {
		return nil, errValues
	}
	if d.at >= len(d.text) {
		return nil, errSyntax
	}
	switch c := d.text[d.at]; {
	case c == '"':
		return d.string()
	case c == '{':
		return d.nested(d.object)
	case c == '[':
		return d.nested(d.array)
	case c == '-' || '0' <= c && c <= '9':
		return d.number()
	}
	switch rest := d.text[d.at:]; {
	case strings.HasPrefix(rest, "true"):
		d.at += len("true")
		return true, nil
	case strings.HasPrefix(rest, "false"):
		d.at += len("false")
		return false, nil
	case strings.HasPrefix(rest, "null"):
		d.at += len("null")
		return nil, nil
	}
	return nil, errSyntax
}

func (d *decoder) nested(read func() (any, error)) (any, error) {
	if d.depth++; d.depth > MaxDepth {
		return nil, errDepth
	}
	d.at++
	d.space()
	value, err := read()
	d.depth--
	return value, err
}

func (d *decoder) object() (any, error) {
	object := map[string]any{}
	for first := true; !d.take('}'); first = false {
		if !first && !d.take(',') || d.at >= len(d.text) || d.text[d.at] != '"' {
			return nil, errSyntax
		}
		name, err := d.string()
		if err != nil {
			return nil, err
		}
		d.space()
		if !d.take(':') {
			return nil, errSyntax
		}
		value, err := d.value()
		if err != nil {
			return nil, err
		}
		d.space()
		before := len(object)
		if object[name.(string)] = value; len(object) == before && !d.duplicates {
			return nil, errDuplicate
		}
	}
	return object, nil
}

func (d *decoder) array() (any, error) {
	array := []any{}
	for !d.take(']') {
		if len(array) > 0 && !d.take(',') {
			return nil, errSyntax
		}
		value, err := d.value()
		if err != nil {
			return nil, err
		}
		d.space()
		array = append(array, value)
	}
	return array, nil
}

// string returns a string, as a string: any spares its callers a conversion.
func (d *decoder) string() (any, error) {
	d.at++
	from := d.at
	for d.at < len(d.text) {
		switch c := d.text[d.at]; {
		case c == '"':
			d.at++
			return d.text[from : d.at-1], nil
		case c == '\\':
			return d.escaped(from)
		case c < ' ':
			return nil, errSyntax
		}
		d.at++
	}
	return nil, errSyntax
}

// escaped reads the rest of a string that began at from, from its first backslash on.
func (d *decoder) escaped(from int) (any, error) {
	var b strings.Builder
	b.WriteString(d.text[from:d.at])
	for d.at < len(d.text) {
		c := d.text[d.at]
		d.at++
		switch {
		case c == '"':
			return b.String(), nil
		case c < ' ':
			return nil, errSyntax
		case c != '\\':
			b.WriteByte(c)
			continue
		}
		if d.at >= len(d.text) {
			return nil, errSyntax
		}
		c = d.text[d.at]
		d.at++
		if i := strings.IndexByte(`"\/bfnrt`, c); i >= 0 {
			b.WriteByte("\"\\/\b\f\n\r\t"[i])
			continue
		}
		r, ok := d.hex()
		if c != 'u' || !ok {
			return nil, errSyntax
		}
		if utf16.IsSurrogate(r) {
			// Half a pair stands for U+FFFD, as encoding/json has it.
			whole := rune(utf8.RuneError)
			if strings.HasPrefix(d.text[d.at:], `\u`) {
				before := d.at
				d.at += 2
				if low, ok := d.hex(); ok {
					whole = utf16.DecodeRune(r, low)
				}
				if whole == utf8.RuneError {
					d.at = before // the other half is judged on its own
				}
			}
			r = whole
		}
		b.WriteRune(r)
	}
	return nil, errSyntax
}

// hex reads four hexadecimal digits.
func (d *decoder) hex() (rune, bool) {
	if d.at+4 > len(d.text) {
		return 0, false
	}
	var r rune
	for i := range 4 {
		c := d.text[d.at+i]
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	d.at += 4
	return r, true
}

func (d *decoder) number() (any, error) {
	from := d.at
	if d.text[d.at] == '-' {
		d.at++
	}
	zero := d.at < len(d.text) && d.text[d.at] == '0'
	if n := d.digits(); n == 0 || zero && n > 1 {
		return nil, errSyntax
	}
	if d.at < len(d.text) && d.text[d.at] == '.' {
		d.at++
		if d.digits() == 0 {
			return nil, errSyntax
		}
	}
	if d.at < len(d.text) && d.text[d.at]|0x20 == 'e' {
		if d.at++; d.at < len(d.text) && (d.text[d.at] == '+' || d.text[d.at] == '-') {
			d.at++
		}
		first := d.at
		if d.digits() == 0 {
			return nil, errSyntax
		}
		exponent := 0
		for _, c := range d.text[first:d.at] {
			if exponent = exponent*10 + int(c-'0'); exponent > maxExponent {
				return nil, errNumber
			}
		}
	}
	if d.at-from > maxNumberBytes {
		return nil, errNumber
	}
	return json.Number(d.text[from:d.at]), nil
}

// digits skips decimal digits and returns how many.
func (d *decoder) digits() int {
	from := d.at
	for d.at < len(d.text) && '0' <= d.text[d.at] && d.text[d.at] <= '9' {
		d.at++
	}
	return d.at - from
}
