package auth

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/gatekit-go/gatekit/internal/selector"
)

// identitySource says where in a request the token is. (Developer guide, "Controlling access to HTTP APIs with JWT
// authorizers", identity source.)
type identitySource struct{ selector.Selector }

const defaultIdentitySource = "$request.header.Authorization"

// tokenSources are where a JWT can be.
var tokenSources = selector.Grammar{Forms: []selector.Form{selector.Dollar}, Kinds: selector.Header | selector.Query}

func parseIdentitySource(text string) (identitySource, error) {
	s, err := tokenSources.Parse(cmp.Or(text, defaultIdentitySource))
	return identitySource{s}, err
}

// token returns the token's text. The prefix "Bearer " is optional, its case doesn't matter, and more blanks may follow it. A
// value that isn't there or empty is failMissing; several values are refused, as two readers might choose two of them.
func (s *identitySource) token(r *http.Request) (text string, f failure, cause error) {
	value, ok := s.Only(&selector.Message{Request: r})
	if !ok {
		return "", failMalformed, causes[failMalformed]
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
	if s.Kind == selector.Header && s.Name == "Authorization" {
		return "", failSegments, causeOtherScheme
	}
	return value, 0, nil
}
