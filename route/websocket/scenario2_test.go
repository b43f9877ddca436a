package websocket_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/authtest"
	"github.com/gatekit-go/gatekit/domain"
	"github.com/gatekit-go/gatekit/route/integration"
	"github.com/gatekit-go/gatekit/route/websocket"
	"github.com/gatekit-go/gatekit/route/websocket/websockettest"
	"github.com/gatekit-go/gatekit/throttle"
	"github.com/gatekit-go/gatekit/throttle/usageplan"
	"github.com/gatekit-go/gatekit/transform"
	"github.com/gatekit-go/gatekit/transform/validate"
)

// escape writes an ID as botocore does.
func escape(id string) string { return url.QueryEscape(id) }

func pathOf(id string) string { return "/prod/@connections/" + escape(id) }

// lambdaAuthorizer is a function that answers by the query parameter t.
func lambdaAuthorizer(t *testing.T, f *websockettest.Recorder) *auth.Lambda {
	t.Helper()
	a, err := auth.NewLambda(f, auth.LambdaConfig{CacheConfig: auth.CacheConfig{
		IdentitySource: []string{"route.request.querystring.t"}, TTL: auth.Off,
	}})
	require.NoError(t, err)
	return a
}

const allowed = `{"principalId":"u1","policyDocument":{"Version":"2012-10-17","Statement":[{"Action":"execute-api:Invoke",` +
	`"Effect":"%s","Resource":"arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod/$connect"}]},` +
	`"context":{"tenant":"t9","n":1},"usageIdentifierKey":"%s"}`

func verdicts(_ context.Context, event map[string]any) (string, error) {
	query, _ := event["queryStringParameters"].(map[string]any)
	switch query["t"] {
	case "good":
		return fmt.Sprintf(allowed, "Allow", "a-key-that-is-known-to-us"), nil
	case "stranger":
		return fmt.Sprintf(allowed, "Allow", "a-key-that-nobody-has-made"), nil
	case "deny":
		return fmt.Sprintf(allowed, "Deny", ""), nil
	case "unauthorized":
		return "", errors.New("Unauthorized")
	}
	return "", errors.New("broken")
}

func rowAuthorizer(t *testing.T) {
	f := &websockettest.Recorder{Answer: verdicts}
	r := newRig(t, websocket.Config{}, lambdaAuthorizer(t, f).Middleware)
	require.Equal(t, 401, r.refused(base, nil).StatusCode) // row 9
	require.Empty(t, f.Events())
	for query, status := range map[string]int{"unauthorized": 401, "deny": 403, "broken": 500} { // row 10
		require.Equal(t, status, r.refused(base+"?t="+query, nil).StatusCode, query)
	}
	require.Empty(t, r.fn.Events())
	e := f.Events()[0]
	require.Equal(t, "REQUEST", e["type"])
	require.Equal(t, "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod/$connect", e["methodArn"])
	require.Equal(t, "Upgrade", e["headers"].(map[string]any)["Connection"])
	require.Regexp(t, `^[A-Za-z0-9_-]{15}=$`, contextOf(e)["connectionId"])
}

func rowContext(t *testing.T) { // row 11
	f := &websockettest.Recorder{Answer: verdicts}
	r := bareRig(t, websocket.Config{})
	h := r.lambda(integration.LambdaConfig{})
	r.api.Handle("$connect", h, lambdaAuthorizer(t, f).Middleware)
	r.api.Handle("join", h)
	r.api.Handle("$disconnect", h)
	n := gatekit.Must(transform.NewREST(transform.RESTConfig{
		Type: transform.Mock, RequestTemplates: map[string]string{"application/json": `{"statusCode":200}`},
		IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 200, ResponseTemplates: map[string]string{
			"application/json": `"$context.authorizer.n"`}}},
	}))
	r.api.Handle("n", n.Middleware(nil))
	c := r.dialAt(base+"?t=good", nil)
	send(t, c, `{"action":"join"}`)
	send(t, c, `{"action":"n"}`)
	require.Equal(t, `"1"`, receive(t, c))
	require.NoError(t, c.Close(1000, ""))
	synctest.Wait()
	require.Len(t, f.Events(), 1)
	require.Len(t, r.fn.Events(), 3)
	for _, e := range r.fn.Events() {
		a := contextOf(e)["authorizer"].(map[string]any)
		require.Equal(t, "t9", a["tenant"])
		require.Equal(t, "u1", a["principalId"])
	}
}

