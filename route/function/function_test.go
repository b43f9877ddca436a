package function_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/function"
	"github.com/gatekit-go/gatekit/route/integration"
)

// format is one of the three.
type format struct {
	name   string
	flavor gatekit.Flavor
	config integration.LambdaConfig
}

var formats = []format{
	{"v2", gatekit.HTTP, integration.LambdaConfig{}},
	{"v1", gatekit.HTTP, integration.LambdaConfig{PayloadFormatVersion: "1.0"}},
	{"rest", gatekit.REST, integration.LambdaConfig{BinaryMediaTypes: []string{"image/*", "application/octet-stream"}}},
}

// there is what a handler sees through event and adapter, and what came of it.
func there(t *testing.T, f format, stage, key string, r *http.Request, prepare func(*gatekit.RequestContext, *http.Request), handler http.HandlerFunc) *httptest.ResponseRecorder {
	t.Helper()
	fn := gatekit.Must(function.New(handler, function.Config{}))
	h := gatekit.Must(integration.NewLambda(fn, f.config))
	api := apiOf(f.flavor, stage, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if prepare != nil {
			prepare(gatekit.From(r.Context()), r)
		}
		h.ServeHTTP(w, r)
	}), key)
	return serve(api, r)
}

// Random requests arrive at the handler as they were sent, in all three formats.
func TestRoundTrip(t *testing.T) {
	words := []string{"a", "b c", "é☕", "x+y", "100%", "q=1&2", "<>", `"\`, "~", "ü;ö"}
	pick := func(r *rand.Rand) string { return words[r.IntN(len(words))] }
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		sent := httptest.NewRequest([]string{"GET", "POST", "PUT", "DELETE", "PATCH"}[rnd.IntN(5)], "/", nil)
		path := "/orders/" + strings.ReplaceAll(pick(rnd)+"/"+pick(rnd), `\`, "'") // the router refuses backslashes
		sent.URL.Path = path
		query := sent.URL.Query()
		for range rnd.IntN(4) {
			query.Add(pick(rnd), pick(rnd))
		}
		sent.URL.RawQuery = query.Encode()
		sent.RequestURI = sent.URL.RequestURI()
		sent.Host = "api.example.com"
		sent.RemoteAddr = fmt.Sprintf("192.0.2.%d:1234", rnd.IntN(255))
		for range rnd.IntN(4) {
			sent.Header.Add("X-"+string(rune('A'+rnd.IntN(3))), "v"+fmt.Sprint(rnd.IntN(100)))
		}
		if rnd.IntN(2) == 0 {
			sent.Header["Cookie"] = []string{"a=1; b=\"2\""}
		}
		var body []byte
		if sent.Method == "POST" {
			body = make([]byte, rnd.IntN(100))
			for i := range body {
				body[i] = byte(rnd.Uint32())
			}
			sent.Header.Set("Content-Type", "application/octet-stream")
		}
		for _, f := range formats {
			var header http.Header
			handler := func(w http.ResponseWriter, got *http.Request) {
				require.Equal(t, sent.Method, got.Method)
				require.Equal(t, path, got.URL.Path, f.name)
				require.Equal(t, query, got.URL.Query(), f.name)
				if f.name == "v2" {
					require.Equal(t, sent.URL.RawQuery, got.URL.RawQuery)
				}
				require.Equal(t, "api.example.com", got.Host)
				require.Equal(t, strings.Split(sent.RemoteAddr, ":")[0], gatekit.SourceIP(got).String())
				require.Equal(t, got.RequestURI, got.URL.RequestURI())
				read, err := io.ReadAll(got.Body)
				require.NoError(t, err)
				require.Equal(t, string(body), string(read), f.name)
				require.EqualValues(t, len(body), got.ContentLength)
				header = got.Header
				w.WriteHeader(204)
			}
			r := sent.Clone(t.Context())
			if body != nil {
				r.Body, r.ContentLength = io.NopCloser(strings.NewReader(string(body))), int64(len(body))
			}
			require.Equal(t, 204, there(t, f, "$default", "ANY /orders/{proxy+}", r, nil, handler).Code)
			for name, values := range sent.Header {
				if f.name == "v2" && name != "Cookie" {
					values = []string{strings.Join(values, ",")}
				}
				require.Equal(t, values, header[name], f.name)
			}
			require.NotEmpty(t, header.Get("X-Forwarded-For"))
		}
	}
}

// What the RequestContext knows of event and gateway.
func TestFunctionContext(t *testing.T) {
	cert := certificate(t)
	for _, f := range formats {
		t.Run(f.name, func(t *testing.T) {
			var outer *gatekit.RequestContext
			r := httptest.NewRequest("GET", "https://api.example.com/prod/orders/a%20b", nil)
			r.Header.Set("User-Agent", "agent")
			served := false
			w := there(t, f, "prod", "GET /prod/orders/{id}", r, func(rc *gatekit.RequestContext, r *http.Request) {
				// As route.Stages leaves it.
				r.URL.Path, r.URL.RawPath = "/orders/a b", ""
				rc.Route = &gatekit.Route{Key: "GET /orders/{id}"}
				api := *rc.API
				api.Variables = map[string]string{"k": "v"}
				rc.API = &api
				rc.SetClientCert(cert)
				rc.SetAPIKey("key", "id")
				rc.Authorization = gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: "u", RawClaims: []byte(`{"sub":"u","scope":"r w"}`), Scopes: []string{"r", "w"}})
				rc.SetAuthorizationScopes(&[]string{"r"})
				outer = rc
			}, func(w http.ResponseWriter, r *http.Request) {
				served = true
				rc := gatekit.From(r.Context())
				require.NotSame(t, outer, rc)
				require.Equal(t, "/orders/a b", r.URL.Path)
				require.Equal(t, "a b", r.PathValue("id"))
				require.Equal(t, "/prod/orders/a%20b", rc.Path.Received())
				require.Equal(t, gatekit.API{Flavor: f.flavor, AccountID: identity.AccountID, APIID: identity.APIID, Stage: "prod", Variables: rc.API.Variables, DeploymentID: rc.API.DeploymentID}, *rc.API)
				require.Equal(t, outer.RequestID(), rc.RequestID())
				require.Equal(t, outer.ExtendedRequestID(), rc.ExtendedRequestID())
				require.Equal(t, outer.Time.UnixMilli(), rc.Time.UnixMilli())
				require.Equal(t, "api.example.com", rc.DomainName())
				require.Equal(t, "GET /orders/{id}", rc.RouteKey())
				require.Equal(t, map[string]string{"k": "v"}, rc.API.Variables)
				require.Equal(t, "192.0.2.1", rc.SourceIP().String())
				require.Equal(t, "agent", rc.UserAgent())
				require.True(t, cert.Equal(rc.ClientCert()))
				require.NotNil(t, r.TLS)
				require.Equal(t, "u", rc.Authorization.Principal())
				require.Equal(t, []string{"r", "w"}, rc.Authorization.Scopes())
				if f.name == "rest" {
					key, id := rc.FoundAPIKey()
					require.Equal(t, "key", key)
					require.Equal(t, "id", id)
				}
				fmt.Fprint(w, "ok")
			})
			require.Equal(t, 200, w.Code, w.Body)
			require.True(t, served)
		})
	}
}

// Callers of every kind arrive as they were known outside.
func TestFunctionAuthorization(t *testing.T) {
	caller := gatekit.IAMCaller{
		AccessKey: "ASIA1", AccountID: "123456789012", CallerID: "AROA1:s", UserID: "AROA1:s", UserARN: "arn:aws:sts::123456789012:assumed-role/r/s", PrincipalOrgID: "o-1",
		CognitoIdentityID: "i", CognitoIdentityPoolID: "p", CognitoAuthenticationType: "authenticated", CognitoAuthenticationProvider: "p1,p2",
	}
	for _, f := range formats {
		for name, a := range map[string]*gatekit.Authorization{
			"none":   nil,
			"jwt":    claimsOf(gatekit.AuthorizationFields{Principal: "u7"}),
			"lambda": gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: "p", Context: map[string]any{"tenant": "t9"}}),
			"iam":    gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: caller.UserARN, Caller: &caller}),
		} {
			w := there(t, f, "", "GET /", httptest.NewRequest("GET", "/", nil), func(rc *gatekit.RequestContext, _ *http.Request) { rc.Authorization = a }, func(_ http.ResponseWriter, r *http.Request) {
				got := gatekit.From(r.Context()).Authorization
				switch name {
				case "none":
					require.Nil(t, got)
				case "jwt":
					require.Equal(t, "u7", got.Principal())
					require.Equal(t, a.ClaimStrings(), got.ClaimStrings())
				case "lambda":
					require.Equal(t, map[string]any{"tenant": "t9"}, got.Context(), "and nothing that the event says beside it")
				case "iam":
					seen, ok := got.Caller()
					require.True(t, ok)
					require.Equal(t, caller, seen)
					require.Equal(t, &caller, gatekit.From(r.Context()).Caller())
				}
			})
			require.Equal(t, 200, w.Code, name+f.name)
		}
	}
}

// Answers arrive at the client as the handler gave them.
func TestFunctionAnswers(t *testing.T) {
	for _, f := range formats {
		for name, h := range map[string]http.HandlerFunc{
			"text": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello é") },
			"json": func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(201)
				fmt.Fprint(w, `{"a":"<&>\n"}`)
			},
			"headers": func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Set-Cookie"] = []string{"a=1", "b=2, c"}
				w.Header().Set("X-One", "1")
				w.Header().Set("Content-Type", "text/plain")
				w.Header().Set("Content-Length", "5")
				w.Header().Set("Connection", "close")
				fmt.Fprint(w, "hello")
				w.Header().Set("X-Late", "not sent")
			},
			"hints": func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(103)
				w.Header().Set("Content-Type", "text/plain")
				w.WriteHeader(202)
				w.WriteHeader(500)
				http.NewResponseController(w).Flush()
			},
			"head":    func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") },
			"nothing": func(http.ResponseWriter, *http.Request) {},
		} {
			method := "GET"
			if name == "head" {
				method = "HEAD"
			}
			direct := serve(h, httptest.NewRequest("GET", "/", nil)).Result()
			if name == "hints" {
				direct.StatusCode = 202 // httptest takes the first
				direct.Header = http.Header{"Content-Type": {"text/plain"}}
			}
			w := there(t, f, "", "ANY /", httptest.NewRequest(method, "/", nil), nil, h).Result()
			require.Equal(t, direct.StatusCode, w.StatusCode, name+f.name)
			want, _ := io.ReadAll(direct.Body)
			got, _ := io.ReadAll(w.Body)
			if name == "head" {
				want = nil
			}
			require.Equal(t, string(want), string(got), name+f.name)
			for header, values := range direct.Header {
				if header != "Connection" && header != "Content-Length" {
					require.Equal(t, values, w.Header[header], name+f.name)
				}
			}
			require.NotContains(t, w.Header, "X-Late")
			require.NotContains(t, w.Header, "Connection")
		}
	}
}

// A body that isn't text goes out as base64.
func TestFunctionBase64(t *testing.T) {
	for _, tt := range []struct {
		contentType, encoding, body string
		want                        bool
	}{
		{"text/plain", "", "a", false}, {"application/json", "", "{}", false}, {"application/problem+json; x=y", "", "{}", false}, {"image/svg+xml", "", "<a/>", false},
		{"application/x-www-form-urlencoded", "", "a=1", false}, {"image/png", "", "a", true}, {"text/plain", "gzip", "a", true}, {"text/plain", "identity", "a", false},
		{"text/plain", "", "\xff", true}, {"", "", "plain", false}, {"", "", "\x89PNG\r\n\x1a\n", true}, {"image/png", "", "", false},
	} {
		fn := gatekit.Must(function.New(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if tt.contentType != "" {
				w.Header().Set("Content-Type", tt.contentType)
			}
			if tt.encoding != "" {
				w.Header().Set("Content-Encoding", tt.encoding)
			}
			_, _ = io.WriteString(w, tt.body)
		}), function.Config{}))
		out, err := fn.Invoke(t.Context(), []byte(eventV2))
		require.NoError(t, err)
		m := decoded(t, string(out))
		require.Equal(t, tt.want, m["isBase64Encoded"], tt)
		body := m["body"].(string)
		if tt.want {
			raw, err := base64.StdEncoding.DecodeString(body)
			require.NoError(t, err)
			body = string(raw)
		}
		require.Equal(t, tt.body, body)
	}
}

func TestFunctionFaults(t *testing.T) {
	invoke := func(c function.Config, h http.HandlerFunc) error {
		_, err := gatekit.Must(function.New(h, c)).Invoke(t.Context(), []byte(eventV2))
		return err
	}
	require.ErrorContains(t, invoke(function.Config{}, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), "aborted")
	require.PanicsWithValue(t, "own", func() {
		_ = invoke(function.Config{}, func(http.ResponseWriter, *http.Request) { panic("own") })
	})
	require.ErrorContains(t, invoke(function.Config{MaxReplyBytes: 100}, func(w http.ResponseWriter, _ *http.Request) {
		_, err := w.Write(make([]byte, 101))
		require.Error(t, err)
	}), "larger than MaxReplyBytes")
	require.ErrorContains(t, invoke(function.Config{MaxReplyBytes: 100}, func(w http.ResponseWriter, _ *http.Request) {
		_, err := w.Write(make([]byte, 90)) // fits, but not as JSON
		require.NoError(t, err)
	}), "larger than MaxReplyBytes")
	require.NoError(t, invoke(function.Config{}, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(204)
		_, err := io.WriteString(w, "x")
		require.ErrorIs(t, err, http.ErrBodyNotAllowed)
	}))
	require.Panics(t, func() {
		_ = invoke(function.Config{}, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(1000) })
	})
	_, err := function.New(nil, function.Config{BasePath: "a b", MaxReplyBytes: -1})
	require.ErrorContains(t, err, "want a handler, got nil")
	require.ErrorContains(t, err, `BasePath: want segments without escapes, got "a b"`)
	require.ErrorContains(t, err, "MaxReplyBytes: want 0 to")
}

// The function is what lambda.Start takes: its bytes pass through the library as they are.
func TestFunctionIsAHandler(t *testing.T) {
	fn := gatekit.Must(function.New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		require.Equal(t, context.Canceled, r.Context().Err())
		fmt.Fprint(w, "hi")
	}), function.Config{}))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	out, err := lambda.NewHandler(fn).Invoke(ctx, []byte(eventV2))
	require.NoError(t, err)
	require.JSONEq(t, `{"statusCode":200,"headers":{"Content-Type":"text/plain; charset=utf-8"},"body":"hi","isBase64Encoded":false}`, string(out))
	_, err = fn.Invoke(ctx, []byte("{}"))
	require.False(t, errors.Is(err, context.Canceled))
}

// The inner chain's routes, where the gateway in front has one for all.
func TestRouterBehindOneRoute(t *testing.T) {
	inner := apiOf(gatekit.HTTP, "", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, gatekit.From(r.Context()).RouteKey(), " ", r.PathValue("id"))
	}), "GET /orders/{id}")
	for _, f := range formats {
		w := there(t, f, "", "ANY /{proxy+}", httptest.NewRequest("GET", "/orders/7", nil), nil, inner.ServeHTTP)
		require.Equal(t, "GET /orders/{id} 7", w.Body.String(), f.name)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /orders/{id}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, gatekit.RouteKey(r), " ", r.PathValue("id"))
	})
	for _, f := range formats {
		w := there(t, f, "", "$default", httptest.NewRequest("GET", "/orders/7", nil), nil, mux.ServeHTTP)
		require.Equal(t, "GET /orders/{id} 7", w.Body.String(), f.name)
	}
}
