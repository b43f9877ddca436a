package integration_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/policy"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/integration"
	"github.com/gatekit-go/gatekit/transform"
)

// What a client sends reaches the service where a mapping puts it, and decides nothing else: not
// who is called, for what, or with whose signature.
func TestServiceAttacks(t *testing.T) {
	mapped := func(uri string, parameters map[string]string) transform.RESTConfig {
		return transform.RESTConfig{URI: serviceARN + uri, HTTPMethod: "POST", RequestParameters: parameters}
	}
	query := func(name string) string { return "method.request.querystring." + name }
	for _, tt := range []struct {
		name, service string
		config        transform.RESTConfig
		target        string
		status        int
		want          func(t *testing.T, got called) // nil: nobody is called
	}{
		{"header-injection", "sqs", mapped("sqs:path/1/q", map[string]string{"integration.request.header.X-A": query("a")}), "/?a=x%0d%0aX-Evil:%201", 200, func(t *testing.T, got called) {
			require.NotContains(t, got.header, "X-Evil")
			require.Equal(t, "x  X-Evil: 1", got.header.Get("X-A"))
		}},
		{"signed-header-injection", "sqs", mapped("sqs:path/1/q", map[string]string{"integration.request.header.X-Amz-Meta-A": query("a")}), "/?a=x%0d%0ay%20%20z", 200, func(t *testing.T, got called) {
			require.NotContains(t, got.header.Get("X-Amz-Meta-A"), "\n")
		}},
		{"host-by-mapping", "sqs", mapped("sqs:path/1/q", map[string]string{"integration.request.header.Host": query("a")}), "/?a=evil.example.com", 200, func(*testing.T, called) {}},
		{"host-by-template", "sqs", transform.RESTConfig{URI: serviceARN + "sqs:path/1/q", HTTPMethod: "POST", RequestTemplates: map[string]string{
			"application/json": `#set($context.requestOverride.header.Host = "evil.example.com")x`,
		}}, "/", 200, func(*testing.T, called) {}},
		{"authorization", "sqs", mapped("sqs:path/1/q", map[string]string{"integration.request.header.Authorization": query("a")}), "/?a=x", 500, nil},
		{"date", "sqs", mapped("sqs:path/1/q", map[string]string{"integration.request.header.X-Amz-Date": query("a")}), "/?a=20000101T000000Z", 200, func(t *testing.T, got called) {
			require.NotContains(t, got.header["X-Amz-Date"], "20000101T000000Z")
		}},
		{"token", "sqs", mapped("sqs:path/1/q", map[string]string{"integration.request.header.X-Amz-Security-Token": query("a")}), "/?a=x", 200, func(t *testing.T, got called) {
			require.Equal(t, []string{testKey.SessionToken}, got.header["X-Amz-Security-Token"])
		}},
		{"unsigned-payload", "sqs", mapped("sqs:path/1/q", map[string]string{"integration.request.header.X-Amz-Content-Sha256": query("a")}), "/?a=UNSIGNED-PAYLOAD", 200, func(t *testing.T, got called) {
			require.Len(t, got.header.Get("X-Amz-Content-Sha256"), 64)
		}},
		{"hop-by-hop", "sqs", mapped("sqs:path/1/q", map[string]string{"integration.request.header.Upgrade": query("a"), "integration.request.header.Keep-Alive": query("a")}), "/?a=h2c", 200, func(t *testing.T, got called) {
			require.NotContains(t, got.header, "Upgrade")
			require.NotContains(t, got.header, "Keep-Alive")
		}},
		{"another-target", "dynamodb", mapped("dynamodb:action/GetItem", map[string]string{"integration.request.header.X-Amz-Target": query("a")}), "/?a=DynamoDB_20120810.DeleteTable", 200, func(t *testing.T, got called) {
			require.Equal(t, []string{"DynamoDB_20120810.GetItem"}, got.header["X-Amz-Target"])
		}},
		{"a-target-for-a-query", "sqs", mapped("sqs:action/SendMessage", map[string]string{"integration.request.header.X-Amz-Target": query("a")}), "/?a=AmazonSQS.DeleteQueue", 200, func(t *testing.T, got called) {
			require.NotContains(t, got.header, "X-Amz-Target")
			require.Contains(t, got.uri, "Action=SendMessage")
		}},
		{"a-target-of-the-clients", "newservice", mapped("newservice:action/DoIt", map[string]string{"integration.request.header.X-Amz-Target": query("a")}), "/?a=New_1.Undo", 500, nil},
		{"a-target-that-ends-alike", "newservice", mapped("newservice:action/DoIt", map[string]string{"integration.request.header.X-Amz-Target": query("a")}), "/?a=New_1.UnDoIt", 500, nil},
		{"no-target", "newservice", mapped("newservice:action/DoIt", map[string]string{"integration.request.header.X-Amz-Target": query("a")}), "/", 200, func(t *testing.T, got called) {
			require.Contains(t, got.uri, "Action=DoIt")
		}},
		{"another-action", "sqs", mapped("sqs:action/SendMessage", map[string]string{"integration.request.querystring.Action": query("a")}), "/?a=DeleteQueue", 200, func(t *testing.T, got called) {
			u, err := url.ParseRequestURI(got.uri)
			require.NoError(t, err)
			require.Equal(t, []string{"SendMessage"}, u.Query()["Action"])
		}},
		{"action-in-a-value", "sqs", mapped("sqs:action/SendMessage", map[string]string{"integration.request.querystring.MessageBody": query("a")}), "/?a=x%26Action%3DDeleteQueue%23", 200, func(t *testing.T, got called) {
			u, err := url.ParseRequestURI(got.uri)
			require.NoError(t, err)
			require.Equal(t, url.Values{"Action": {"SendMessage"}, "Version": {"2012-11-05"}, "MessageBody": {"x&Action=DeleteQueue#"}}, u.Query())
		}},
		{"traversal", "s3", mapped("s3:path/photos/{key}", map[string]string{"integration.request.path.key": query("a")}), "/?a=..", 400, nil},
		{"traversal-encoded", "s3", mapped("s3:path/photos/{key}", map[string]string{"integration.request.path.key": query("a")}), "/?a=%2e%2e", 400, nil},
		{"traversal-within", "s3", mapped("s3:path/photos/{key}", map[string]string{"integration.request.path.key": query("a")}), "/?a=x/../../secrets/key", 400, nil},
		{"traversal-backslash", "s3", mapped("s3:path/photos/{key}", map[string]string{"integration.request.path.key": query("a")}), `/?a=..%5c..%5csecrets`, 400, nil},
		{"nul", "s3", mapped("s3:path/photos/{key}", map[string]string{"integration.request.path.key": query("a")}), "/?a=x%00y", 400, nil},
		{"query-in-a-path", "s3", mapped("s3:path/photos/{key}", map[string]string{"integration.request.path.key": query("a")}), "/?a=x%3Facl%23", 200, func(t *testing.T, got called) {
			require.Equal(t, "/photos/x%3Facl%23", got.uri)
		}},
		{"scheme-in-a-path", "s3", mapped("s3:path/{key}", map[string]string{"integration.request.path.key": query("a")}), "/?a=//evil.example.com/x", 200, func(t *testing.T, got called) {
			require.Equal(t, "///evil.example.com/x", got.uri)
		}},
		{"traversal-by-template", "s3", transform.RESTConfig{URI: serviceARN + "s3:path/photos/{key}", HTTPMethod: "PUT", RequestTemplates: map[string]string{
			"application/json": `#set($context.requestOverride.path.key = $input.params('a'))x`,
		}}, "/?a=../secrets", 400, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := newEmulator(t, tt.service, region, func(http.ResponseWriter, *http.Request) {})
			h := restService(t, "POST /", e.URL, tt.config)
			w := ask(h, "POST", tt.target, "{}", "Content-Type", "application/json")
			require.Equal(t, tt.status, w.Code, w.Body)
			if tt.want == nil {
				require.Zero(t, e.count())
				return
			}
			got := e.last(t)
			require.Equal(t, addressOf(e.Server), got.host)
			tt.want(t, got)
		})
	}
}

