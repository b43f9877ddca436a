package awssdk_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/policy"
	"github.com/gatekit-go/gatekit/route"
)

const (
	keyID  = "AKIDEXAMPLE"
	secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	region = "us-east-1"
)

// server is a REST API on a loopback address behind IAM authorization, which echoes what it gets.
func server(t *testing.T) *httptest.Server {
	t.Helper()
	principal := policy.Principal{ARN: "arn:aws:iam::111122223333:user/bob"}
	s, err := auth.NewSigV4(auth.SigV4Config{Credentials: auth.StaticCredentials{
		keyID:       {SecretAccessKey: secret, Principal: principal},
		"ASIASHORT": {SecretAccessKey: secret, SessionToken: "session/token+==", Principal: principal},
	}})
	require.NoError(t, err)
	api, err := route.New(route.Config{API: gatekit.API{Flavor: gatekit.REST, Region: region, AccountID: "111122223333", APIID: "abc123", Stage: "prod"}})
	require.NoError(t, err)
	api.Handle("ANY /{proxy+}", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(w, "%s %s %s", gatekit.From(r.Context()).Authorization.Principal(), r.Method, body)
	}), s.Middleware)
	srv := httptest.NewServer(api)
	t.Cleanup(srv.Close)
	return srv
}

func hash(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

func do(t *testing.T, r *http.Request) string {
	t.Helper()
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return strconv.Itoa(resp.StatusCode) + " " + string(body)
}

// requests are what clients ask for: paths and queries with everything that signers escape differently.
var requests = []struct{ method, target, body string }{
	{"GET", "/pets", ""}, {"GET", "/pets/a%20b/%2F/~u", ""}, {"GET", "/@connections/L0SM9cOFvHcCIhw%3D", ""}, {"GET", "/pets/%E1%88%B4/(x)!*'", ""},
	{"GET", "/pets?b=2&a=1&a=0&empty&x=%20y&k=%2f&u=%E1%88%B4&t=~", ""}, {"POST", "/pets", `{"a":1}`}, {"PUT", "/pets/", strings.Repeat("x", 100_000)}, {"DELETE", "/pets/1", ""},
}

func TestAWSSDK(t *testing.T) {
	srv := server(t)
	signer := v4.NewSigner()
	for _, credentials := range []aws.Credentials{
		{AccessKeyID: keyID, SecretAccessKey: secret}, {AccessKeyID: "ASIASHORT", SecretAccessKey: secret, SessionToken: "session/token+=="},
	} {
		for _, tt := range requests {
			t.Run(credentials.AccessKeyID+" "+tt.method+" "+tt.target, func(t *testing.T) {
				want := "200 arn:aws:iam::111122223333:user/bob " + tt.method + " " + tt.body
				build := func() *http.Request {
					r, err := http.NewRequestWithContext(t.Context(), tt.method, srv.URL+tt.target, bytes.NewReader([]byte(tt.body)))
					require.NoError(t, err)
					return r
				}
				r := build()
				r.Header.Set("Content-Type", "application/json")
				require.NoError(t, signer.SignHTTP(t.Context(), credentials, r, hash([]byte(tt.body)), "execute-api", region, time.Now()))
				require.Equal(t, want, do(t, r))

				r = build()
				query := r.URL.Query()
				query.Set("X-Amz-Expires", "60")
				r.URL.RawQuery = query.Encode()
				uri, headers, err := signer.PresignHTTP(t.Context(), credentials, r, hash([]byte(tt.body)), "execute-api", region, time.Now())
				require.NoError(t, err)
				presigned, err := http.NewRequestWithContext(t.Context(), tt.method, uri, bytes.NewReader([]byte(tt.body)))
				require.NoError(t, err)
				for name, values := range headers {
					if name != "Host" {
						presigned.Header[name] = values
					}
				}
				require.Equal(t, want, do(t, presigned), uri)

				r = build()
				require.NoError(t, signer.SignHTTP(t.Context(), credentials, r, hash([]byte(tt.body)), "execute-api", region, time.Now()))
				r.URL.RawQuery += "&evil=1"
				require.Contains(t, do(t, r), "403 ")
			})
		}
	}
}

func TestCurl(t *testing.T) {
	srv := server(t)
	curl, err := exec.LookPath("curl")
	require.NoError(t, err, "curl 7.75 or later is needed")
	for _, tt := range requests {
		if strings.ContainsAny(tt.target, "'&") || strings.Contains(tt.target, "%") {
			continue // curl before 8 signs paths and queries as they are, which only plain ones survive
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		args := []string{"-sS", "--aws-sigv4", "aws:amz:" + region + ":execute-api", "--user", keyID + ":" + secret, "-X", tt.method, srv.URL + tt.target}
		if tt.body != "" {
			args = append(args, "-H", "Content-Type: application/json", "-d", tt.body)
		}
		out, err := exec.CommandContext(ctx, curl, args...).CombinedOutput()
		cancel()
		require.NoError(t, err, "%s", out)
		require.Equal(t, "arn:aws:iam::111122223333:user/bob "+tt.method+" "+tt.body, string(out), tt.target)
		args[4] = keyID + ":wrong"
		out, err = exec.CommandContext(t.Context(), curl, args...).CombinedOutput()
		require.NoError(t, err)
		require.Contains(t, string(out), "The request signature we calculated does not match")
	}
}
