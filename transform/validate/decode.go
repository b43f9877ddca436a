package validate

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/gatekit-go/gatekit/internal/jsonlex"
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
	d := decoder{text: text, at: jsonlex.Space(text, 0), values: maxValues, duplicates: duplicates}
	value, err = d.value()
	if err == nil {
		if d.at = jsonlex.Space(text, d.at); d.at != len(text) {
			err = errSyntax
		}
	}
	if err != nil {
		return nil, 0, fmt.Errorf("%w, at byte %d", err, d.at)
	}
	return value, maxValues - d.values, nil
}

// stop goes to where jsonlex has stopped, and is errSyntax unless it found what it should.
func (d *decoder) stop(at int, ok bool) error {
	if d.at = at; !ok {
		return errSyntax
	}
	return nil
}

func (d *decoder) value() (any, error) {
	if d.values--; d.values < 0 {
		return nil, errValues
	}
	if d.at >= len(d.text) {
		return nil, errSyntax
	}
	switch c := d.text[d.at]; c {
	case '"':
		return d.string()
	case '{':
		return d.nested(d.object)
	case '[':
		return d.nested(d.array)
	case 't':
		return true, d.stop(jsonlex.Word(d.text, d.at, "true"))
	case 'f':
		return false, d.stop(jsonlex.Word(d.text, d.at, "false"))
	case 'n':
		return nil, d.stop(jsonlex.Word(d.text, d.at, "null"))
	}
	return d.number()
}

// nested reads what stands between brackets.
func (d *decoder) nested(read func(more bool) (any, error)) (any, error) {
	if d.depth++; d.depth > MaxDepth {
		return nil, errDepth
	}
	end, empty := jsonlex.Open(d.text, d.at)
	d.at = end
	value, err := read(!empty)
	d.depth--
	return value, err
}

// next passes over what stands behind a value within an object or array.
func (d *decoder) next(bracket byte) (more bool, err error) {
	end, more, ok := jsonlex.Next(d.text, d.at, bracket)
	return more, d.stop(end, ok)
}

func (d *decoder) object(more bool) (any, error) {
	object := map[string]any{}
	for more {
		quoted, end, ok := jsonlex.Name(d.text, d.at)
		if err := d.stop(end, ok); err != nil {
			return nil, err
		}
		name, _ := jsonlex.Unquote(quoted)
		value, err := d.value()
		if err != nil {
			return nil, err
		}
		before := len(object)
		if object[name] = value; len(object) == before && !d.duplicates {
			d.at = jsonlex.Space(d.text, d.at)
			return nil, errDuplicate
		}
		if more, err = d.next('{'); err != nil {
			return nil, err
		}
	}
	return object, nil
}

func (d *decoder) array(more bool) (any, error) {
	array := []any{}
	for more {
		value, err := d.value()
		if err != nil {
			return nil, err
		}
		array = append(array, value)
		if more, err = d.next('['); err != nil {
			return nil, err
		}
	}
	return array, nil
}

// string returns a string, as a string: any spares its callers a conversion.
func (d *decoder) string() (any, error) {
	from := d.at
	if err := d.stop(jsonlex.String(d.text, from)); err != nil {
		return nil, err
	}
	text, _ := jsonlex.Unquote(d.text[from:d.at])
	return text, nil
}

// number returns a number that is worth calculating with.
func (d *decoder) number() (any, error) {
	from := d.at
	if err := d.stop(jsonlex.Number(d.text, from)); err != nil {
		return nil, err
	}
	number := d.text[from:d.at]
	exponent := 0
	for i := strings.IndexAny(number, "eE") + 1; i > 0 && i < len(number); i++ {
		if c := number[i]; c >= '0' { // no sign
			if exponent = exponent*10 + int(c-'0'); exponent > maxExponent {
				return nil, errNumber
			}
		}
	}
	if len(number) > maxNumberBytes {
		return nil, errNumber
	}
	return json.Number(number), nil
}
