package gatekit_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
)

// Every part of what an authorizer learned tells callers apart; what differs from token to token
// doesn't.
func TestFingerprint(t *testing.T) {
	of := func(f gatekit.AuthorizationFields) [32]byte { return gatekit.NewAuthorization(f).Fingerprint() }
	seen := map[[32]byte]string{}
	for name, a := range map[string]*gatekit.Authorization{
		"nil":       nil,
		"empty":     gatekit.NewAuthorization(gatekit.AuthorizationFields{}),
		"principal": gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: "ann"}),
		"named":     gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: "ann"}).Named("jwt"),
		"with":      gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: "ann"}).With(gatekit.NewAuthorization(gatekit.AuthorizationFields{})),
		"scope":     gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: "ann", Scopes: []string{"a"}}),
		"scopes":    gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: "ann", Scopes: []string{"a", "b"}}),
		"usage-key": gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: "ann", UsageKey: "k"}),
		"claims":    gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: "ann", RawClaims: []byte(`{"tenant":"x"}`)}),
		"claims-2":  gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: "ann", RawClaims: []byte(`{"tenant":"y"}`)}),
		"context":   gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: "ann", Context: map[string]any{"tenant": "x"}}),
		"context-2": gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: "ann", Context: map[string]any{"tenant": "y"}}),
		"caller":    gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: "ann", Caller: &gatekit.IAMCaller{UserARN: "arn:x"}}),
		"shifted":   gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: "an", Authorizer: "n"}),
	} {
		sum := a.Fingerprint()
		require.Equal(t, sum, a.Fingerprint())
		require.Empty(t, seen[sum], name)
		seen[sum] = name
	}
	require.Equal(t, of(gatekit.AuthorizationFields{Scopes: []string{"a", "b"}}), of(gatekit.AuthorizationFields{Scopes: []string{"b", "a"}}))
	require.Equal(t,
		of(gatekit.AuthorizationFields{RawClaims: []byte(`{"sub":"ann","exp":1,"iat":2,"jti":"a"}`)}),
		of(gatekit.AuthorizationFields{RawClaims: []byte(`{"jti":"b","iat":4,"sub":"ann"}`)}))
}

func TestDetach(t *testing.T) {
	rc, r := gatekit.Attach(httptest.NewRequest("POST", "/a?b", strings.NewReader("body")))
	rc.Route, rc.API = &gatekit.Route{Key: "POST /a", OperationName: "op"}, &gatekit.API{Stage: "prod"}
	rc.SetResponder(func(http.ResponseWriter, *http.Request, *gatekit.Rejection) { t.Error("the responder is r's own") })
	r.SetPathValue("x", "y")
	ctx, cancel := context.WithCancel(context.Background())
	detached := gatekit.Detach(ctx, r)
	detached.Header.Set("A", "b")
	require.Empty(t, r.Header)
	require.Equal(t, "y", detached.PathValue("x"))
	require.Equal(t, http.NoBody, detached.Body)
	own := gatekit.From(detached.Context())
	require.NotSame(t, rc, own)
	require.Equal(t, "op", own.OperationName())
	require.Nil(t, own.Charge)
	require.Equal(t, rc.RequestID(), own.RequestID())
	require.Equal(t, "prod", own.API.Stage)
	w := httptest.NewRecorder()
	gatekit.Reject(w, detached, nil)
	require.Equal(t, 500, w.Code, "in the flavor's form, as what answers r may be gone")
	require.NotNil(t, own.Rejection())
	require.Nil(t, rc.Rejection())
	cancel()
	require.Error(t, detached.Context().Err())
	require.NoError(t, r.Context().Err())
}

// What answers for the request doesn't answer for the work that goes on behind it, and its caller
// pays for none of that.
func TestDetachLeavesResponderAndCharge(t *testing.T) {
	rc, r := gatekit.Attach(httptest.NewRequest("GET", "/", nil))
	rc.SetResponder(func(http.ResponseWriter, *http.Request, *gatekit.Rejection) {
		t.Error("the request was answered long ago")
	})
	rc.Charge = charged{}
	w := httptest.NewRecorder()
	detached := gatekit.Detach(t.Context(), r)
	require.Nil(t, gatekit.From(detached.Context()).Charge)
	gatekit.Reject(w, detached, &gatekit.Rejection{Type: gatekit.Unauthorized})
	require.Equal(t, 401, w.Code)
	require.Equal(t, `{"message":"Unauthorized"}`, w.Body.String())
}

// Without a context of the gateway there is one behind, which knows what Attach would have found.
func TestDetachOutsideAGateway(t *testing.T) {
	r := httptest.NewRequest("GET", "/a%2Fb?q=1", nil)
	r.Header.Set("User-Agent", "curl/8")
	rc := gatekit.From(gatekit.Detach(t.Context(), r).Context())
	require.Equal(t, "/a%2Fb", rc.Path.Received())
	require.Equal(t, "192.0.2.1", rc.SourceIP().String())
	require.Equal(t, "curl/8", rc.UserAgent())
	require.NotEqual(t, rc.RequestID(), gatekit.From(gatekit.Detach(t.Context(), r).Context()).RequestID())
	require.False(t, rc.Time.IsZero())
	require.Nil(t, gatekit.From(r.Context()))
}

type charged struct{}

func (charged) Reserved() int64                     { return 1 }
func (charged) Settle(context.Context, int64) error { return nil }
