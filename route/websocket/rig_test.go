package websocket_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/authtest"
	"github.com/gatekit-go/gatekit/auth/policy"
	"github.com/gatekit-go/gatekit/route/integration"
	"github.com/gatekit-go/gatekit/route/websocket"
	"github.com/gatekit-go/gatekit/route/websocket/websockettest"
)

const base = "wss://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod"

var prod = gatekit.API{Flavor: gatekit.WebSocket, AccountID: "123456789012", Region: "eu-west-1", APIID: "a1b2c3d4e5", Stage: "prod"}

// rig is an API as the recorded scenarios set it up: $connect, $disconnect, $default and fire
// one-way, join two-way, all of them one Lambda function.
type rig struct {
	t   *testing.T
	api *websocket.API
	fn  *websockettest.Recorder
	log *safeBuffer

	mu      sync.Mutex
	answers map[string]func(context.Context) (string, error) // by route key
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func (r *rig) answer(key string, f func(context.Context) (string, error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers[key] = f
}

func (r *rig) says(key, answer string) {
	r.answer(key, func(context.Context) (string, error) { return answer, nil })
}

func (r *rig) throws(key, text string) {
	r.answer(key, func(context.Context) (string, error) { return "", errors.New(text) })
}

// bareRig has no routes yet.
func bareRig(t *testing.T, cfg websocket.Config) *rig {
	t.Helper()
	r := &rig{t: t, log: &safeBuffer{}, answers: map[string]func(context.Context) (string, error){}}
	r.fn = &websockettest.Recorder{Answer: func(ctx context.Context, event map[string]any) (string, error) {
		key, _ := event["requestContext"].(map[string]any)["routeKey"].(string)
		r.mu.Lock()
		f := r.answers[key]
		r.mu.Unlock()
		if f == nil {
			return `{"statusCode":200}`, nil
		}
		return f(ctx)
	}}
	if !cfg.API.Described() {
		cfg.API = prod
	}
	if cfg.RouteSelection == "" {
		cfg.RouteSelection = "$request.body.action"
	}
	if cfg.DrainOver == 0 {
		cfg.DrainOver = websocket.Off
	}
	cfg.Logger = slog.New(slog.NewTextHandler(r.log, nil))
	api, err := websocket.New(t.Context(), cfg)
	require.NoError(t, err)
	r.api = api
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		require.NoError(t, api.Shutdown(ctx))
	})
	return r
}

func newRig(t *testing.T, cfg websocket.Config, mw ...gatekit.Middleware) *rig {
	t.Helper()
	r := bareRig(t, cfg)
	h := r.lambda(integration.LambdaConfig{})
	r.api.Handle("$connect", h, mw...)
	r.api.Handle("$disconnect", h)
	r.api.Handle("$default", h, websocket.OneWay)
	r.api.Handle("join", h)
	r.api.Handle("fire", h, websocket.OneWay)
	return r
}

func (r *rig) lambda(cfg integration.LambdaConfig) http.Handler {
	h, err := integration.NewLambda(r.fn, cfg)
	require.NoError(r.t, err)
	return h
}

func (r *rig) dial() *websockettest.Client { return r.dialAt(base, nil) }

func (r *rig) dialAt(url string, header http.Header) *websockettest.Client {
	r.t.Helper()
	c, resp := websockettest.Dial(r.t.Context(), r.api, url, header)
	require.NotNil(r.t, c, "refused with %d", resp.StatusCode)
	r.t.Cleanup(c.Reset)
	return c
}

func (r *rig) refused(url string, header http.Header) *http.Response {
	r.t.Helper()
	c, resp := websockettest.Dial(r.t.Context(), r.api, url, header)
	require.Nil(r.t, c)
	return resp
}

// receive returns the next message, "" if none comes.
func receive(t *testing.T, c *websockettest.Client) string {
	t.Helper()
	m, err := c.Receive(5 * time.Second)
	if err != nil {
		require.ErrorIs(t, err, websockettest.ErrNothing)
	}
	return m
}

func send(t *testing.T, c *websockettest.Client, text string) {
	t.Helper()
	require.NoError(t, c.SendText(text))
}

// frame reads an error frame and returns its message.
func frame(t *testing.T, text string) (message string, members map[string]any) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(text), &members), "got %q", text)
	message, _ = members["message"].(string)
	return message, members
}

func contextOf(event map[string]any) map[string]any {
	return event["requestContext"].(map[string]any)
}

// connectionID is the ID of the last connection that the function was told of.
func (r *rig) connectionID() string {
	r.t.Helper()
	events := r.fn.Of("eventType", "CONNECT")
	require.NotEmpty(r.t, events)
	return contextOf(events[len(events)-1])["connectionId"].(string)
}

// disconnect waits for the one DISCONNECT event and returns it.
func (r *rig) disconnect() map[string]any {
	r.t.Helper()
	synctest.Wait()
	events := r.fn.Of("eventType", "DISCONNECT")
	require.Len(r.t, events, 1)
	return events[0]
}

// manager is the @connections API of an API behind IAM, and who calls it.
type manager struct {
	t       *testing.T
	handler http.Handler
}

const manageAll = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:ManageConnections",
	"Resource":"arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod/*/@connections/*"}]}`

const secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

func newManager(t *testing.T, api *websocket.API, mw ...gatekit.Middleware) *manager {
	t.Helper()
	credentials := auth.StaticCredentials{
		"AKIDEXAMPLE": {SecretAccessKey: secret, Policy: gatekit.Must(policy.Parse(manageAll))},
		"AKIDINVOKER": {SecretAccessKey: secret, Policy: gatekit.Must(policy.Parse(strings.ReplaceAll(manageAll, "ManageConnections", "Invoke")))},
	}
	s, err := auth.NewSigV4(auth.SigV4Config{Credentials: credentials})
	require.NoError(t, err)
	h, err := api.Connections(s.Middleware, mw...)
	require.NoError(t, err)
	return &manager{t: t, handler: h}
}

// call signs a request as botocore does, and returns the answer.
func (m *manager) call(method, path string, body []byte) *httptest.ResponseRecorder {
	return m.callAs("AKIDEXAMPLE", method, path, body)
}

func (m *manager) callAs(key, method, path string, body []byte) *httptest.ResponseRecorder {
	m.t.Helper()
	r := httptest.NewRequest(method, "https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"+path, bytes.NewReader(body))
	signer := authtest.Signer{AccessKeyID: key, SecretAccessKey: secret, Region: "eu-west-1"}
	require.NoError(m.t, signer.Sign(r, time.Now()))
	w := httptest.NewRecorder()
	m.handler.ServeHTTP(w, r)
	return w
}
