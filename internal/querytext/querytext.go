// Package querytext reads single parameters of a query string without decoding the others, and
// writes one. What doesn't decode is taken as it is: a backend reads it, too.
package querytext

import (
	"net/url"
	"strings"
)

// Joined returns a parameter's values, decoded and joined by commas, and whether there are any.
func Joined(rawQuery, name string) (text string, found bool) {
	var several strings.Builder // of a thousand values, not a thousand copies
	for pair := ""; rawQuery != ""; {
		if pair, rawQuery, _ = strings.Cut(rawQuery, "&"); pair == "" {
			continue
		}
		key, value, _ := strings.Cut(pair, "=")
		if Decoded(key) != name {
			continue
		}
		if !found {
			text, found = Decoded(value), true
			continue
		}
		if several.Len() == 0 {
			several.WriteString(text)
		}
		several.WriteByte(',')
		several.WriteString(Decoded(value))
	}
	if several.Len() > 0 {
		return several.String(), true
	}
	return text, found
}

// Last returns the last of a parameter's values, decoded, and whether there is one.
func Last(rawQuery, name string) (text string, found bool) {
	for pair := ""; rawQuery != ""; {
		if pair, rawQuery, _ = strings.Cut(rawQuery, "&"); pair == "" {
			continue
		}
		key, value, _ := strings.Cut(pair, "=")
		if Decoded(key) == name {
			text, found = value, true
		}
	}
	return Decoded(text), found
}

// Append appends a pair to an encoded query.
func Append(query *strings.Builder, name, value string) {
	if query.Len() > 0 {
		query.WriteByte('&')
	}
	query.WriteString(url.QueryEscape(name))
	query.WriteByte('=')
	query.WriteString(url.QueryEscape(value))
}

// Decoded returns a name or a value as it is meant, or as it is.
func Decoded(s string) string {
	if strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '+') < 0 {
		return s
	}
	if decoded, err := url.QueryUnescape(s); err == nil {
		return decoded
	}
	return s
}
