package jsonpath

import (
	"github.com/gatekit-go/gatekit/internal/jsonlex"
	"github.com/gatekit-go/gatekit/internal/jsonscan"
)

// span is a value's place. The zero span is no value's.
type span = jsonscan.Span

// follow passes over the value at i, which is depth others deep, and on the way finds the value
// that definite steps lead to: found is its place, or zero. ok is false if the value at i isn't
// JSON, which ends where end says.
func follow(text []byte, i, depth int, steps []step) (found span, end int, ok bool) {
	switch {
	case len(steps) == 0:
		end, ok = jsonlex.Value(text, i, MaxDepth-depth)
		return span{From: i, To: end}, end, ok
	case i >= len(text):
	case steps[0].kind == member && text[i] == '{':
		return object(text, i, depth, steps)
	case steps[0].kind == element && text[i] == '[':
		index := steps[0].indexes[0]
		if index < 0 {
			if index += count(text, i, depth); index < 0 {
				break
			}
		}
		return array(text, i, depth, index, steps)
	}
	end, ok = jsonlex.Value(text, i, MaxDepth-depth)
	return span{}, end, ok
}

// object follows steps into the members of that name. It can't stop at the first: the last counts.
func object(text []byte, i, depth int, steps []step) (found span, end int, ok bool) {
	if depth == MaxDepth {
		return span{}, i, false
	}
	i, empty := jsonlex.Open(text, i)
	for more := !empty; more; {
		var name []byte
		if name, i, ok = jsonlex.Name(text, i); !ok {
			return span{}, i, false
		}
		if jsonscan.Is(name, steps[0].names[0]) {
			found, i, ok = follow(text, i, depth+1, steps[1:])
		} else {
			i, ok = jsonlex.Value(text, i, MaxDepth-depth-1)
		}
		if ok {
			i, more, ok = jsonlex.Next(text, i, '{')
		}
		if !ok {
			return span{}, i, false
		}
	}
	return found, i, true
}

// array follows steps into the element at index, if there is one.
func array(text []byte, i, depth, index int, steps []step) (found span, end int, ok bool) {
	if depth == MaxDepth {
		return span{}, i, false
	}
	i, empty := jsonlex.Open(text, i)
	for more := !empty; more; index-- {
		if index == 0 {
			found, i, ok = follow(text, i, depth+1, steps[1:])
		} else {
			i, ok = jsonlex.Value(text, i, MaxDepth-depth-1)
		}
		if ok {
			i, more, ok = jsonlex.Next(text, i, '[')
		}
		if !ok {
			return span{}, i, false
		}
	}
	return found, i, true
}

// count returns how many elements an array has. Of one that isn't JSON it counts those in front of
// the mistake: what follows the steps finds it as well.
func count(text []byte, i, depth int) (n int) {
	i, empty := jsonlex.Open(text, i)
	for more, ok := !empty, true; more; n++ {
		if i, ok = jsonlex.Value(text, i, MaxDepth-depth-1); !ok {
			break
		}
		if i, more, ok = jsonlex.Next(text, i, '['); !ok {
			break
		}
	}
	return n
}