// A form in the body names no other action than the URI's, in whatever spelling; the same one, and
// a body that is no form, pass.
func TestActionInABody(t *testing.T) {
	e := newEmulator(t, "sqs", region, func(http.ResponseWriter, *http.Request) {})
	h := restService(t, "POST /", e.URL, transform.RESTConfig{URI: serviceARN + "sqs:action/SendMessage", HTTPMethod: "POST"})
	for _, body := range []string{
		"Action=DeleteQueue", "MessageBody=x&Action=DeleteQueue", "%41ction=DeleteQueue", "Action=SendMessage&Action=DeleteQueue", "Action", "Action=%zz",
	} {
		require.Equal(t, 500, ask(h, "POST", "/", body, "Content-Type", "application/x-www-form-urlencoded").Code, body)
	}
	require.Zero(t, e.count())
	for _, body := range []string{"Action=SendMessage&MessageBody=x", "MessageBody=Action%3DDeleteQueue", `{"Action":"DeleteQueue"}`, ""} {
		require.Equal(t, 200, ask(h, "POST", "/", body, "Content-Type", "application/x-www-form-urlencoded").Code, body)
	}
}

// A Service signs nothing that transform.REST hasn't made for it.
func TestServiceUnmapped(t *testing.T) {
	e := newEmulator(t, "s3", region, func(http.ResponseWriter, *http.Request) {})
	s := newService(t, integration.ServiceConfig{URI: serviceARN + "s3:path/photos", Endpoint: e.URL})
	with := func(c transform.RESTConfig) http.Handler {
		c.IntegrationResponses = []transform.IntegrationResponse{{StatusCode: 200}}
		return gatekit.Must(transform.NewREST(c)).Middleware(s)
	}
	for name, h := range map[string]http.Handler{
		"alone":           s,
		"no-uri":          with(transform.RESTConfig{Type: transform.AWS}),
		"another-service": with(transform.RESTConfig{Type: transform.AWS, URI: serviceARN + "sqs:path/photos"}),
		"another-region":  with(transform.RESTConfig{Type: transform.AWS, URI: "arn:aws:apigateway:us-east-1:s3:path/photos"}),
		"a-proxy":         with(transform.RESTConfig{Type: transform.HTTPProxy, URI: "http://s3.example.com/{x}"}),
		"aws-proxy":       with(transform.RESTConfig{Type: transform.AWSProxy}),
	} {
		for _, target := range []string{"/photos/x", "https://s3.eu-west-1.amazonaws.com/photos/x"} {
			w := ask(h, "PUT", target, "x", "Host", "s3.eu-west-1.amazonaws.com")
			require.Equal(t, 500, w.Code, name)
		}
	}
	require.Zero(t, e.count())
}