func plans(t *testing.T, source usageplan.KeySource) *usageplan.Limiter {
	t.Helper()
	ctx := t.Context()
	registry := gatekit.Must(usageplan.NewRegistry(ctx, usageplan.RegistryConfig{Store: gatekit.Must(usageplan.NewMemory(0))}))
	plan := usageplan.Plan{ID: "gold", Name: "gold", APIStages: []usageplan.APIStage{{APIID: "a1b2c3d4e5", Stage: "prod"}}}
	gatekit.Must(registry.CreatePlan(ctx, plan))
	_, _, err := registry.CreateKey(ctx, usageplan.NewKey{ID: "shop", Value: "a-key-that-is-known-to-us", Enabled: true})
	require.NoError(t, err)
	require.NoError(t, registry.AddKey(ctx, "gold", "shop"))
	return gatekit.Must(usageplan.New(usageplan.Config{Registry: registry, Source: source}))
}

func rowAPIKey(t *testing.T) { // row 12
	r := newRig(t, websocket.Config{}, plans(t, usageplan.Header).Middleware)
	require.Equal(t, 403, r.refused(base, nil).StatusCode)
	require.Equal(t, 403, r.refused(base, http.Header{"X-Api-Key": {"wrong"}}).StatusCode)
	r.dialAt(base, http.Header{"X-Api-Key": {"a-key-that-is-known-to-us"}})
	identity := contextOf(r.fn.Events()[0])["identity"].(map[string]any)
	require.Equal(t, "shop", identity["apiKeyId"])
}

func rowAuthorizersKey(t *testing.T) { // row 57
	f := &websockettest.Recorder{Answer: verdicts}
	r := newRig(t, websocket.Config{}, lambdaAuthorizer(t, f).Middleware, plans(t, usageplan.Authorizer).Middleware)
	r.dialAt(base+"?t=good", http.Header{"X-Api-Key": {"wrong"}})
	require.Equal(t, 403, r.refused(base+"?t=stranger", http.Header{"X-Api-Key": {"a-key-that-is-known-to-us"}}).StatusCode)
}

func rowIAM(t *testing.T) { // row 13
	s, err := auth.NewSigV4(auth.SigV4Config{Credentials: auth.StaticCredentials{"AKIDEXAMPLE": {SecretAccessKey: secret}}})
	require.NoError(t, err)
	r := newRig(t, websocket.Config{}, s.Middleware)
	require.Equal(t, 403, r.refused(base, nil).StatusCode)
	signer := authtest.Signer{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: secret, Region: "eu-west-1"}
	presigned := func(at time.Time) string {
		req := httptest.NewRequest("GET", "https"+strings.TrimPrefix(base, "wss"), nil)
		require.NoError(t, signer.Presign(req, at, time.Minute))
		return req.URL.String()
	}
	require.Equal(t, 403, r.refused(presigned(time.Now().Add(-time.Hour)), nil).StatusCode)
	r.dialAt(presigned(time.Now()), nil)
}

func rowDenyLater(t *testing.T) { // row 58
	deny := false
	f := &websockettest.Recorder{Answer: func(ctx context.Context, e map[string]any) (string, error) {
		if deny {
			return fmt.Sprintf(allowed, "Deny", ""), nil
		}
		return verdicts(ctx, e)
	}}
	r := newRig(t, websocket.Config{}, lambdaAuthorizer(t, f).Middleware)
	r.says("join", `{"statusCode":200,"body":"hi"}`)
	c := r.dialAt(base+"?t=good", nil)
	deny = true
	send(t, c, `{"action":"join"}`)
	require.Equal(t, "hi", receive(t, c))
	require.Equal(t, 403, r.refused(base+"?t=good", nil).StatusCode)
}

