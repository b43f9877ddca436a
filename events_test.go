package gatekit_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	cryptorand "crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/domain"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/integration"
)

// onlyAuthorizers and onlyFunctions are the members that the documentation gives one of the two
// events.
var (
	onlyAuthorizers = []string{"type", "methodArn", "routeArn", "identitySource", "authorizationToken"}
	onlyFunctions   = []string{"body", "isBase64Encoded"}
)

// sameEvent compares the event that judged a request with the one that served it, field by field.
func sameEvent(t *testing.T, r *http.Request, judged, served []byte) {
	t.Helper()
	var a, f map[string]any
	require.NoError(t, json.Unmarshal(judged, &a))
	require.NoError(t, json.Unmarshal(served, &f))
	require.Equal(t, "REQUEST", a["type"])
	for _, name := range onlyAuthorizers {
		require.NotContains(t, f, name)
		delete(a, name)
	}
	for _, name := range onlyFunctions {
		require.NotContains(t, a, name)
		delete(f, name)
	}
	require.NotContains(t, a["requestContext"], "authorizer")
	delete(f["requestContext"].(map[string]any), "authorizer")
	for _, name := range []string{"queryStringParameters", "multiValueQueryStringParameters", "pathParameters", "stageVariables"} {
		if value, ok := f[name]; ok && value == nil { // the documentation's {}, the recordings' null
			require.Equal(t, map[string]any{}, a[name], name)
			delete(a, name)
			delete(f, name)
		}
	}
	for _, maps := range [][2]any{{a["headers"], f["headers"]}, {a["multiValueHeaders"], f["multiValueHeaders"]}} {
		mine, _ := maps[0].(map[string]any)
		its, _ := maps[1].(map[string]any)
		for name := range its {
			if strings.EqualFold(name, "Content-Length") && r.ContentLength < 0 {
				delete(its, name) // of a body that comes in chunks nobody knows the length before it was read
			}
		}
		for name := range mine {
			if strings.EqualFold(name, "Authorization") && strings.HasPrefix(r.Header.Get(name), "AWS4-") {
				delete(mine, name) // a signature goes no further than the authorizer
			}
		}
	}
	require.Equal(t, a, f, "%s %s", r.Method, r.RequestURI)
}