// Bodies have bounds in both directions, whether or not they say how long they are.
func TestServiceSizes(t *testing.T) {
	length := ""
	e := newEmulator(t, "sqs", region, func(w http.ResponseWriter, r *http.Request) {
		if length != "" {
			w.Header().Set("Content-Length", length)
		}
		_, _ = io.WriteString(w, strings.Repeat("x", 101))
		w.(http.Flusher).Flush() // or net/http says how long it is
	})
	c := integration.ServiceConfig{URI: serviceARN + "sqs:path/1/q", Endpoint: e.URL, MaxRequestBytes: 100, MaxResponseBytes: 100, Credentials: credentials}
	m := gatekit.Must(transform.NewREST(transform.RESTConfig{Type: transform.AWS, URI: c.URI, IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 200}}}))
	rest := func(body string) int {
		describe := gatekit.Must(gatekit.Describe(gatekit.API{Flavor: gatekit.REST}))
		return ask(gatekit.Chain(newService(t, c), describe, m.Middleware), "POST", "/", body).Code
	}
	require.Equal(t, 413, rest(strings.Repeat("x", 101)))
	require.Zero(t, e.count())
	require.Equal(t, 502, rest("x"))
	length = "101"
	require.Equal(t, 502, rest("x"))
	length = "200" // and breaks off
	require.Equal(t, 502, rest("x"))
	c.MaxResponseBytes = 1000
	require.Equal(t, 504, rest("x"))
	length = ""
	require.Equal(t, 200, rest("x"))
	require.Equal(t, 413, ask(httpService(t, integration.ServiceConfig{
		Subtype: "SQS-SendMessage", RequestParameters: map[string]string{"QueueUrl": "q", "MessageBody": "$request.body"}, Endpoint: e.URL, MaxRequestBytes: 100,
	}), "POST", "/orders/1", strings.Repeat("x", 101)).Code)
	w := ask(httpService(t, integration.ServiceConfig{
		Subtype: "SQS-PurgeQueue", RequestParameters: map[string]string{"QueueUrl": "q"}, Endpoint: e.URL, MaxResponseBytes: 100,
	}), "POST", "/orders/1", "")
	require.Equal(t, 500, w.Code)
	require.NotContains(t, w.Body.String(), "xx")
}