func TestAuthorizationScenarios(t *testing.T) {
	scenarios(t, map[string]func(*testing.T){
		"row-09-10-authorizer": rowAuthorizer, "row-11-context": rowContext, "row-12-api-key": rowAPIKey,
		"row-13-iam": rowIAM, "row-57-authorizers-key": rowAuthorizersKey, "row-58-deny-later": rowDenyLater,
	})
}

func rowThrottled(t *testing.T) {
	r := bareRig(t, websocket.Config{})
	limit := gatekit.Must(throttle.New(throttle.Limit{Rate: 1, Burst: 1}))
	r.api.Handle("fire", r.lambda(integration.LambdaConfig{}), limit.Middleware, websocket.OneWay)
	c := r.dial()
	for range 3 {
		send(t, c, `{"action":"fire"}`)
	}
	for range 2 {
		message, _ := frame(t, receive(t, c))
		require.Equal(t, "Too Many Requests", message)
	}
	require.Len(t, r.fn.Of("routeKey", "fire"), 1)
	require.True(t, c.Open())
	for range 99 {
		if c.SendText(`{"action":"fire"}`) != nil {
			break
		}
	}
	code, _ := c.Wait()
	require.Equal(t, 1008, code)
}

func rowModel(t *testing.T) { // rows 26 and 27
	models := gatekit.Must(validate.NewModels(validate.ModelsConfig{Schemas: map[string]string{"Join": `{"type":"object","required":["text"]}`}}))
	v := gatekit.Must(validate.New(validate.Config{ValidateBody: true, Models: models, RequestModels: map[string]string{"application/json": "Join"}}))
	choose := gatekit.Must(websocket.Select("$request.body.v", map[string]gatekit.Middleware{"1": v.Middleware}))
	r := bareRig(t, websocket.Config{})
	h := r.lambda(integration.LambdaConfig{})
	r.api.Handle("join", h, v.Middleware)
	r.api.Handle("versioned", h, choose)
	c := r.dial()
	for i, m := range []string{`{"action":"join"}`, `{"action":"versioned","v":"1"}`, `{"action":"versioned","v":"v9","text":"x"}`} {
		send(t, c, m)
		got := receive(t, c)
		message, members := frame(t, got)
		require.Equal(t, "Bad request body", message, m)
		require.Contains(t, members, "messageId")
		require.NotContains(t, members, "requestId")
		require.True(t, strings.HasPrefix(got, `{"message": "Bad request body", "connectionId":"`), got)
		require.EqualValues(t, i+1, r.api.Metrics().ClientError)
	}
	require.Empty(t, r.fn.Events())
	send(t, c, `{"action":"versioned","v":"1","text":"x"}`)
	synctest.Wait()
	require.Len(t, r.fn.Of("routeKey", "versioned"), 1)
}

func rowConnectRate(t *testing.T) { // row 47
	r := newRig(t, websocket.Config{})
	r.api.Use(gatekit.Must(throttle.New(throttle.Limit{Rate: 1, Burst: 2})).Middleware)
	r.says("join", `{"statusCode":200,"body":"hi"}`)
	c := r.dial()
	r.dial()
	require.Equal(t, 429, r.refused(base, nil).StatusCode)
	send(t, c, `{"action":"join"}`)
	require.Equal(t, "hi", receive(t, c))
}

// backend is an http.Handler in place of a server: what HTTP integrations would call.
type backend struct {
	status  int
	headers []http.Header
	bodies  []string
}

func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	b.headers, b.bodies = append(b.headers, r.Header.Clone()), append(b.bodies, string(body))
	w.WriteHeader(b.status)
	_, _ = io.WriteString(w, `{"reason":"none"}`)
}

func rowMock(t *testing.T) { // row 53
	mock := gatekit.Must(transform.NewREST(transform.RESTConfig{
		Type: transform.Mock, RequestTemplates: map[string]string{"application/json": `{"statusCode":200}`},
		IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 200, ResponseTemplates: map[string]string{
			"application/json": `{"err":"unknown action"}`}}},
	}))
	r := bareRig(t, websocket.Config{})
	r.api.Handle("$default", mock.Middleware(nil))
	c := r.dial()
	send(t, c, `{"action":"zzz"}`)
	require.Equal(t, `{"err":"unknown action"}`, receive(t, c))
}