func clientCertificate(t *testing.T) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), cryptorand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(0xa1b2), Subject: pkix.Name{Country: []string{"DE"}, CommonName: "c"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(cryptorand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return cert
}

// judgedAndServed is an API under two stages and two names whose routes have an authorizer and a
// function, which keep their events.
func judgedAndServed(t *testing.T, flavor gatekit.Flavor, format string) (h http.Handler, judged, served *[]byte) {
	t.Helper()
	judged, served = new([]byte), new([]byte)
	asked := invokerFunc(func(_ context.Context, payload []byte) ([]byte, error) {
		*judged = payload
		return []byte(`{"principalId":"u","policyDocument":{"Version":"2012-10-17","Statement":[{"Action":"*","Effect":"Allow","Resource":"*"}]},"context":{"k":1}}`), nil
	})
	answers := invokerFunc(func(_ context.Context, payload []byte) ([]byte, error) {
		*served = payload
		return []byte(`{"statusCode":200}`), nil
	})
	authorizer := gatekit.Must(auth.NewLambda(asked, auth.LambdaConfig{PayloadFormatVersion: format, CacheConfig: auth.CacheConfig{TTL: auth.Off}}))
	f := gatekit.Must(integration.NewLambda(answers, integration.LambdaConfig{PayloadFormatVersion: format}))
	api := gatekit.Must(route.New(route.Config{API: gatekit.API{Flavor: flavor, APIID: "a1b2c3d4e5", AccountID: "123456789012", Region: "eu-central-1"}}))
	api.UseMatched(authorizer.Middleware)
	named := gatekit.Must(route.OperationName("op"))
	for _, key := range []string{"ANY /", "ANY /{x}", "ANY /pets/{id}/{proxy+}", "GET /a/b", "ANY /{x}/b/{y}"} {
		api.Handle(key, f, named)
	}
	all := []route.Stage{{Name: "s", API: api, Variables: map[string]string{"k": "v=#1"}}, {Name: "bare", API: api}}
	if flavor == gatekit.HTTP {
		all = append(all, route.Stage{Name: "$default", API: api})
	}
	stages := gatekit.Must(route.NewStages(all...))
	s, err := stages.Handler("s")
	require.NoError(t, err)
	h = gatekit.Must(domain.New(t.Context(), domain.Config{Names: []domain.Name{
		{Host: generatedHost, Mappings: []domain.Mapping{{Handler: stages}}},
		{Host: customHost, Mappings: []domain.Mapping{{BasePath: "base", Handler: s}, {BasePath: "all", Handler: stages}, {Handler: stages}}},
	}}))
	return h, judged, served
}

// An authorizer's function is told of the request that the integration's function gets, and of no
// other: every field of both events, in every flavor and format, over odd requests.
func TestOneEventForOneRequest(t *testing.T) {
	cert := clientCertificate(t)
	segments := []string{"pets", "a", "b", "a%2Bb", "x%2Fy", "z%20z", "%E2%98%95", "", "", "c;d=1", "%25", "%3b", "é", "a+b", "~", "%C3%A9", "100%25", "%2e", ".x"}
	queries := []string{"", "a=1", "a=1&a=2", "%zz", "a=%zz&b", "a+b=c+d&&=x", "q=%C3%A9&q=é", "x=1;y=2", "%3Ca%3E=%26&a"}
	headers := [][2]string{
		{"X-Probe", "first"}, {"X-Probe", "second"}, {"Cookie", "a=1; b=\"2\";;c"}, {"Cookie", "d"}, {"X-Forwarded-For", "203.0.113.9"}, {"X-Forwarded-Proto", "spoofed"},
		{"X-Amzn-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793"}, {"X-Amzn-Trace-Id", "Self=x"}, {"X-Api-Key", "0123456789abcdef0123"}, {"Authorization", "AWS4-HMAC-SHA256 x"},
		{"Authorization", "Bearer x"}, {"User-Agent", "agent <1>"}, {"Connection", "x-probe"}, {"Te", "trailers"}, {"Expect", "y"}, {"Content-Type", "text/plain"}, {"Via", "1.1 v"},
		{"X-Amzn-Requestid", "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"}, {"Upgrade", "h2c"}, {"Content-Length", "999"}, {"Host", "forged"}, {"X-\u00e9", "odd"},
	}
	for _, f := range []struct {
		name, format string
		flavor       gatekit.Flavor
	}{{"v2", "2.0", gatekit.HTTP}, {"v1", "1.0", gatekit.HTTP}, {"rest", "", gatekit.REST}} {
		t.Run(f.name, func(t *testing.T) {
			h, judged, served := judgedAndServed(t, f.flavor, f.format)
			reached := 0
			for seed := range uint64(3000) {
				rnd := rand.New(rand.NewPCG(seed, 1))
				path := []string{"/s", "/bare", "", "/base", "/all/s", "/all/bare"}[rnd.IntN(6)]
				for range 1 + rnd.IntN(5) {
					path += "/" + segments[rnd.IntN(len(segments))]
				}
				target := path
				if q := queries[rnd.IntN(len(queries))]; q != "" {
					target += "?" + q
				}
				u, err := url.ParseRequestURI(target)
				if err != nil || strings.HasPrefix(target, "//") {
					u = &url.URL{Path: path}
				}
				r := httptest.NewRequest([]string{"GET", "POST", "DELETE"}[rnd.IntN(3)], "/", nil)
				r.URL, r.RequestURI = u, target
				r.Host = []string{generatedHost, customHost, customHost + ":8443"}[rnd.IntN(3)]
				r.RemoteAddr = []string{"192.0.2.1:4711", "[2001:db8::1]:1", "@"}[rnd.IntN(3)]
				for range rnd.IntN(8) {
					header := headers[rnd.IntN(len(headers))]
					r.Header[header[0]] = append(r.Header[header[0]], header[1])
				}
				if r.Method == "POST" {
					r.Body, r.ContentLength = io.NopCloser(strings.NewReader("body")), []int64{4, -1}[rnd.IntN(2)]
				}
				switch rnd.IntN(3) {
				case 0:
					r.TLS = &tls.ConnectionState{}
				case 1:
					r.TLS = &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{cert}}}
				}
				*judged, *served = nil, nil
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				require.Equal(t, *judged == nil, *served == nil, "%d %s %s", w.Code, r.Method, target)
				if *judged != nil {
					reached++
					sameEvent(t, r, *judged, *served)
				}
			}
			require.Greater(t, reached, 300, "the requests are to get somewhere")
		})
	}
}

