package openapi

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"github.com/gatekit-go/gatekit/internal/jsonlex"
)

// object is a JSON object that keeps the order in which its members were set: patterns of
// integration responses are tried in it.
type object struct {
	names  []string
	values map[string]any
}

// set adds or replaces a member, and leaves out what is empty: "", nil, an empty list or map. It
// returns the object, so that members can be set in a row.
func (o *object) set(name string, v any) *object {
	if !empty(v) {
		o.must(name, v)
	}
	return o
}

// must sets a member also if it is empty.
func (o *object) must(name string, v any) *object {
	if o.values == nil {
		o.values = map[string]any{}
	}
	if _, there := o.values[name]; !there {
		o.names = append(o.names, name)
	}
	o.values[name] = v
	return o
}

func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case bool:
		return !v
	case int:
		return v == 0
	case []string:
		return len(v) == 0
	case []any:
		return len(v) == 0
	case map[string]string:
		return len(v) == 0
	case json.RawMessage:
		return len(v) == 0
	case *object:
		return v == nil || len(v.names) == 0
	}
	return false
}

// sub is the member of that name, made if it isn't there. The member is an object.
func (o *object) sub(name string) *object {
	if child, ok := o.values[name].(*object); ok {
		return child
	}
	child := &object{}
	o.must(name, child)
	return child
}

// MarshalJSON implements json.Marshaler.
func (o *object) MarshalJSON() ([]byte, error) {
	dst := []byte{'{'}
	for i, name := range o.names {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(jsonlex.AppendString(dst, name), ':')
		text, err := marshal(o.values[name])
		if err != nil {
			return nil, err
		}
		dst = append(dst, text...)
	}
	return append(dst, '}'), nil
}

// marshal is json.Marshal without escapes for HTML.
func marshal(v any) ([]byte, error) {
	if o, ok := v.(*object); ok {
		return o.MarshalJSON() // and not by the encoder, which would copy it at each level
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}

func sorted[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }
