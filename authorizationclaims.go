package gatekit

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit/internal/jsonlex"
	"github.com/gatekit-go/gatekit/internal/jsonscan"
)

// Claims returns the token's claims in a map of its own, numbers as json.Number, or nil if there
// are none. Each call decodes them anew: read single claims with Claim or ClaimString.
func (a *Authorization) Claims() map[string]any {
	if a == nil || a.claims == nil {
		return nil
	}
	var claims map[string]any
	if err := a.decode(a.claims, &claims); err != nil {
		return nil
	}
	return claims
}

// Claim returns one claim, numbers as json.Number, and whether the token has it. A claim that is
// null is present.
func (a *Authorization) Claim(name string) (any, bool) {
	raw, ok := a.rawClaim(name)
	if !ok {
		return nil, false
	}
	var value any
	if err := a.decode(raw, &value); err != nil {
		return nil, false
	}
	return value, true
}

// ClaimString returns a claim in the string form that the managed gateway hands to integrations,
// and whether there is one: a number in full, an array as [a b]; from a Cognito authorizer an array
// as a,b and the times exp and iat as "Tue Apr 04 18:39:39 UTC 2023". A claim that is null counts
// as absent. (Recorded events of both.)
func (a *Authorization) ClaimString(name string) (string, bool) {
	raw, ok := a.rawClaim(name)
	if !ok {
		return "", false
	}
	return a.claimText(name, raw)
}

// ClaimStrings returns all claims in the form of [Authorization.ClaimString], in a map of its own,
// or nil if there are none.
func (a *Authorization) ClaimStrings() map[string]string {
	if !a.HasClaims() {
		return nil
	}
	texts := map[string]string{}
	for quoted, value := range jsonscan.Members(a.claims) {
		name, _ := jsonscan.Text(quoted)
		if text, ok := a.claimText(name, value); ok {
			texts[name] = text
		}
	}
	return texts
}

// HasClaims reports whether there are claims: a token's, in contrast to what a function or a
// signature told.
func (a *Authorization) HasClaims() bool { return a != nil && a.claims != nil }

// AppendClaimStrings appends [Authorization.ClaimStrings] to b as a JSON object, in the token's
// order; {} if there are none.
func (a *Authorization) AppendClaimStrings(b []byte) []byte {
	b = append(b, '{')
	if !a.HasClaims() {
		return append(b, '}')
	}
	first := true
	for name, value := range jsonscan.Members(a.claims) {
		if jsonscan.IsNull(value) {
			continue // counts as absent
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(append(b, name...), ':')
		b = a.appendClaim(b, name, value)
	}
	return append(b, '}')
}

// appendClaim appends a claim that isn't null as a JSON string. Strings, words and whole numbers
// are in the text as they are to be.
func (a *Authorization) appendClaim(b, quoted, value []byte) []byte {
	switch c := value[0]; {
	case c == '"':
		return append(b, value...)
	case c == 't' || c == 'f' || !a.cognito && c != '[' && c != '{' && !bytes.ContainsAny(value, ".eE"):
		b = append(append(b, '"'), value...)
		return append(b, '"')
	}
	name, _ := jsonscan.Text(quoted)
	text, _ := a.claimText(name, value)
	return jsonlex.AppendString(b, text)
}

func (a *Authorization) claimText(name string, raw []byte) (string, bool) {
	if a.cognito {
		return cognitoText(name, raw)
	}
	return claimText(raw)
}

// DecodeClaims decodes the claims into v as json.Unmarshal does. Without claims it decodes an empty
// object. A struct's fields take names in any letter case, the last one wins: where an issuer has
// claims whose names differ in that alone, decode into a map, or use Claim.
func (a *Authorization) DecodeClaims(v any) error {
	raw := []byte("{}")
	if a != nil && a.claims != nil {
		raw = a.claims
	}
	return json.Unmarshal(raw, v)
}

// rawClaim returns the JSON text of a claim, without decoding the others. Names don't repeat, as
// NewAuthorization has seen.
func (a *Authorization) rawClaim(name string) ([]byte, bool) {
	if !a.HasClaims() {
		return nil, false
	}
	for quoted, value := range jsonscan.Members(a.claims) {
		if jsonscan.Is(quoted, name) {
			return value, true
		}
	}
	return nil, false
}

// decode keeps numbers as they are spelled.
func (a *Authorization) decode(raw []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return d.Decode(v)
}

// claimText is the string form of a claim's value: strings as they are, numbers in full, booleans
// as words, an array's elements between [ and ] with a blank between them. An object keeps its JSON
// text, as no form of it has been recorded.
func claimText(raw []byte) (text string, ok bool) {
	switch raw[0] {
	case 'n':
		return "", false
	case '"':
		return jsonscan.Text(raw)
	case '[':
		var texts []string
		for e := range jsonscan.Elements(raw) {
			if text, ok = claimText(e); !ok {
				text = "<nil>"
			}
			texts = append(texts, text)
		}
		return "[" + strings.Join(texts, " ") + "]", true
	case '{':
		return compact(raw)
	case 't', 'f':
		return string(raw), true
	}
	return numberText(string(raw)), true
}

// numberText writes a JSON number without an exponent where that is exact.
func numberText(literal string) string {
	if !strings.ContainsAny(literal, ".eE") {
		return literal
	}
	f, err := strconv.ParseFloat(literal, 64)
	if err != nil || math.Abs(f) >= 1e21 || (f != 0 && math.Abs(f) < 1e-7) {
		return literal
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// cognitoText is the string form of a claim behind a Cognito authorizer: exp and iat as dates,
// lists joined by commas. A list of objects keeps its JSON text, as identities does.
func cognitoText(name string, raw []byte) (text string, ok bool) {
	if name == "exp" || name == "iat" {
		if seconds, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
			return time.Unix(seconds, 0).UTC().Format("Mon Jan 02 15:04:05 UTC 2006"), true
		}
	}
	if raw[0] != '[' {
		return claimText(raw)
	}
	var texts []string
	for e := range jsonscan.Elements(raw) {
		if e[0] == '{' || e[0] == '[' {
			return compact(raw)
		}
		text, _ = claimText(e)
		texts = append(texts, text)
	}
	return strings.Join(texts, ","), true
}

func compact(raw []byte) (text string, ok bool) {
	var b bytes.Buffer
	err := json.Compact(&b, raw)
	return b.String(), err == nil
}