// The request of the issue, by its values.
func TestBothEventsKeepEscapes(t *testing.T) {
	for _, tt := range []struct {
		format, path string
		flavor       gatekit.Flavor
		parameters   map[string]any
	}{
		{"", "/s/pets/a%2Bb/x%2Fy/z%20z", gatekit.REST, map[string]any{"id": "a%2Bb", "proxy": "x%2Fy/z%20z"}},
		{"1.0", "/s/pets/a+b/x/y/z z", gatekit.HTTP, map[string]any{"id": "a+b", "proxy": "x/y/z z"}},
	} {
		h, judged, served := judgedAndServed(t, tt.flavor, tt.format)
		r := httptest.NewRequest("GET", "/s/pets/a%2Bb/x%2Fy/z%20z", nil)
		r.Host = generatedHost
		h.ServeHTTP(httptest.NewRecorder(), r)
		for name, payload := range map[string][]byte{"authorizer": *judged, "function": *served} {
			var e struct {
				PathParameters map[string]any
				RequestContext map[string]any
				Headers        map[string]string
			}
			require.NoError(t, json.Unmarshal(payload, &e))
			require.Equal(t, tt.parameters, e.PathParameters, name)
			require.Equal(t, tt.path, e.RequestContext["path"], name)
			require.Regexp(t, `^Root=1-[0-9a-f]{8}-[0-9a-f]{24}`, e.Headers["X-Amzn-Trace-Id"], name)
			if tt.flavor == gatekit.REST {
				require.Equal(t, "op", e.RequestContext["operationName"], name)
			} else {
				require.NotContains(t, e.RequestContext, "operationName", "HTTP APIs never send it")
			}
		}
	}
}

// A REST API's events have the key that the request carries, for an authorizer that looks it up;
// its ID once a plan has found it.
func TestEventsAPIKey(t *testing.T) {
	for _, tt := range []struct {
		name   string
		flavor gatekit.Flavor
		format string
		keys   []string
		want   any
	}{
		{"rest", gatekit.REST, "", []string{"k1"}, "k1"},
		{"rest-without", gatekit.REST, "", nil, nil},
		{"rest-two", gatekit.REST, "", []string{"k1", "k2"}, nil},
		{"http", gatekit.HTTP, "1.0", []string{"k1"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h, judged, served := judgedAndServed(t, tt.flavor, tt.format)
			r := httptest.NewRequest("GET", "/s/a", nil)
			r.Host = generatedHost
			r.Header["X-Api-Key"] = tt.keys
			h.ServeHTTP(httptest.NewRecorder(), r)
			for _, payload := range [][]byte{*judged, *served} {
				var e struct {
					RequestContext struct{ Identity map[string]any }
				}
				require.NoError(t, json.Unmarshal(payload, &e))
				require.Equal(t, tt.want, e.RequestContext.Identity["apiKey"])
				require.NotContains(t, e.RequestContext.Identity, "apiKeyId")
			}
		})
	}
	_, r := gatekit.Attach(httptest.NewRequest("GET", "/", nil))
	gatekit.From(r.Context()).API = &gatekit.API{Flavor: gatekit.REST}
	gatekit.From(r.Context()).SetAPIKey("found", "id")
	r.Header.Set("X-Api-Key", "sent")
	value, id := gatekit.APIKey(r)
	require.Equal(t, "found id", fmt.Sprint(value, " ", id), "what a plan found counts")
	gatekit.From(r.Context()).API = &gatekit.API{Flavor: gatekit.HTTP}
	value, id = gatekit.APIKey(r)
	require.Empty(t, value+id, "HTTP APIs have no keys")
	value, id = gatekit.APIKey(httptest.NewRequest("GET", "/", nil))
	require.Empty(t, value+id, "outside a gateway")
}
