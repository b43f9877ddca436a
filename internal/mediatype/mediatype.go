// Package mediatype answers which types of bodies a REST API takes for bytes, for all that convert
// bodies: mappings and Lambda functions.
package mediatype

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gatekit-go/gatekit/internal/httpword"
)

// Of is the media type of a Content-Type header, or the first of an Accept header, in lower case
// and without parameters.
func Of(header string) string {
	first, _, _ := strings.Cut(header, ",")
	first, _, _ = strings.Cut(first, ";")
	return strings.ToLower(strings.Trim(first, " \t"))
}

// OfBody is the media type of a body's Content-Type header, in lower case and without parameters.
// The header is no list: with a comma in it, it is a type that nothing is for. A reader that took
// its first element would find a template where another one, that takes the whole, has found no
// validator.
func OfBody(header string) string {
	media, _, _ := strings.Cut(header, ";")
	return strings.ToLower(strings.Trim(media, " \t"))
}

// Binary are an API's binaryMediaTypes: whole types, a kind such as image/*, or */*. The zero
// Binary has none. (Developer guide, "Working with binary media types for REST APIs".)
type Binary struct {
	all   bool
	exact map[string]bool
	kinds map[string]bool // "image" of image/*
}

// NewBinary reads a list. A wildcard in front of a type, */png, is taken and matches nothing, as on
// the managed gateway. The error fits behind the name of a field.
func NewBinary(list []string) (Binary, error) {
	b := Binary{exact: map[string]bool{}, kinds: map[string]bool{}}
	var errs []error
	for i, entry := range list {
		kind, sub, ok := strings.Cut(strings.ToLower(entry), "/")
		switch {
		case !ok || !httpword.IsToken(kind) || !httpword.IsToken(sub) || strings.Contains(sub, "*") && sub != "*":
			errs = append(errs, fmt.Errorf("[%d]: want a type such as image/png, image/* or */*, got %.100q", i, entry))
		case kind == "*" && sub == "*":
			b.all = true
		case kind == "*": // accepted there, without effect
		case sub == "*":
			b.kinds[kind] = true
		default:
			b.exact[kind+"/"+sub] = true
		}
	}
	return b, errors.Join(errs...)
}

// Has reports whether a header's type, see [Of], is one of them. A kind without a slash is no type
// of that kind.
func (b Binary) Has(header string) bool {
	if b.all {
		return true
	}
	if len(b.exact) == 0 && len(b.kinds) == 0 {
		return false
	}
	media := Of(header)
	kind, _, slash := strings.Cut(media, "/")
	return b.exact[media] || slash && b.kinds[kind]
}