func rowHTTP(t *testing.T) { // row 54
	rest := gatekit.Must(transform.NewREST(transform.RESTConfig{
		Type: transform.HTTP, HTTPMethod: "POST",
		IntegrationResponses: []transform.IntegrationResponse{
			{StatusCode: 200, ResponseTemplates: map[string]string{"application/json": `{"ok":true}`}},
			{StatusCode: 400, SelectionPattern: `4\d\d`, ResponseTemplates: map[string]string{"application/json": `{"err":$input.json('$.reason')}`}},
		},
	}))
	b := &backend{status: 404}
	r := bareRig(t, websocket.Config{})
	r.api.Handle("join", b, rest.Middleware)
	c := r.dial()
	send(t, c, `{"action":"join"}`)
	require.Equal(t, `{"err":"none"}`, receive(t, c))
	b.status = 200
	send(t, c, `{"action":"join"}`)
	require.Equal(t, `{"ok":true}`, receive(t, c))
}

func rowHTTPProxy(t *testing.T) { // row 55
	mapped := gatekit.Must(transform.NewREST(transform.RESTConfig{
		Type:              transform.HTTPProxy,
		RequestParameters: map[string]string{"integration.request.header.connectionId": "context.connectionId"},
	}))
	b := &backend{status: 200}
	r := bareRig(t, websocket.Config{})
	r.api.Handle("$connect", r.lambda(integration.LambdaConfig{}))
	r.api.Handle("join", b, mapped.Middleware)
	r.api.Handle("plain", b)
	c := r.dialAt(base, http.Header{"X-Of-The-Handshake": {"1"}})
	send(t, c, `{"action":"join"}`)
	require.Equal(t, `{"reason":"none"}`, receive(t, c))
	send(t, c, `{"action":"plain"}`)
	require.Equal(t, `{"reason":"none"}`, receive(t, c))
	require.Equal(t, r.connectionID(), b.headers[0].Get("connectionId"))
	require.Empty(t, b.headers[1].Get("connectionId"))
	require.Empty(t, b.headers[1].Get("X-Of-The-Handshake"))
	require.Equal(t, []string{`{"action":"join"}`, `{"action":"plain"}`}, b.bodies)
}

// templated is an HTTP integration with one request template.
func templated(template string, passthrough transform.PassthroughBehavior) gatekit.Middleware {
	c := transform.RESTConfig{
		Type: transform.HTTP, HTTPMethod: "POST", PassthroughBehavior: passthrough,
		IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 200}},
	}
	if template != "" {
		c.RequestTemplates = map[string]string{"application/json": template}
	}
	return gatekit.Must(transform.NewREST(c)).Middleware
}

func rowTemplates(t *testing.T) { // row 60
	b := &backend{status: 200}
	choose := gatekit.Must(websocket.Select("${request.body.v}", map[string]gatekit.Middleware{
		"1": templated(`{"t":"one"}`, ""), "$default": templated(`{"t":"default"}`, ""),
	}))
	r := bareRig(t, websocket.Config{})
	r.api.Handle("join", b, choose)
	c := r.dial()
	for _, m := range []string{`{"action":"join","v":"1"}`, `{"action":"join","v":"7"}`, `{"action":"join"}`} {
		send(t, c, m)
		receive(t, c)
	}
	require.Equal(t, []string{`{"t":"one"}`, `{"t":"default"}`, `{"t":"default"}`}, b.bodies)
}

func rowPassthrough(t *testing.T) { // row 61
	b := &backend{status: 200}
	r := bareRig(t, websocket.Config{})
	r.api.Handle("join", b, templated("", transform.WhenNoMatch))
	r.api.Handle("never", b, templated("", transform.Never))
	c := r.dial()
	send(t, c, `{"action":"join","x":1}`)
	require.Equal(t, `{"reason":"none"}`, receive(t, c))
	require.Equal(t, []string{`{"action":"join","x":1}`}, b.bodies)
	send(t, c, `{"action":"never"}`)
	message, _ := frame(t, receive(t, c))
	require.Equal(t, "Unsupported Media Type", message)
	require.Len(t, b.bodies, 1)
}

