package bench

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/awslabs/aws-lambda-go-api-proxy/core"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/function"
	"github.com/gatekit-go/gatekit/route/integration"
)

const lambdaBody = `{"item":"book","count":2,"note":"as a present"}`

var lambdaAPI = gatekit.API{Region: "us-east-1", AccountID: "111122223333", APIID: "a1b2c3d4e5", Stage: "$default"}

// orderRequest is an ordinary request behind a JWT authorizer, as a route's handler sees it.
func orderRequest(b *testing.B) (*http.Request, *strings.Reader) {
	body := strings.NewReader(lambdaBody)
	r := httptest.NewRequest("POST", "/orders/7?expand=items&expand=prices&lang=en%2DUS", io.NopCloser(body))
	r.ContentLength = int64(len(lambdaBody))
	for name, value := range map[string]string{
		"Accept": "application/json", "Accept-Encoding": "gzip, deflate, br", "Content-Type": "application/json", "Content-Length": "47",
		"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36", "Authorization": "Bearer " + strings.Repeat("x", 300),
		"X-Amzn-Trace-Id": "Root=1-5759e988-bd862e3fe1be46a994272793", "Cookie": "session=abc123; theme=dark",
	} {
		r.Header.Set(name, value)
	}
	var seen *http.Request
	api := gatekit.Must(route.New(route.Config{API: lambdaAPI}))
	api.Handle("POST /orders/{id}", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		gatekit.From(r.Context()).Authorization = gatekit.NewAuthorization(gatekit.AuthorizationFields{
			Principal: "user-7", RawClaims: []byte(`{"sub":"user-7","iss":"https://idp.example.com","aud":"orders","exp":1700003600,"iat":1700000000,"scope":"orders:read orders:write"}`),
		})
		seen = r
	}))
	api.ServeHTTP(httptest.NewRecorder(), r)
	if seen == nil {
		b.Fatal("no route")
	}
	return seen, body
}

// fillEvent fills the struct of aws-lambda-go, as a program without gatekit would, and encodes it.
func fillEvent(r *http.Request) ([]byte, error) {
	rc := gatekit.From(r.Context())
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	headers := make(map[string]string, len(r.Header)+4)
	var cookies []string
	for name, values := range r.Header {
		if name == "Cookie" {
			for _, line := range values {
				for cookie := range strings.SplitSeq(line, ";") {
					cookies = append(cookies, strings.TrimSpace(cookie))
				}
			}
			continue
		}
		headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	host, _, _ := strings.Cut(r.RemoteAddr, ":")
	headers["host"], headers["x-forwarded-for"], headers["x-forwarded-port"], headers["x-forwarded-proto"] = r.Host, host, "80", "http"
	query := map[string]string{}
	for name, values := range r.URL.Query() {
		query[name] = strings.Join(values, ",")
	}
	prefix, _, _ := strings.Cut(r.Host, ".")
	return json.Marshal(events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: rc.RouteKey(), RawPath: r.URL.Path, RawQueryString: r.URL.RawQuery, Cookies: cookies, Headers: headers,
		QueryStringParameters: query, PathParameters: map[string]string{"id": r.PathValue("id")},
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey: rc.RouteKey(), AccountID: rc.API.AccountID, Stage: rc.API.Stage, RequestID: rc.RequestID(), APIID: rc.API.APIID, DomainName: rc.DomainName(), DomainPrefix: prefix,
			Time: rc.Time.UTC().Format("02/Jan/2006:15:04:05 -0700"), TimeEpoch: rc.Time.UnixMilli(),
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
				Method: r.Method, Path: r.URL.Path, Protocol: "HTTP/1.1", SourceIP: rc.SourceIP().String(), UserAgent: rc.UserAgent(),
			},
			Authorizer: &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
				JWT: &events.APIGatewayV2HTTPRequestContextAuthorizerJWTDescription{Claims: rc.Authorization.ClaimStrings()},
			},
		},
		Body: string(body),
	})
}

type noFunction struct{}

func (noFunction) Invoke(context.Context, []byte) ([]byte, error) { return nil, nil }

// BenchmarkLambdaEvent turns a request into the JSON of an event in payload format 2.0.
func BenchmarkLambdaEvent(b *testing.B) {
	h := gatekit.Must(integration.NewLambda(noFunction{}, integration.LambdaConfig{}))
	for _, by := range []struct {
		name string
		make func(*http.Request) ([]byte, error)
	}{
		{"gatekit", h.Event},
		{"aws-lambda-go+encoding/json", fillEvent},
	} {
		b.Run("by="+by.name, func(b *testing.B) {
			r, body := orderRequest(b)
			b.ReportAllocs()
			for b.Loop() {
				body.Reset(lambdaBody)
				payload, err := by.make(r)
				if err != nil || len(payload) < 1000 {
					b.Fatal(err, len(payload))
				}
			}
		})
	}
}

// BenchmarkLambdaRequest turns the JSON of an event in payload format 2.0 into a request.
func BenchmarkLambdaRequest(b *testing.B) {
	r, _ := orderRequest(b)
	payload, err := gatekit.Must(integration.NewLambda(noFunction{}, integration.LambdaConfig{})).Event(r)
	if err != nil {
		b.Fatal(err)
	}
	check := func(b *testing.B, r *http.Request, err error) {
		if err != nil || r.URL.Path != "/orders/7" || r.Header.Get("Accept") != "application/json" {
			b.Fatal(err)
		}
	}
	b.Run("by=gatekit", func(b *testing.B) {
		f := gatekit.Must(function.New(http.NotFoundHandler(), function.Config{}))
		b.ReportAllocs()
		for b.Loop() {
			r, err := f.Request(b.Context(), payload)
			check(b, r, err)
		}
	})
	b.Run("by=aws-lambda-go-api-proxy", func(b *testing.B) {
		var accessor core.RequestAccessorV2
		b.ReportAllocs()
		for b.Loop() {
			var e events.APIGatewayV2HTTPRequest
			if err := json.Unmarshal(payload, &e); err != nil {
				b.Fatal(err)
			}
			r, err := accessor.EventToRequestWithContext(b.Context(), e)
			check(b, r, err)
		}
	})
}
