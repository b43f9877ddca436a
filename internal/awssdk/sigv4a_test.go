package awssdk_test

import (
	"bytes"
	"crypto/sha256"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go/aws-http-auth/credentials"
	"github.com/aws/smithy-go/aws-http-auth/sigv4a"
	v4 "github.com/aws/smithy-go/aws-http-auth/v4"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth"
)

// TestSigV4A sends what smithy-go signs with SigV4A, the SDK's own signer being internal to it.
func TestSigV4A(t *testing.T) {
	srv := server(t)
	signer := sigv4a.New()
	for _, c := range []credentials.Credentials{
		{AccessKeyID: keyID, SecretAccessKey: secret}, {AccessKeyID: "ASIASHORT", SecretAccessKey: secret, SessionToken: "session/token+=="},
	} {
		for form, kind := range map[string]v4.SignatureType{"header": v4.SignatureTypeHeader, "query": v4.SignatureTypeQueryString} {
			for _, tt := range requests {
				t.Run(c.AccessKeyID+" "+form+" "+tt.method+" "+tt.target, func(t *testing.T) {
					sign := func(regions ...string) *http.Request {
						target := tt.target
						if kind == v4.SignatureTypeQueryString {
							// This signer writes a blank of the query as a plus and signs %20; a plus is a plus here.
							target = strings.Replace(target, "x=%20y&", "", 1)
							if !strings.Contains(target, "?") {
								target += "?"
							}
							target += "&X-Amz-Expires=60"
						}
						r, err := http.NewRequestWithContext(t.Context(), tt.method, srv.URL+target, bytes.NewReader([]byte(tt.body)))
						require.NoError(t, err)
						sum := sha256.Sum256([]byte(tt.body))
						require.NoError(t, signer.SignRequest(&sigv4a.SignRequestInput{
							Request: r, PayloadHash: sum[:], Credentials: c, Service: "execute-api", RegionSet: regions, Time: time.Now(), SignatureType: kind,
						}))
						return r
					}
					require.Equal(t, "200 arn:aws:iam::111122223333:user/bob "+tt.method+" "+tt.body, do(t, sign("eu-west-1", "us-*")))
					require.Contains(t, do(t, sign("eu-*")), "403 ")
					r := sign(region)
					r.URL.RawQuery += "&evil=1"
					require.Contains(t, do(t, r), "403 ")
				})
			}
		}
	}
}

// TestS3 has the SDK sign as it does for S3: the path as it is, escaped once.
func TestS3(t *testing.T) {
	s3, err := auth.NewSigV4(auth.SigV4Config{
		Region: region, Service: "s3", DisablePathNormalization: true, DisablePathEscaping: true, Credentials: auth.StaticCredentials{keyID: {SecretAccessKey: secret}},
	})
	require.NoError(t, err)
	srv := httptest.NewServer(s3.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	defer srv.Close()
	for _, target := range []string{"/bucket/key", "/bucket/a%20b/%2F/~u", "/bucket//a", "/bucket/%E1%88%B4?list-type=2&prefix=a%2Fb"} {
		for twice, want := range map[bool]string{false: "200 ", true: "403 "} {
			if twice && !strings.Contains(target, "%2F/") {
				continue // nothing to escape twice
			}
			r, err := http.NewRequestWithContext(t.Context(), "GET", srv.URL+target, nil)
			require.NoError(t, err)
			r.Header.Set("X-Amz-Content-Sha256", hash(nil))
			signer := sdk.NewSigner(func(o *sdk.SignerOptions) { o.DisableURIPathEscaping = !twice })
			require.NoError(t, signer.SignHTTP(t.Context(), aws.Credentials{AccessKeyID: keyID, SecretAccessKey: secret}, r, hash(nil), "s3", region, time.Now()))
			require.Contains(t, do(t, r), want, target)
		}
	}
}
