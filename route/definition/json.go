package definition

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"sync"

	"github.com/gatekit-go/gatekit/internal/jsonscan"
	"github.com/gatekit-go/gatekit/internal/nearest"
	"github.com/gatekit-go/gatekit/internal/strictjson"
)

// The bounds of a document's JSON form.
const (
	MaxBytes = 32 << 20
	maxDepth = 200
)

// Unmarshal reads a document's JSON form. It is strict: a member that isn't known, or is there
// twice, and a null are errors that say where, since a misspelled authorizer would be none. Text of
// more than [MaxBytes], or nested deeper than 200, is refused.
func Unmarshal(data []byte) (*Document, error) {
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("definition: want at most %d bytes, got %d", MaxBytes, len(data))
	}
	if err := strictjson.ObjectOfNames(data, maxDepth, nil); err != nil {
		return nil, fmt.Errorf("definition: %w", err)
	}
	if err := knownMembers("", data, reflect.TypeFor[Document]()); err != nil {
		return nil, fmt.Errorf("definition: %w", err)
	}
	var b bytes.Buffer // without blanks, so that policies and schemas have none
	doc := new(Document)
	if err := json.Compact(&b, data); err != nil {
		return nil, fmt.Errorf("definition: %w", err)
	}
	if err := json.Unmarshal(b.Bytes(), doc); err != nil {
		return nil, fmt.Errorf("definition: %w", err)
	}
	return doc, nil
}

// knownMembers refuses what encoding/json would pass over, or take for another case's name. value
// is valid JSON.
func knownMembers(at string, value []byte, t reflect.Type) error {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	value = bytes.TrimSpace(value)
	switch {
	case t == reflect.TypeFor[json.RawMessage]():
		return nil
	case jsonscan.IsNull(value):
		return fmt.Errorf("%s: want a value, or no member, got null", at)
	case t.Kind() == reflect.Slice && value[0] == '[':
		i := 0
		for element := range jsonscan.Elements(value) {
			if err := knownMembers(fmt.Sprintf("%s[%d]", at, i), element, t.Elem()); err != nil {
				return err
			}
			i++
		}
	case t.Kind() == reflect.Array && value[0] == '[':
		if n := count(value); n != t.Len() {
			return fmt.Errorf("%s: want %d elements, got %d", at, t.Len(), n)
		}
	case t.Kind() == reflect.Map && value[0] == '{':
		for name, member := range jsonscan.Members(value) {
			key, _ := jsonscan.Text(name)
			if err := knownMembers(fmt.Sprintf("%s[%q]", at, key), member, t.Elem()); err != nil {
				return err
			}
		}
	case t.Kind() == reflect.Struct && value[0] == '{':
		fields := fieldsOf(t)
		for name, member := range jsonscan.Members(value) {
			key, _ := jsonscan.Text(name)
			field, ok := fields[key]
			if !ok {
				return fmt.Errorf("%s: want a member that there is, got %.64q%s",
					cmp.Or(at, "document"), key, nearest.Hint(key, maps.Keys(fields)))
			}
			if err := knownMembers(strings.TrimPrefix(at+"."+key, "."), member, field); err != nil {
				return err
			}
		}
	}
	return nil // a value of another kind is json.Unmarshal's to refuse
}

func count(array []byte) (n int) {
	for range jsonscan.Elements(array) {
		n++
	}
	return n
}

// fieldsOf are the members of a struct's JSON form.
func fieldsOf(t reflect.Type) map[string]reflect.Type {
	if known, ok := fieldsOfTypes.Load(t); ok {
		return known.(map[string]reflect.Type)
	}
	fields := make(map[string]reflect.Type, t.NumField())
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		fields[name] = f.Type
	}
	fieldsOfTypes.Store(t, fields)
	return fields
}

var fieldsOfTypes sync.Map // of this package's dozen types

// errNil is for documents made by hand.
var errNil = errors.New("definition: want no nil pointers in a document's maps and lists")

// MarshalJSON returns the document's JSON form: members in the order of the types' fields, those of
// maps sorted by name, policies and schemas as they are but for blanks. It doesn't escape <, > and
// &, which json.Marshal does to whatever it is given.
func (d *Document) MarshalJSON() ([]byte, error) {
	if hasNil(reflect.ValueOf(d)) {
		return nil, errNil
	}
	type plain Document
	return marshal((*plain)(d))
}

// marshal is json.Marshal without escapes for HTML, which mapping templates are full of.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// hasNil reports whether a map or list holds nil, which would be written as null and not be read
// back.
func hasNil(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer:
		return !v.IsNil() && hasNil(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if hasNil(v.Field(i)) {
				return true
			}
		}
	case reflect.Slice:
		if plain(v.Type().Elem()) {
			return false
		}
		for i := range v.Len() {
			if nilOrHasNil(v.Index(i)) {
				return true
			}
		}
	case reflect.Map:
		if plain(v.Type().Elem()) {
			return false
		}
		for all := v.MapRange(); all.Next(); {
			if nilOrHasNil(all.Value()) {
				return true
			}
		}
	}
	return false
}

// plain reports whether values of a type are texts, numbers or booleans, in which no nil is.
func plain(t reflect.Type) bool {
	return t.Kind() == reflect.String || t.Kind() <= reflect.Complex128
}

func nilOrHasNil(v reflect.Value) bool { return v.Kind() == reflect.Pointer && v.IsNil() || hasNil(v) }
