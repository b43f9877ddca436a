package awssdk_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/integration"
	"github.com/gatekit-go/gatekit/transform"
)

// TestServiceSignatures: what NewService signs with a key of the SDK's provider, the SDK's own signer signs alike, of every protocol.
func TestServiceSignatures(t *testing.T) {
	var provider aws.CredentialsProvider = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: keyID, SecretAccessKey: secret, SessionToken: "session/token+=="}, nil
	})
	for service, tt := range map[string]struct {
		uri, method, target, body string
		parameters                map[string]string
	}{
		"sqs":      {"sqs:path/123456789012/{queue}", "POST", "/a%20b", "Action=SendMessage&MessageBody=x%20y", map[string]string{"integration.request.path.queue": "method.request.path.key", "integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"}},
		"sns":      {"sns:action/Publish&Subject=a%20b", "POST", "/x?m=1%2B2%203~", "", map[string]string{"integration.request.querystring.Message": "method.request.querystring.m"}},
		"dynamodb": {"dynamodb:action/GetItem", "POST", "/x", `{"TableName":"t"}`, nil},
		"s3":       {"bucket.s3:path/a//{key}", "PUT", "/(x)%2F%C3%A4!*'?v=2", "text", map[string]string{"integration.request.path.key": "method.request.path.key", "integration.request.querystring.versionId": "method.request.querystring.v", "integration.request.header.x-amz-acl": "'private'"}},
	} {
		t.Run(service, func(t *testing.T) {
			var mu sync.Mutex
			var got, want string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
				if err != nil {
					t.Error(err)
				}
				again, _ := http.NewRequest(r.Method, "http://"+r.Host+r.RequestURI, nil) // the SDK would sign the body's length, too
				for name, values := range r.Header {
					if strings.HasPrefix(name, "X-Amz-") || name == "Content-Type" {
						again.Header[name] = values
					}
				}
				key, _ := provider.Retrieve(r.Context())
				signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = service == "s3" })
				if err := signer.SignHTTP(r.Context(), key, again, hash(body), service, region, at); err != nil {
					t.Error(err)
				}
				mu.Lock()
				got, want = r.Header.Get("Authorization"), again.Header.Get("Authorization")
				mu.Unlock()
			}))
			defer server.Close()
			uri := "arn:aws:apigateway:" + region + ":" + tt.uri
			call, err := integration.NewService(t.Context(), integration.ServiceConfig{
				URI: uri, Endpoint: server.URL, Credentials: func(ctx context.Context) (integration.Credentials, error) {
					c, err := provider.Retrieve(ctx)
					return integration.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken}, err
				},
			})
			require.NoError(t, err)
			method, err := transform.NewREST(transform.RESTConfig{
				Type: transform.AWS, URI: uri, RequestParameters: tt.parameters, IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 200}},
			})
			require.NoError(t, err)
			api := gatekit.Must(route.New(route.Config{API: gatekit.API{Flavor: gatekit.REST}}))
			api.Handle("ANY /{key}", call, method.Middleware)
			w := httptest.NewRecorder()
			api.ServeHTTP(w, httptest.NewRequest(tt.method, tt.target, strings.NewReader(tt.body)))
			require.Equal(t, 200, w.Code, w.Body)
			mu.Lock()
			defer mu.Unlock()
			require.NotEmpty(t, want)
			require.Equal(t, want, got)
		})
	}
}