func TestIntegrationScenarios(t *testing.T) {
	scenarios(t, map[string]func(*testing.T){
		"row-26-27-model": rowModel, "row-47-connect-rate": rowConnectRate, "row-53-mock": rowMock, "row-54-http": rowHTTP,
		"row-55-http-proxy": rowHTTPProxy, "row-60-templates": rowTemplates, "row-61-passthrough": rowPassthrough,
	})
}

func rowPost(t *testing.T) { // row 40
	r := newRig(t, websocket.Config{})
	c := r.dial()
	m := newManager(t, r.api)
	for _, path := range []string{pathOf(r.connectionID()), strings.Replace(pathOf(r.connectionID()), "@", "%40", 1)} {
		w := m.call("POST", path, []byte("hello"))
		require.Equal(t, 200, w.Code, "%s %s", path, w.Body)
		require.Empty(t, w.Body.String())
		require.Equal(t, "hello", receive(t, c))
	}
	require.Equal(t, 200, m.call("POST", pathOf(r.connectionID()), nil).Code)
	m2, err := c.Receive(time.Second)
	require.NoError(t, err)
	require.Empty(t, m2)
}

func rowForbidden(t *testing.T) { // row 41
	r := newRig(t, websocket.Config{})
	r.dial()
	m := newManager(t, r.api)
	unsigned := httptest.NewRecorder()
	m.handler.ServeHTTP(unsigned, httptest.NewRequest("POST", "https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"+pathOf(r.connectionID()), strings.NewReader("x")))
	for _, w := range []*httptest.ResponseRecorder{unsigned, m.callAs("AKIDUNKNOWN", "POST", pathOf(r.connectionID()), []byte("x")), m.callAs("AKIDINVOKER", "POST", pathOf(r.connectionID()), []byte("x"))} {
		require.Equal(t, 403, w.Code)
		require.Equal(t, "ForbiddenException", w.Header().Get("X-Amzn-Errortype"))
	}
}

func rowLargePost(t *testing.T) { // row 42
	r := newRig(t, websocket.Config{})
	c := r.dial()
	m := newManager(t, r.api)
	require.Equal(t, 200, m.call("POST", pathOf(r.connectionID()), []byte(strings.Repeat("x", 131_072))).Code)
	require.Len(t, receive(t, c), 131_072)
	for _, f := range c.Frames() {
		require.LessOrEqual(t, len(f.Payload), 32_768)
	}
	w := m.call("POST", pathOf(r.connectionID()), []byte(strings.Repeat("x", 131_073)))
	require.Equal(t, 413, w.Code)
	require.Equal(t, "PayloadTooLargeException", w.Header().Get("X-Amzn-Errortype"))
	require.Equal(t, `{"message":"Payload Too Large"}`, w.Body.String())
}

func rowGet(t *testing.T) { // row 43
	r := newRig(t, websocket.Config{})
	c := r.dialAt(base, http.Header{"User-Agent": {"ua/1"}})
	time.Sleep(time.Minute)
	send(t, c, `{"action":"join"}`)
	synctest.Wait()
	w := newManager(t, r.api).call("GET", pathOf(r.connectionID()), nil)
	require.Equal(t, 200, w.Code)
	require.JSONEq(t, `{"connectedAt":"2000-01-01T00:00:00.000Z","identity":{"sourceIp":"192.0.2.1","userAgent":"ua/1"},"lastActiveAt":"2000-01-01T00:01:00.000Z"}`, w.Body.String())
}

func rowDelete(t *testing.T) { // row 44
	r := newRig(t, websocket.Config{})
	c := r.dial()
	m := newManager(t, r.api)
	w := m.call("DELETE", pathOf(r.connectionID()), nil)
	require.Equal(t, 204, w.Code)
	w = m.call("DELETE", pathOf(r.connectionID()), nil)
	require.Equal(t, 410, w.Code)
	require.Equal(t, "GoneException", w.Header().Get("X-Amzn-Errortype"))
	code, reason := c.Wait()
	require.Equal(t, 1000, code)
	require.Empty(t, reason)
	e := contextOf(r.disconnect())
	require.Equal(t, 1000.0, e["disconnectStatusCode"])
	require.Equal(t, "", e["disconnectReason"])
}

