package auth

import (
	"fmt"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
)

// identitySource says where in a request the token is. (Developer guide, "Controlling access to HTTP APIs with JWT
// authorizers", identity source.)
type identitySource struct {
	header string // canonical; or
	query  string // case-sensitive
}

const defaultIdentitySource = "$request.header.Authorization"

func parseIdentitySource(text string) (identitySource, error) {
	if text == "" {
		text = defaultIdentitySource
	}
	if name, ok := strings.CutPrefix(text, "$request.header."); ok && isToken(name) {
		return identitySource{header: textproto.CanonicalMIMEHeaderKey(name)}, nil
	}
	if name, ok := strings.CutPrefix(text, "$request.querystring."); ok && name != "" {
		return identitySource{query: name}, nil
	}
	return identitySource{}, fmt.Errorf("want $request.header.NAME or $request.querystring.name, got %s", quoted(text))
}

// isToken reports whether s is a token, as header names are. (RFC 9110, section 5.6.2.)
func isToken(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("\"(),/:;<=>?@[\\]{}", c) >= 0 {
			return false
		}
	}
	return s != ""
}

// token returns the token's text. The prefix "Bearer " is optional, its case doesn't matter, and more blanks may follow it. A
// value that isn't there or empty is failMissing; several values are refused, as two readers might choose two of them.
func (s *identitySource) token(r *http.Request) (text string, f failure, cause error) {
	var value string
	if s.header != "" {
		values := r.Header[s.header]
		if len(values) > 1 {
			return "", failMalformed, causes[failMalformed]
		}
		if len(values) == 1 {
			value = values[0]
		}
	} else {
		var ok bool
		if value, ok = queryValue(r.URL.RawQuery, s.query); !ok {
			return "", failMalformed, causes[failMalformed]
		}
	}
	if value == "" {
		return "", failMissing, causes[failMissing]
	}
	scheme, rest, blank := strings.Cut(value, " ")
	if !blank {
		return value, 0, nil
	}
	if strings.EqualFold(scheme, "Bearer") {
		return strings.TrimLeft(rest, " "), 0, nil
	}
	if s.header == "Authorization" {
		return "", failSegments, causeOtherScheme
	}
	return value, 0, nil
}

// queryValue returns the only value of a query parameter, "" if it isn't there. ok is false if it is there twice or can't be
// decoded. It decodes no other values.
func queryValue(rawQuery, name string) (value string, ok bool) {
	found := false
	for pair := range strings.SplitSeq(rawQuery, "&") {
		key, v, _ := strings.Cut(pair, "=")
		if key != name {
			if !strings.ContainsAny(key, "%+") {
				continue
			}
			if key, err := url.QueryUnescape(key); err != nil || key != name {
				continue
			}
		}
		if found {
			return "", false
		}
		found = true
		var err error
		if value, err = url.QueryUnescape(v); err != nil {
			return "", false
		}
	}
	return value, true
}