// A service that doesn't answer, answers drop by drop, or elsewhere, is waited for as long as was
// said.
func TestServiceTime(t *testing.T) {
	ended := make(chan struct{})
	t.Cleanup(func() { close(ended) })
	drip := func(w http.ResponseWriter, r *http.Request) {
		for i := 0; ; i++ {
			select {
			case <-r.Context().Done():
				return
			case <-ended:
				return
			case <-time.After(10 * time.Millisecond):
				_, _ = io.WriteString(w, "x")
				w.(http.Flusher).Flush()
			}
		}
	}
	silent := func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-r.Context().Done():
		case <-ended:
		}
	}
	for name, answer := range map[string]http.HandlerFunc{"silent": silent, "drop-by-drop": drip} {
		t.Run(name, func(t *testing.T) {
			up := backend(t, answer)
			c := integration.ServiceConfig{Subtype: "SQS-PurgeQueue", RequestParameters: map[string]string{"QueueUrl": "q"}, Endpoint: up.URL, Timeout: 150 * time.Millisecond}
			w := ask(httpService(t, c), "POST", "/orders/1", "")
			require.Equal(t, 503, w.Code)
			require.Equal(t, `{"message":"Service Unavailable"}`, w.Body.String())
			c.URI, c.Subtype, c.RequestParameters = serviceARN+"sqs:path/1/q", "", nil
			c.Credentials = credentials
			m := gatekit.Must(transform.NewREST(transform.RESTConfig{Type: transform.AWS, URI: c.URI, IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 200}}}))
			describe := gatekit.Must(gatekit.Describe(gatekit.API{Flavor: gatekit.REST}))
			w = ask(gatekit.Chain(newService(t, c), describe, m.Middleware), "POST", "/", "{}")
			require.Equal(t, 504, w.Code)
			require.Equal(t, `{"message": "Endpoint request timed out"}`, w.Body.String())
		})
	}
	slow := integration.ServiceConfig{
		Subtype: "SQS-PurgeQueue", RequestParameters: map[string]string{"QueueUrl": "q"}, Endpoint: "http://" + closedAddress(t), Timeout: 50 * time.Millisecond,
		Credentials: func(ctx context.Context) (integration.Credentials, error) {
			<-ctx.Done()
			return integration.Credentials{}, ctx.Err()
		},
	}
	require.Equal(t, 500, ask(httpService(t, slow), "POST", "/orders/1", "").Code)
}

// A redirect isn't followed: the next host would get a signature. Headers of one connection, and of
// this gateway, don't come from a service.
func TestServiceAnswers(t *testing.T) {
	other := newEmulator(t, "sqs", region, func(http.ResponseWriter, *http.Request) {})
	e := newEmulator(t, "sqs", region, func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Location", other.URL)
		h.Set("Connection", "X-Gone")
		h.Set("X-Gone", "1")
		h.Set("Apigw-Requestid", "theirs")
		h.Set("X-Amz-Apigw-Id", "theirs")
		w.WriteHeader(307)
	})
	w := ask(httpService(t, integration.ServiceConfig{
		Subtype: "SQS-PurgeQueue", RequestParameters: map[string]string{"QueueUrl": "q"}, Endpoint: e.URL, PassErrors: true,
	}), "POST", "/orders/1", "")
	require.Equal(t, 307, w.Code)
	require.Zero(t, other.count())
	require.NotContains(t, w.Header(), "X-Gone")
	require.NotContains(t, w.Header(), "X-Amz-Apigw-Id")
	require.NotEqual(t, "theirs", w.Header().Get("Apigw-Requestid"))
	require.Len(t, w.Header()["Apigw-Requestid"], 1)
}

