package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/jsonlex"
)

// Marshal writes v as JSON without escaping <, > and &, which functions may compare byte by byte.
func Marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// kindOf tells what kind of authorizer has learned a: "" where there is nothing to tell, without an
// authorizer or where auth.Optional admitted an unknown caller. A Lambda authorizer may tell
// nothing either; that its context is there, and empty, sets its caller apart.
func kindOf(a *gatekit.Authorization) string {
	if _, ok := a.Caller(); ok {
		return "iam"
	}
	if a.HasClaims() {
		return "jwt"
	}
	if a == nil || a.Principal() == "" && len(a.Scopes()) == 0 && a.Context() == nil {
		return ""
	}
	return "lambda"
}

// appendAuthorizerV1 appends the authorizer member: claims, or a function's context at its top
// level. IAM callers stand in the identity. Without an authorizer an HTTP API has null, and a REST
// API no member. (Recorded from both.)
func (w *Writer) appendAuthorizerV1(b []byte, rest bool) []byte {
	a := w.Context.Authorization
	switch kind := kindOf(a); {
	case kind == "" || kind == "iam":
		if rest {
			return b
		}
		return append(b, `,"authorizer":null`...)
	case a.HasClaims():
		b = a.AppendClaimStrings(append(b, `,"authorizer":{"claims":`...))
		if !rest {
			b = w.appendScopes(append(b, `,"scopes":`...))
		}
		return append(b, '}')
	}
	context := a.Context()
	delete(context, "claims") // reserved: it would pass for a token's
	names := make([]string, 0, len(context))
	for name := range context {
		if name != "principalId" && name != "integrationLatency" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	b = jsonlex.AppendString(append(b, `,"authorizer":{"principalId":`...), a.Principal())
	if rest {
		b = append(b, `,"integrationLatency":0`...) // as where the authorizer's cache answers
	}
	for _, name := range names {
		b = append(jsonlex.AppendString(append(b, ','), name), ':')
		b = appendContextValue(b, context[name], rest)
	}
	return append(b, '}')
}

// appendContextValue appends a value of a function's context: a REST API makes strings of numbers
// and booleans.
func appendContextValue(b []byte, value any, rest bool) []byte {
	text, err := Marshal(value)
	switch {
	case err != nil:
		return append(b, "null"...)
	case !rest:
		return append(b, text...)
	}
	switch v := value.(type) {
	case nil:
		return append(b, "null"...)
	case string:
		return append(b, text...)
	case fmt.Stringer: // json.Number
		return jsonlex.AppendString(b, v.String())
	}
	return jsonlex.AppendString(b, text)
}

// appendAuthorizerV2 appends the authorizer member with what each kind of authorizer learned, or
// nothing without one.
func (w *Writer) appendAuthorizerV2(b []byte) []byte {
	a := w.Context.Authorization
	if kindOf(a) == "" {
		return b
	}
	b = append(b, `,"authorizer":{`...)
	from, seen := len(b), ""
	for _, one := range append([]*gatekit.Authorization{a}, a.Others()...) {
		kind := kindOf(one)
		if strings.Contains(seen, kind) { // "" too
			continue // auth.All: the first of a kind
		}
		seen += kind
		if len(b) > from {
			b = append(b, ',')
		}
		switch kind {
		case "iam":
			caller, _ := one.Caller()
			b = appendIAM(append(b, `"iam":`...), &caller)
		case "jwt":
			b = one.AppendClaimStrings(append(b, `"jwt":{"claims":`...))
			b = append(w.appendScopes(append(b, `,"scopes":`...)), '}')
		default:
			b = appendContext(append(b, `"lambda":`...), one.Context())
		}
	}
	return append(b, '}')
}

// appendContext appends the context of a Lambda authorizer. One that gave none shows as null. (Live
// captures.)
func appendContext(b []byte, context map[string]any) []byte {
	if len(context) == 0 {
		return append(b, "null"...)
	}
	text, err := Marshal(context)
	if err != nil {
		return append(b, "null"...) // values that no authorizer's answer can hold
	}
	return append(b, text...)
}

func (w *Writer) appendScopes(b []byte) []byte {
	if len(w.Context.AuthorizationScopes()) == 0 {
		return append(b, "null"...) // a route without scopes doesn't tell those of the token
	}
	return AppendList(b, w.Context.Authorization.Scopes())
}

// appendIAM appends an IAM identity. (Developer guide, payload format 2.0.)
func appendIAM(b []byte, c *gatekit.IAMCaller) []byte {
	b = jsonlex.AppendString(append(b, `{"accessKey":`...), c.AccessKey)
	b = jsonlex.AppendString(append(b, `,"accountId":`...), c.AccountID)
	b = jsonlex.AppendString(append(b, `,"callerId":`...), c.CallerID)
	b = append(b, `,"cognitoIdentity":`...)
	if c.CognitoIdentityID == "" {
		b = append(b, "null"...)
	} else {
		var amr []string
		if c.CognitoAuthenticationType != "" {
			amr = append(amr, c.CognitoAuthenticationType)
		}
		if c.CognitoAuthenticationProvider != "" {
			amr = append(amr, strings.Split(c.CognitoAuthenticationProvider, ",")...)
		}
		b = AppendList(append(b, `{"amr":`...), amr)
		b = jsonlex.AppendString(append(b, `,"identityId":`...), c.CognitoIdentityID)
		b = append(jsonlex.AppendString(append(b, `,"identityPoolId":`...), c.CognitoIdentityPoolID), '}')
	}
	b = jsonlex.AppendString(append(b, `,"principalOrgId":`...), c.PrincipalOrgID)
	b = jsonlex.AppendString(append(b, `,"userArn":`...), c.UserARN)
	return append(jsonlex.AppendString(append(b, `,"userId":`...), c.UserID), '}')
}
