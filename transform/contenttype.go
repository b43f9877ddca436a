package transform

import (
	"maps"
	"net/http"
	"slices"

	"github.com/gatekit-go/gatekit/internal/mediatype"
)

const (
	applicationJSON = "application/json"
	anyOther        = "$default" // a template key that catches the rest
)

// byType is a set of templates by media type.
type byType map[string]*Template

// forRequest picks the template for a Content-Type header, of which there may be none.
func (t byType) forRequest(h http.Header) *Template {
	key := applicationJSON
	if values := h["Content-Type"]; len(values) > 0 && values[0] != "" {
		key = mediatype.OfBody(values[0])
	}
	if found := t[key]; found != nil {
		return found
	}
	return t[anyOther]
}

// forResponse picks the template for an Accept header: the type's, else that for JSON, else the
// first by name.
func (t byType) forResponse(accept string) *Template {
	if found := t[mediatype.Of(accept)]; found != nil {
		return found
	}
	if found := t[applicationJSON]; found != nil {
		return found
	}
	for _, key := range slices.Sorted(maps.Keys(t)) {
		return t[key]
	}
	return nil
}

// conversion is what contentHandling does to a payload.
type conversion uint8

const (
	asText   conversion = iota // bytes that aren't UTF-8 become U+FFFD
	asIs                       // bytes
	toBase64                   // bytes become text
	toBytes                    // text becomes bytes
)

// binary reports whether what comes out is no text.
func (c conversion) binary() bool { return c == asIs || c == toBytes }

// requestConversion is the first table of "Content type conversions in API Gateway".
func requestConversion(c ContentHandling, binary bool) conversion {
	switch {
	case !binary && c == ConvertToBinary:
		return toBytes
	case !binary:
		return asText
	case c == ConvertToText:
		return toBase64
	}
	return asIs
}

// responseConversion is the second table: payload and accept say whether the backend's type and the
// client's are binary.
func responseConversion(c ContentHandling, payload, accept bool) conversion {
	switch {
	case payload && c == ConvertToText, payload && c == "" && !accept:
		return toBase64
	case payload:
		return asIs
	case c == ConvertToBinary, c == "" && accept:
		return toBytes
	}
	return asText
}