func rowSlowReader(t *testing.T) { // row 45
	r := newRig(t, websocket.Config{})
	c := r.dial()
	slow := r.connectionID()
	other := r.dial()
	m := newManager(t, r.api)
	c.Pause()
	codes := map[int]int{}
	for range 10 {
		w := m.call("POST", pathOf(slow), []byte(strings.Repeat("x", 100_000)))
		codes[w.Code]++
		if w.Code == 429 {
			require.Equal(t, "LimitExceededException", w.Header().Get("X-Amzn-Errortype"))
		}
	}
	require.Positive(t, codes[200])
	require.Positive(t, codes[429])
	require.Equal(t, 10, codes[200]+codes[429])
	require.Equal(t, 200, m.call("POST", pathOf(r.connectionID()), []byte("hi")).Code)
	require.Equal(t, "hi", receive(t, other))
	time.Sleep(11 * time.Second) // nothing was read: 1008
	require.Equal(t, 410, m.call("POST", pathOf(slow), []byte("x")).Code)
	require.Equal(t, 1008.0, contextOf(r.disconnect())["disconnectStatusCode"])
	c.Resume()
}

func rowCustomDomain(t *testing.T) { // row 48
	r := newRig(t, websocket.Config{})
	m := newManager(t, r.api)
	mux := http.NewServeMux()
	mux.Handle("/", r.api)
	mux.Handle("/@connections/", m.handler)
	d, err := domain.New(t.Context(), domain.Config{Names: []domain.Name{{Host: "api.mycompany.com", Mappings: []domain.Mapping{{BasePath: "orders", Handler: mux}}}}})
	require.NoError(t, err)
	c, resp := websockettest.Dial(t.Context(), d, "wss://api.mycompany.com/orders", nil)
	require.Equal(t, 101, resp.StatusCode)
	defer c.Reset()
	e := contextOf(r.fn.Events()[0])
	require.Equal(t, "api.mycompany.com", e["domainName"])
	require.Equal(t, "prod", e["stage"])
	for base, status := range map[string]int{"/orders": 200, "/prod": 403} {
		req := httptest.NewRequest("POST", "https://api.mycompany.com"+base+"/@connections/"+escape(r.connectionID()), strings.NewReader("hi"))
		require.NoError(t, authtest.Signer{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: secret, Region: "eu-west-1"}.Sign(req, time.Now()))
		w := httptest.NewRecorder()
		d.ServeHTTP(w, req)
		require.Equal(t, status, w.Code, base)
	}
	require.Equal(t, "hi", receive(t, c))
}

func TestConnectionsScenarios(t *testing.T) {
	scenarios(t, map[string]func(*testing.T){
		"row-40-post": rowPost, "row-41-forbidden": rowForbidden, "row-42-large": rowLargePost, "row-43-get": rowGet,
		"row-44-delete": rowDelete, "row-45-slow-reader": rowSlowReader, "row-48-custom-domain": rowCustomDomain,
	})
}

func rowOtherNode(t *testing.T) { // row 50
	m := websocket.NewMemory(5 * time.Second)
	a := newRig(t, websocket.Config{Registry: m, Transport: m})
	b := newRig(t, websocket.Config{Registry: m, Transport: m})
	c := a.dial()
	id := a.connectionID()
	manager := newManager(t, b.api)
	require.Equal(t, 200, manager.call("POST", pathOf(id), []byte("hi")).Code)
	require.Equal(t, "hi", receive(t, c))
	require.Equal(t, 200, manager.call("GET", pathOf(id), nil).Code)
	require.NoError(t, b.api.Enter(t.Context(), "room", id))
	failed, err := b.api.Publish(t.Context(), "room", websocket.Text, []byte("all"))
	require.NoError(t, err)
	require.Empty(t, failed)
	require.Equal(t, "all", receive(t, c))
	require.Equal(t, 204, manager.call("DELETE", pathOf(id), nil).Code)
	c.Wait()
	require.Equal(t, 410, manager.call("POST", pathOf(id), []byte("hi")).Code)
	synctest.Wait()
	require.Len(t, a.fn.Of("eventType", "DISCONNECT"), 1)
	require.Empty(t, b.fn.Events())
}

