package vtl

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"unicode/utf8"

	"github.com/gatekit-go/gatekit/internal/jsonlex"
)

// maxDigits is how long a number in JSON text may be. Reading digits costs more than their number.
const maxDigits = 4096

// DecodeJSON returns the value of a JSON text (RFC 8259): a [Map] with the keys in the order of the
// text, a [List] that prints as JSON, a string, a bool, an int64 or, beyond it, a *big.Int, a
// float64 for a number with a fraction or an exponent (infinite where it is too big for one), or
// nil. Of two equal keys the last one's value is kept, at the first one's place.
//
// It refuses, with the offset in bytes, anything else: text after the value, invalid UTF-8, values
// that are nested deeper than 512 and numbers of more than 4096 characters. A \u escape for half of
// a surrogate pair becomes U+FFFD.
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

func (d *decoder) space() { d.at = jsonlex.Space(d.data, d.at) }

func (d *decoder) value(depth int) (any, error) {
	if depth >= maxValueDepth {
		return nil, fmt.Errorf("vtl: JSON text, offset %d: want values nested up to %d deep", d.at, maxValueDepth)
	}
	if d.at == len(d.data) {
		return nil, d.want("a value")
	}
	switch c := d.data[d.at]; c {
	case '{':
		return d.object(depth)
	case '[':
		return d.array(depth)
	case '"':
		return d.text()
	case 't':
		return true, d.word("true")
	case 'f':
		return false, d.word("false")
	case 'n':
		return nil, d.word("null")
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return d.number()
	}
	return nil, d.want("a value")
}

func (d *decoder) word(w string) error {
	end, ok := jsonlex.Word(d.data, d.at, w)
	if d.at = end; !ok {
		return d.want("a value")
	}
	return nil
}

// open passes over an opening bracket, and reports whether a value follows.
func (d *decoder) open() (more bool) {
	end, empty := jsonlex.Open(d.data, d.at)
	d.at = end
	return !empty
}

// next passes over what stands behind a value within an object or array.
func (d *decoder) next(bracket byte, want string) (more bool, err error) {
	end, more, ok := jsonlex.Next(d.data, d.at, bracket)
	if d.at = end; !ok {
		return false, d.want(want)
	}
	return more, nil
}

func (d *decoder) object(depth int) (any, error) {
	if err := d.charge(1, perMap); err != nil {
		return nil, err
	}
	m := NewMap()
	for more := d.open(); more; {
		key, err := d.key()
		if err != nil {
			return nil, err
		}
		v, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		if err := d.charge(m.newKey()); err != nil {
			return nil, err
		}
		m.put(key, v)
		if more, err = d.next('{', "a comma or }"); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// key reads a member's name and its colon.
func (d *decoder) key() (string, error) {
	if d.at == len(d.data) || d.data[d.at] != '"' {
		return "", d.want("a key in quotes")
	}
	key, err := d.text()
	if err != nil {
		return "", err
	}
	if d.space(); d.at == len(d.data) || d.data[d.at] != ':' {
		return "", d.want("a colon")
	}
	d.at = jsonlex.Space(d.data, d.at+1)
	return key, nil
}

func (d *decoder) array(depth int) (any, error) {
	if err := d.charge(1, perList); err != nil {
		return nil, err
	}
	l := &List{kind: jsonArray}
	for more := d.open(); more; {
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
		if more, err = d.next('[', "a comma or ]"); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func (d *decoder) text() (string, error) {
	start := d.at + 1
	end, ok := jsonlex.String(d.data, d.at)
	d.at = end
	switch {
	case ok:
	case end > start && jsonlex.InEscape(d.data, end): // which may end the text
		if end < len(d.data) && d.data[end] == 'u' {
			return "", d.want("four hexadecimal digits after")
		}
		return "", d.want("one of \"\\/bfnrtu")
	case end < len(d.data):
		return "", d.want("an escape for a control character")
	default:
		return "", d.want(`a closing "`)
	}
	inner := d.data[start : end-1]
	if !jsonlex.Escaped(inner) {
		return string(inner), d.charge(1, 32+end-start)
	}
	out := jsonlex.AppendUnescaped(nil, inner)
	return string(out), d.charge(1+len(out)/16, 32+growth*len(out))
}

func (d *decoder) number() (any, error) {
	start := d.at
	end, ok := jsonlex.Number(d.data, start)
	if d.at = end; !ok {
		return nil, d.want("a digit")
	}
	n := end - start
	if n > maxDigits {
		return nil, fmt.Errorf("vtl: JSON text, offset %d: want a number of up to %d characters", start, maxDigits)
	}
	number := d.data[start:end]
	whole := !bytes.ContainsAny(number, ".eE")
	if whole && n < 19 {
		return parseNumber(string(number), whole), d.charge(1, 8)
	}
	return parseNumber(string(number), whole), d.charge(2+n, 64+n) // a long fraction is calculated with
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
