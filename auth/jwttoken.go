package auth

import (
	"cmp"
	"encoding/base64"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/gatekit-go/gatekit/internal/selector"
	"github.com/gatekit-go/gatekit/internal/strictjson"
)

// What a token may be at the most. (The managed gateway bounds a header token by its 10,240 bytes
// for all headers; a token in the query may be longer here.)
const (
	maxTokenBytes = 16 << 10
	maxTokenDepth = 20
	maxKeyIDBytes = 256
)

// token is a JWT taken apart, with nothing verified yet. Parts that aren't needed stay text.
type token struct {
	algorithm, keyID, typ string
	signed                string // header and claims as they were signed
	signature             []byte
	payload               []byte // the claims' JSON
	claims                claims
}

// claims are the registered claims that the checks need. (RFC 7519, section 4.1; RFC 9068, section
// 2.2.)
type claims struct {
	issuer, subject            string
	audience                   []string
	hasAudience                bool // also if its value is useless: then client_id doesn't count
	clientID                   string
	expires, notBefore, issued float64 // NumericDate
	hasExpires                 bool
	scopes                     []string
}

var errMalformed = errors.New("auth: malformed token")

// parseToken takes text apart by the rules of RFC 7515 and 7519, of which it takes the strict
// reading wherever there are two: exactly two dots, base64url without padding, line breaks and
// stray bits, UTF-8, one JSON object without repeated names; those that decide are repeated also
// where they differ in letter case. It refuses what this package doesn't understand: crit, b64,
// nested tokens. Keys and URLs in the header are never read.
func parseToken(text string) (*token, failure, bool) {
	if len(text) > maxTokenBytes {
		return nil, failMalformed, false
	}
	header, rest, ok1 := strings.Cut(text, ".")
	payload, signature, ok2 := strings.Cut(rest, ".")
	if !ok1 || !ok2 || strings.Contains(signature, ".") {
		return nil, failSegments, false
	}
	t := &token{signed: text[:len(header)+1+len(payload)]}
	headerJSON, err := decodeSegment(header)
	if err != nil || t.parseHeader(headerJSON) != nil {
		return nil, failMalformed, false
	}
	if t.payload, err = decodeSegment(payload); err != nil || t.claims.parse(t.payload) != nil {
		return nil, failMalformed, false
	}
	if t.signature, err = decodeSegment(signature); err != nil {
		return nil, failMalformed, false
	}
	return t, 0, true
}

var segmentEncoding = base64.RawURLEncoding.Strict()

func decodeSegment(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") { // encoding/base64 passes over them, even when strict
		return nil, errMalformed
	}
	return segmentEncoding.DecodeString(s)
}

func (t *token) parseHeader(data []byte) error {
	return strictjson.Object(data, maxTokenDepth, func(name string, value []byte) error {
		ok := true
		switch name {
		case "alg":
			t.algorithm, ok = strictjson.Text(value)
		case "kid":
			t.keyID, ok = strictjson.Text(value)
			ok = ok && t.keyID != "" && len(t.keyID) <= maxKeyIDBytes
		case "typ":
			t.typ, ok = strictjson.Text(value)
		case "cty": // a token within a token (RFC 7519, section 5.2)
			text, isText := strictjson.Text(value)
			ok = isText && !strings.EqualFold(strings.TrimPrefix(text, "application/"), "JWT")
		case "crit", "b64": // no extension is understood (RFC 7515, section 4.1.11; RFC 7797)
			ok = false
		}
		if !ok {
			return errMalformed
		}
		return nil
	})
}

// registered are the names that decide here. Each may be there once, in whatever letter case: a
// backend that doesn't heed case would read another one. Names of private claims are case-sensitive
// (RFC 7519, section 4), and those that differ in case alone are two claims.
var registered = [...]string{"iss", "sub", "aud", "client_id", "exp", "nbf", "iat", "scope", "scp"}

func (c *claims) parse(data []byte) error {
	var scope, scp []string
	hasSCP := false
	var seen [len(registered)]bool
	err := strictjson.ObjectOfNames(data, maxTokenDepth, func(name string, value []byte) error {
		for i, known := range registered {
			if strings.EqualFold(name, known) {
				if seen[i] {
					return errMalformed
				}
				seen[i] = true
			}
		}
		ok := true
		switch name {
		case "iss":
			c.issuer, ok = strictjson.Text(value)
		case "sub":
			c.subject, ok = subjectText(value)
		case "aud":
			c.hasAudience = true
			if text, one := strictjson.Text(value); one {
				c.audience = []string{text}
			} else {
				c.audience, _ = strictjson.Texts(value) // anything else matches nobody
			}
		case "client_id":
			c.clientID, _ = strictjson.Text(value) // as above; it only counts without aud
		case "exp":
			c.expires, ok = numericDate(value)
			c.hasExpires = true
		case "nbf":
			c.notBefore, ok = numericDate(value)
		case "iat":
			c.issued, ok = numericDate(value)
		case "scope":
			scope, _ = scopeList(value) // of another type it grants nothing
		case "scp":
			scp, hasSCP = scopeList(value)
		}
		if !ok {
			return errMalformed
		}
		return nil
	})
	// A token should have one of the two. Where both are, scp is the one that an emulator was seen
	// to take.
	if c.scopes = scope; hasSCP {
		c.scopes = scp
	}
	return err
}

// subjectText reads sub. It should be a string (RFC 7519, section 4.1.2), but identity providers
// that number their users send the number; it is then the text that backends get of it. null is as
// good as none.
func subjectText(value []byte) (string, bool) {
	if string(value) == "null" {
		return "", true
	}
	if digits := strings.TrimPrefix(string(value), "-"); digits != "" && strings.Trim(digits, "0123456789") == "" {
		return string(value), true
	}
	return strictjson.Text(value)
}

// numericDate reads seconds since 1970, which may have a fraction (RFC 7519, section 2). Beyond
// 2^53 neighboring seconds can't be told apart, and no honest token lives that long.
func numericDate(value []byte) (float64, bool) {
	if len(value) == 0 || value[0] != '-' && (value[0] < '0' || value[0] > '9') {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(value), 64)
	return f, err == nil && math.Abs(f) <= 1<<53
}

// scopeList reads one string with blanks between the scopes (RFC 8693, section 4.2) or an array of
// scopes (as Okta has it). Nothing but a blank separates, so a tab makes a scope that no route can
// name.
func scopeList(value []byte) ([]string, bool) {
	text, ok := strictjson.Text(value)
	if !ok {
		return strictjson.Texts(value)
	}
	var scopes []string
	for s := range strings.SplitSeq(text, " ") {
		if s != "" {
			scopes = append(scopes, s)
		}
	}
	return scopes, true
}

// identitySource says where in a request the token is. (Developer guide, "Controlling access to
// HTTP APIs with JWT authorizers", identity source.)
type identitySource struct{ selector.Selector }

const defaultIdentitySource = "$request.header.Authorization"

// tokenSources are where a JWT can be, as HTTP APIs and REST APIs write it.
var tokenSources = selector.Grammar{
	Forms: []selector.Form{selector.Dollar, selector.Method}, Kinds: selector.Header | selector.Query,
}

func parseIdentitySource(text string) (identitySource, error) {
	s, err := tokenSources.Parse(cmp.Or(text, defaultIdentitySource))
	return identitySource{s}, err
}

// token returns the token's text. The prefix "Bearer " is optional, its case doesn't matter, and
// more blanks may follow it. A value that isn't there or empty is failMissing; several values are
// refused, as two readers might choose two of them.
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
