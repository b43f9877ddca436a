package compare

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// maxDepth is how deep JSON is compared; what is deeper is compared as bytes.
const maxDepth = 100

// parseBody reads a body that is an object or a list in JSON.
func parseBody(body []byte) (v any, ok bool) {
	body = bytes.TrimSpace(body)
	if len(body) == 0 || body[0] != '{' && body[0] != '[' || tooDeep(body) {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return nil, false
	}
	_, err := d.Token()
	return v, errors.Is(err, io.EOF)
}

// tooDeep counts brackets, those in strings as well, which only makes it more careful.
func tooDeep(body []byte) bool {
	depth := 0
	for _, c := range body {
		switch c {
		case '{', '[':
			if depth++; depth > maxDepth {
				return true
			}
		case '}', ']':
			depth--
		}
	}
	return false
}

// jsonDifferences walks two values at once. add is told of a path ("body .items[].price"), in which
// the elements of a list are one: a list of a thousand that differ alike is one kind.
type jsonDifferences struct {
	known   *secrets
	ignored func(what string) bool
	add     func(path, gateway, remote string) (more bool)
	full    bool // add wants no more
}

// compare compares what is at path; names are the members on the way to it, as a secret may be
// told by any of them.
func (d *jsonDifferences) compare(path, names string, here, there any) {
	if d.full || d.ignored(path) {
		return
	}
	switch h := here.(type) {
	case map[string]any:
		if t, ok := there.(map[string]any); ok {
			d.members(path, names, h, t)
			return
		}
	case []any:
		if t, ok := there.([]any); ok {
			d.elements(path, names, h, t)
			return
		}
	}
	if here == nil && there == nil || isScalar(here) && here == there {
		return
	}
	d.tell(path, d.known.value(names, here), d.known.value(names, there))
}

func (d *jsonDifferences) tell(path, gateway, remote string) {
	d.full = d.full || !d.add(path, gateway, remote)
}

func (d *jsonDifferences) members(path, names string, here, there map[string]any) {
	all := map[string]bool{}
	for _, m := range []map[string]any{here, there} {
		for name := range m {
			all[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		h, okHere := here[name]
		t, okThere := there[name]
		at, within := path+"."+d.known.name(name), names+"."+name
		switch {
		case okHere && okThere:
			if slices.Contains(unsteadyMembers, name) {
				h, t = shapeOf(h), shapeOf(t)
			}
			d.compare(at, within, h, t)
		case d.full || d.ignored(at):
		case okHere:
			d.tell(at, d.known.value(within, h), absent)
		default:
			d.tell(at, absent, d.known.value(within, t))
		}
	}
}

func (d *jsonDifferences) elements(path, names string, here, there []any) {
	if len(here) != len(there) {
		d.tell(path, fmt.Sprintf("%d elements", len(here)), fmt.Sprintf("%d elements", len(there)))
	}
	for i := range min(len(here), len(there)) {
		d.compare(path+"[]", names, here[i], there[i])
	}
}

// unsteadyMembers are new with each answer, as unsteady headers are.
var unsteadyMembers = []string{"requestId", "request_id", "extendedRequestId", "traceId", "trace_id",
	"requestTime", "requestTimeEpoch", "timeEpoch"}

func shapeOf(v any) any {
	switch v := v.(type) {
	case string:
		return shape(v)
	case json.Number:
		return json.Number(strings.Repeat("0", len(v)))
	}
	return v
}

func isScalar(v any) bool {
	switch v.(type) {
	case map[string]any, []any:
		return false
	}
	return true
}