// No more requests are at a service than was said.
func TestServiceIsBounded(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	up := backend(t, func(http.ResponseWriter, *http.Request) { arrived <- struct{}{}; <-release })
	h := httpService(t, integration.ServiceConfig{
		Subtype: "SQS-PurgeQueue", RequestParameters: map[string]string{"QueueUrl": "q"}, Endpoint: up.URL, MaxConnections: 1, ConnectionWait: time.Millisecond,
	})
	first := make(chan int, 1)
	go func() { first <- ask(h, "POST", "/orders/1", "").Code }()
	<-arrived
	require.Equal(t, 503, ask(h, "POST", "/orders/1", "").Code)
	close(release)
	require.Equal(t, 200, <-first)
}

// A client that goes away ends the call.
func TestServiceClientGone(t *testing.T) {
	gone := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	up := backend(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		cancel()
		<-r.Context().Done()
		close(gone)
	})
	h := httpService(t, integration.ServiceConfig{Subtype: "SQS-PurgeQueue", RequestParameters: map[string]string{"QueueUrl": "q"}, Endpoint: up.URL})
	require.PanicsWithValue(t, http.ErrAbortHandler, func() {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "POST", "/orders/1", nil))
	})
	<-gone
}

// Without an endpoint it is the service's own host that is connected to, over TLS, and its name
// that is verified; a service that knows its clients by certificate gets the stage's.
func TestServiceHost(t *testing.T) {
	a := newAuthority(t)
	verifier := gatekit.Must(auth.NewSigV4(auth.SigV4Config{Service: "s3", Region: region, DisablePathNormalization: true, DisablePathEscaping: true,
		Credentials: auth.StaticCredentials{testKey.AccessKeyID: {
			SecretAccessKey: testKey.SecretAccessKey, SessionToken: testKey.SessionToken, Principal: policy.Principal{ARN: "arn:aws:iam::111122223333:role/gateway"},
		}}}))
	up, roots := demanding(t, a, verifier.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, r.Host, " ", r.RequestURI, " ", r.TLS.ServerName, " ", r.TLS.PeerCertificates[0].Subject.CommonName)
	})))
	dialed := ""
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		dialed = address
		return (&net.Dialer{}).DialContext(ctx, network, up.Listener.Addr().String())
	}
	uri := serviceARN + "my.photos.s3:path/{key}"
	serve := func(name string) *httptest.ResponseRecorder {
		s := newService(t, integration.ServiceConfig{URI: uri, Dial: dial, TLS: integration.TLS{
			RootCAs: roots, ServerName: name, ClientCertificate: func(context.Context) (*tls.Certificate, error) { return a.issue(t, "stage one"), nil },
		}})
		api := gatekit.Must(route.New(route.Config{API: gatekit.API{Flavor: gatekit.REST}}))
		m := gatekit.Must(transform.NewREST(transform.RESTConfig{Type: transform.AWS, URI: uri, RequestParameters: map[string]string{
			"integration.request.path.key": "method.request.path.key",
		}, IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 200}}}))
		api.Handle("GET /{key}", s, m.Middleware)
		return ask(api, "GET", "/x", "")
	}
	w := serve("example.com") // that of httptest's certificate
	require.Equal(t, 200, w.Code, w.Body)
	require.Equal(t, "my.photos.s3.eu-west-1.amazonaws.com:443", dialed)
	require.Equal(t, "my.photos.s3.eu-west-1.amazonaws.com /x example.com stage one", w.Body.String())
	require.Equal(t, 504, serve("").Code) // the certificate is another host's
}
