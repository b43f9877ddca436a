package domain

import (
	"net/http"
	"strings"
)

// Mapping sends requests whose path begins with a base path to an API. (Developer guide, "Map API
// stages to a custom domain name for HTTP APIs" and "Use API mappings to connect API stages to a
// custom domain name for REST APIs".)
type Mapping struct {
	_ struct{} // keyed literals only, so that fields can be added

	// BasePath is the API mapping's key: "orders", or, with several levels, "orders/v2/items". At
	// most 300 letters, digits and $-_.+!*'() in segments divided by single slashes, none at the
	// ends. It is compared segment by segment and byte by byte with the path as it was sent, before
	// anything is decoded. Empty, or "(none)" as the REST API's API spells it, is the empty
	// mapping, which gets what no other mapping does.
	BasePath string
	// Handler gets the request with the base path cut off its URL: a route.API, one stage
	// (route.Stages.Handler), or, as a REST base path mapping without a stage does, all stages, of
	// which the path's next segment then names one. Required.
	Handler http.Handler
}

// maxKeyBytes is the longest key. (API Gateway V2 API reference, ApiMapping.)
const maxKeyBytes = 300

// none is how the REST API's API spells an empty base path.
const none = "(none)"

// checkKey returns what is wrong with a key that isn't empty, or "".
func checkKey(key string) string {
	const chars = "letters, digits and $-_.+!*'() in segments divided by single slashes, none at the ends"
	if len(key) > maxKeyBytes {
		return "at most 300 characters"
	}
	for segment := range strings.SplitSeq(key, "/") {
		if segment == "" {
			return chars
		}
		if segment == "." || segment == ".." {
			return "no dot segments, as they are refused in requests"
		}
		for i := range len(segment) {
			if b := segment[i]; !isAlphanumeric(b) && strings.IndexByte("$-_.+!*'()", b) < 0 {
				return chars
			}
		}
	}
	return ""
}

func isAlphanumeric(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9'
}

// keys finds the longest key that a path begins with. It looks up the path's prefixes that end with
// a segment, the longest first, but only those that are as long as some key: mostly one look-up,
// and for a path made for it as many as keys have different lengths, at most 150.
type keys[T any] struct {
	empty   *T // of the empty mapping
	byKey   map[string]key[T]
	lengths [maxKeyBytes/64 + 1]uint64 // a bit for each length that a key has
	longest int
}

type key[T any] struct {
	value   *T
	key     string
	escaped bool // it has characters that net/url escapes, though nobody needs to
}

// add reports whether the key is new. The empty key is the empty mapping. Keys that are too long,
// which checkKey refuses, are never found.
func (k *keys[T]) add(text string, value *T) bool {
	if text == "" {
		isNew := k.empty == nil
		k.empty = value
		return isNew
	}
	if _, ok := k.byKey[text]; ok {
		return false
	}
	if k.byKey == nil {
		k.byKey = map[string]key[T]{}
	}
	k.byKey[text] = key[T]{value, text, strings.ContainsAny(text, "!*'()")}
	if n := len(text); n <= maxKeyBytes {
		k.lengths[n/64] |= 1 << (n % 64)
		k.longest = max(k.longest, n)
	}
	return true
}

// match returns the longest key's value and the key, or nil. With asSent, path is the path as it
// was sent. Else it is url.URL.Path of a URL without a RawPath: what was sent is then what net/url
// would write, so that a character that it escapes was sent escaped, and is in no key.
func (k *keys[T]) match(path string, asSent bool) (value *T, text string) {
	if path == "" || path[0] != '/' {
		return k.empty, ""
	}
	path = path[1:]
	end := len(path)
	if end > k.longest {
		if end = k.longest; path[end] != '/' {
			end = strings.LastIndexByte(path[:end], '/')
		}
	}
	for ; end > 0; end = strings.LastIndexByte(path[:end], '/') {
		if k.lengths[end/64]&(1<<(end%64)) == 0 {
			continue
		}
		if found := k.byKey[path[:end]]; found.value != nil && (asSent || !found.escaped) {
			return found.value, found.key
		}
	}
	return k.empty, ""
}
