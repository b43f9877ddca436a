package event

import (
	"encoding/json"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/jsonscan"
)

func callerV1(identity string) *gatekit.IAMCaller {
	c := &gatekit.IAMCaller{}
	for key, value := range jsonscan.Members(identity) {
		switch v := text(value); key {
		case `"accessKey"`:
			c.AccessKey = v
		case `"accountId"`:
			c.AccountID = v
		case `"caller"`:
			c.CallerID = v
		case `"user"`:
			c.UserID = v
		case `"userArn"`:
			c.UserARN = v
		case `"principalOrgId"`:
			c.PrincipalOrgID = v
		case `"cognitoIdentityId"`:
			c.CognitoIdentityID = v
		case `"cognitoIdentityPoolId"`:
			c.CognitoIdentityPoolID = v
		case `"cognitoAuthenticationType"`:
			c.CognitoAuthenticationType = v
		case `"cognitoAuthenticationProvider"`:
			c.CognitoAuthenticationProvider = v
		}
	}
	return c
}

// authorizerV2 takes over what the gateway's authorizer learned. A Lambda authorizer that told
// nothing shows as a null, and alone: its caller was admitted. Where others stand beside it, null
// is what some libraries write for what isn't there.
func (in *Incoming) authorizerV2(rc *gatekit.RequestContext) {
	n, silent := 0, false
	for key, value := range jsonscan.Members(in.requestContext.authorizer) {
		n++
		var a *gatekit.Authorization
		switch {
		case jsonscan.IsNull(value):
			silent = jsonscan.Is(key, "lambda")
			continue
		case jsonscan.Is(key, "jwt"):
			a = tokenOf(rc, get(value, "claims"), get(value, "scopes"))
		case jsonscan.Is(key, "lambda"):
			a = gatekit.NewAuthorization(gatekit.AuthorizationFields{Context: contextOf(value)})
		case jsonscan.Is(key, "iam"):
			caller := iamOf(value)
			rc.SetCaller(caller)
			a = gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: caller.UserARN, Caller: caller})
		default:
			continue
		}
		if rc.Authorization == nil {
			rc.Authorization = a
		} else {
			rc.Authorization = rc.Authorization.With(a)
		}
	}
	if silent && n == 1 {
		rc.Authorization = gatekit.NewAuthorization(gatekit.AuthorizationFields{Context: map[string]any{}})
	}
}

// tokenOf is what an authorizer for tokens learned. Where the event doesn't tell scopes, as on
// routes without, those of the token count. Claims that NewAuthorization drops, such as those with
// a name twice, tell neither who is calling nor a scope: another reader would see another caller.
func tokenOf(rc *gatekit.RequestContext, claims, scopes string) *gatekit.Authorization {
	fields := gatekit.AuthorizationFields{RawClaims: []byte(claims), Principal: text(get(claims, "sub"))}
	ofClaims := jsonscan.IsNull(scopes)
	if ofClaims {
		fields.Scopes = strings.Fields(text(get(claims, "scope")))
	} else {
		for scope := range jsonscan.Elements(scopes) {
			fields.Scopes = append(fields.Scopes, text(scope))
		}
		rc.SetAuthorizationScopes(&fields.Scopes)
	}
	a := gatekit.NewAuthorization(fields)
	if a.HasClaims() {
		return a
	}
	told := gatekit.AuthorizationFields{}
	if !ofClaims {
		told.Scopes = fields.Scopes
	}
	return gatekit.NewAuthorization(told)
}

func contextOf(object string) map[string]any {
	var m map[string]any
	d := json.NewDecoder(strings.NewReader(object))
	d.UseNumber()
	if d.Decode(&m) != nil {
		return nil
	}
	return m
}

func iamOf(object string) *gatekit.IAMCaller {
	c := &gatekit.IAMCaller{}
	for key, value := range jsonscan.Members(object) {
		switch v := text(value); key {
		case `"accessKey"`:
			c.AccessKey = v
		case `"accountId"`:
			c.AccountID = v
		case `"callerId"`:
			c.CallerID = v
		case `"principalOrgId"`:
			c.PrincipalOrgID = v
		case `"userArn"`:
			c.UserARN = v
		case `"userId"`:
			c.UserID = v
		case `"cognitoIdentity"`:
			if jsonscan.IsNull(value) {
				break
			}
			c.CognitoIdentityID = text(get(value, "identityId"))
			c.CognitoIdentityPoolID = text(get(value, "identityPoolId"))
			var providers []string
			for amr := range jsonscan.Elements(get(value, "amr")) {
				if t := text(amr); t == "authenticated" || t == "unauthenticated" {
					c.CognitoAuthenticationType = t
				} else {
					providers = append(providers, t)
				}
			}
			c.CognitoAuthenticationProvider = strings.Join(providers, ",")
		}
	}
	return c
}

// authorizerV1 takes over what the gateway's authorizer learned, in the shape of payload 1.0 and
// REST events.
func (in *Incoming) authorizerV1(rc *gatekit.RequestContext) {
	object := in.requestContext.authorizer
	if rc.Caller() != nil {
		fields := gatekit.AuthorizationFields{Principal: rc.Caller().UserARN, Caller: rc.Caller()}
		rc.Authorization = gatekit.NewAuthorization(fields)
		return
	}
	if jsonscan.IsNull(object) || object[0] != '{' {
		return
	}
	if claims := get(object, "claims"); len(claims) > 0 {
		if !jsonscan.IsNull(claims) { // null without an authorizer
			rc.Authorization = tokenOf(rc, claims, get(object, "scopes"))
		}
		return
	}
	context := contextOf(object)
	principal, _ := context["principalId"].(string)
	delete(context, "principalId")
	delete(context, "integrationLatency")
	rc.Authorization = gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: principal, Context: context})
}
