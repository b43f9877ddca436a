package authtest_test

import (
	"context"
	"errors"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/authtest"
	"github.com/gatekit-go/gatekit/auth/policy"
)

func TestSigner(t *testing.T) {
	s := authtest.Signer{AccessKeyID: "AKID", SecretAccessKey: "s", SessionToken: "t", Region: "us-*", Service: "orders"}
	iam := gatekit.Must(auth.NewSigV4(auth.SigV4Config{Region: "us-east-1", Service: "orders", Credentials: auth.StaticCredentials{"AKID": {SecretAccessKey: "s", SessionToken: "t"}}}))
	r := httptest.NewRequest("POST", "/x?y", strings.NewReader("body"))
	require.NoError(t, s.SignV4A(r, time.Now()))
	_, err := iam.Authorize(r)
	require.NoError(t, err)
	body, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	require.Equal(t, "body", string(body))
	r = httptest.NewRequest("GET", "/x", nil)
	s.Region = "us-east-1"
	require.NoError(t, s.Presign(r, time.Now(), time.Minute))
	_, err = iam.Authorize(r)
	require.NoError(t, err)
	r = httptest.NewRequest("GET", "/x", nil)
	r.URL.RawQuery = "a=%"
	require.ErrorContains(t, s.Sign(r, time.Now()), "want a query that decodes")
}

type function func() (string, error)

func (f function) Invoke(context.Context, []byte) ([]byte, error) {
	text, err := f()
	return []byte(text), err
}

func TestRecord(t *testing.T) {
	fails := errors.New("x")
	rec := authtest.Record(function(func() (string, error) { return "{}", fails }))
	_, err := rec.Invoke(t.Context(), []byte("event"))
	require.ErrorIs(t, err, fails)
	require.Equal(t, []authtest.Invocation{{Event: "event", Answer: "{}", Err: fails}}, rec.Invocations())
}

func TestPoliciesHelper(t *testing.T) {
	p := gatekit.Must(policy.Parse(`{"Statement":[{"Sid":"Pets","Effect":"Allow","Action":"*","Resource":"arn:aws:execute-api:*:*:*/GET/pets*"}]}`))
	authtest.TestPolicies(t, []authtest.PolicyCase{
		{Name: "pets", Request: policy.Request{Resource: "arn:aws:execute-api:us-east-1:1:a/prod/GET/pets/1"}, Want: policy.Allow, Sid: "Pets"},
		{Name: "other", Request: policy.Request{Resource: "arn:aws:execute-api:us-east-1:1:a/prod/PUT/pets/1"}, Want: policy.ImplicitDeny},
	}, p)
}