func rowNodeDies(t *testing.T) { // row 51
	m := websocket.NewMemory(5 * time.Second)
	f := &websockettest.Recorder{Answer: verdicts}
	a := newRig(t, websocket.Config{Registry: m, Transport: m}, lambdaAuthorizer(t, f).Middleware)
	b := newRig(t, websocket.Config{Registry: m, Transport: m})
	c := a.dialAt(base+"?t=good", http.Header{"User-Agent": {"ua/1"}})
	id := a.connectionID()
	manager := newManager(t, b.api)
	m.Sever("a1b2c3d4e5/prod", a.api.Node())
	require.Equal(t, 503, manager.call("POST", pathOf(id), []byte("hi")).Code)
	require.True(t, c.Open())
	time.Sleep(4 * time.Second)
	require.Equal(t, 503, manager.call("GET", pathOf(id), nil).Code)
	time.Sleep(4 * time.Second)
	require.Equal(t, 410, manager.call("POST", pathOf(id), []byte("hi")).Code)
	code, _ := c.Wait()
	require.Equal(t, 1012, code)
	synctest.Wait()
	require.Empty(t, a.fn.Of("eventType", "DISCONNECT"))
	events := b.fn.Of("eventType", "DISCONNECT")
	require.Len(t, events, 1)
	e := contextOf(events[0])
	require.Equal(t, 1006.0, e["disconnectStatusCode"])
	require.Equal(t, id, e["connectionId"])
	require.Equal(t, "t9", e["authorizer"].(map[string]any)["tenant"])
	require.Equal(t, "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com", e["domainName"])
}

func rowDrain(t *testing.T) { // row 52
	r := newRig(t, websocket.Config{DrainOver: 4 * time.Second})
	r.answer("join", func(context.Context) (string, error) {
		time.Sleep(10 * time.Second)
		return `{"statusCode":200,"body":"late"}`, nil
	})
	c := r.dial()
	idle := []*websockettest.Client{r.dial(), r.dial(), r.dial()}
	send(t, c, `{"action":"join"}`)
	synctest.Wait()
	began := time.Now()
	done := make(chan error, 1)
	go func() { done <- r.api.Shutdown(context.Background()) }()
	synctest.Wait()
	require.Equal(t, 503, r.refused(base, nil).StatusCode)
	times := map[time.Duration]bool{}
	for _, i := range idle {
		code, _ := i.Wait()
		require.Equal(t, 1012, code)
		times[time.Since(began)] = true
	}
	require.LessOrEqual(t, time.Since(began), 5*time.Second)
	m, err := c.Receive(time.Minute)
	require.NoError(t, err)
	require.Equal(t, "late", m)
	code, _ := c.Wait()
	require.Equal(t, 1012, code)
	require.NoError(t, <-done)
	require.Len(t, r.fn.Of("eventType", "DISCONNECT"), 4)
}

func rowStages(t *testing.T) { // row 62
	m := websocket.NewMemory(5 * time.Second)
	dev := prod
	dev.Stage = "dev"
	a := newRig(t, websocket.Config{Registry: m, Transport: m, API: dev})
	b := newRig(t, websocket.Config{Registry: m, Transport: m})
	a.dial()
	require.Equal(t, 410, newManager(t, b.api).call("POST", pathOf(a.connectionID()), []byte("hi")).Code)
}

func TestFleetScenarios(t *testing.T) {
	scenarios(t, map[string]func(*testing.T){
		"row-50-other-node": rowOtherNode, "row-51-node-dies": rowNodeDies, "row-52-drain": rowDrain, "row-62-stages": rowStages,
		"row-56-origin": func(t *testing.T) {
			r := newRig(t, websocket.Config{AllowOrigins: []string{"https://app.example"}})
			require.Equal(t, 403, r.refused(base, http.Header{"Origin": {"https://evil.example"}}).StatusCode)
			require.Empty(t, r.fn.Events())
			r.dialAt(base, http.Header{"Origin": {"https://app.example"}})
		},
	})
}
