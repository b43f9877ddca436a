package awssdk_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	management "github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	gorilla "github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/policy"
	"github.com/gatekit-go/gatekit/route/websocket"
	"github.com/gatekit-go/gatekit/route/websocket/websockettest"
	"github.com/gatekit-go/gatekit/throttle"
)

const (
	mayAll = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:ManageConnections",
		"Resource":"arn:aws:execute-api:us-east-1:111122223333:abc123/prod/*/@connections/*"}]}`
	mayPost = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:ManageConnections",
		"Resource":"arn:aws:execute-api:us-east-1:111122223333:abc123/prod/POST/@connections/*"}]}`
	mayInvoke = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"*"}]}`
)

// stage is a WebSocket API and its management API on a loopback address.
type stage struct {
	t     *testing.T
	srv   *httptest.Server
	api   *websocket.API
	ids   chan string // of connections, as they open
	ended chan websocket.Message

	mu   sync.Mutex // over what follows
	saw  []string   // the management API's request targets
	bump func()     // called behind each of its answers
}

func newStage(t *testing.T, cfg websocket.Config, mw ...gatekit.Middleware) *stage {
	t.Helper()
	s := &stage{t: t, ids: make(chan string, 10), ended: make(chan websocket.Message, 10), bump: func() {}}
	cfg.API = gatekit.API{Region: region, AccountID: "111122223333", APIID: "abc123", Stage: "prod"}
	cfg.RouteSelection, cfg.DrainOver = "$request.body.action", websocket.Off
	var err error
	s.api, err = websocket.New(t.Context(), cfg)
	require.NoError(t, err)
	s.api.Handle("$connect", websocket.HandlerFunc(func(_ context.Context, m *websocket.Message) (*websocket.Reply, error) {
		s.ids <- m.ConnectionID
		return nil, nil
	}))
	s.api.Handle("$disconnect", websocket.HandlerFunc(func(_ context.Context, m *websocket.Message) (*websocket.Reply, error) {
		s.ended <- *m
		return nil, nil
	}))
	credentials := auth.StaticCredentials{}
	for id, text := range map[string]string{keyID: mayAll, "AKIDPOSTER": mayPost, "AKIDINVOKER": mayInvoke} {
		credentials[id] = auth.Credential{SecretAccessKey: secret, Policy: gatekit.Must(policy.Parse(text))}
	}
	credentials["ASIASHORT"] = auth.Credential{SecretAccessKey: secret, SessionToken: "session/token+==", Policy: gatekit.Must(policy.Parse(mayAll))}
	iam, err := auth.NewSigV4(auth.SigV4Config{Credentials: credentials})
	require.NoError(t, err)
	connections, err := s.api.Connections(iam.Middleware, mw...)
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle("/prod", s.api)
	mux.HandleFunc("/prod/@connections/", func(w http.ResponseWriter, r *http.Request) {
		connections.ServeHTTP(w, r)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.saw = append(s.saw, r.RequestURI)
		s.bump()
	})
	s.srv = httptest.NewServer(mux)
	t.Cleanup(func() {
		require.NoError(t, s.api.Shutdown(context.Background()))
		s.srv.Close()
	})
	return s
}

func (s *stage) targets() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.saw)
}

// client is the SDK's, as a backend makes it.
func (s *stage) client(change ...func(*management.Options)) *management.Client {
	return management.New(management.Options{
		Region: region, BaseEndpoint: aws.String(s.srv.URL + "/prod"), Retryer: aws.NopRetryer{},
		Credentials: static(keyID, secret, ""),
	}, change...)
}

func static(id, secret, token string) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: id, SecretAccessKey: secret, SessionToken: token}, nil
	})
}

// dial connects a client over TCP.
func (s *stage) dial(userAgent string) (conn *gorilla.Conn, id *string) {
	s.t.Helper()
	conn, resp, err := gorilla.DefaultDialer.DialContext(s.t.Context(), "ws"+strings.TrimPrefix(s.srv.URL, "http")+"/prod",
		http.Header{"User-Agent": {userAgent}})
	require.NoError(s.t, err)
	_ = resp.Body.Close()
	s.t.Cleanup(func() { _ = conn.Close() })
	require.NoError(s.t, conn.SetReadDeadline(time.Now().Add(time.Minute)))
	return conn, aws.String(<-s.ids)
}

func (s *stage) post(c *management.Client, id *string, data []byte) error {
	_, err := c.PostToConnection(s.t.Context(), &management.PostToConnectionInput{ConnectionId: id, Data: data})
	return err
}

func (s *stage) get(c *management.Client, id *string) (*management.GetConnectionOutput, error) {
	return c.GetConnection(s.t.Context(), &management.GetConnectionInput{ConnectionId: id})
}

func (s *stage) delete(c *management.Client, id *string) error {
	_, err := c.DeleteConnection(s.t.Context(), &management.DeleteConnectionInput{ConnectionId: id})
	return err
}

// is requires an error of the SDK's own type, with the status that the model has for it, and an ID to look for in logs.
func is[T error](t *testing.T, err error, status int) {
	t.Helper()
	_, ok := errors.AsType[T](err)
	require.True(t, ok, "got %v", err)
	response, ok := errors.AsType[*awshttp.ResponseError](err)
	require.True(t, ok, "got %v", err)
	require.Equal(t, status, response.HTTPStatusCode())
	require.Len(t, response.ServiceRequestID(), 16)
}

func TestPostToConnection(t *testing.T) {
	s := newStage(t, websocket.Config{AllowBinary: true})
	conn, id := s.dial("ua/1")
	for name, tt := range map[string]struct {
		data string
		kind int
	}{
		"text":    {"héllo € 𝄞", gorilla.TextMessage},
		"json":    {`{"action":"x"}`, gorilla.TextMessage},
		"empty":   {"", gorilla.TextMessage},
		"longest": {strings.Repeat("x", 128<<10), gorilla.TextMessage},
		"binary":  {"\x00\xff\x80", gorilla.BinaryMessage},
	} {
		require.NoError(t, s.post(s.client(), id, []byte(tt.data)), name)
		kind, data, err := conn.ReadMessage()
		require.NoError(t, err, name)
		require.Equal(t, tt.kind, kind, name)
		require.Equal(t, tt.data, string(data), name)
	}
}

// A function has credentials for a while, with a token. An endpoint may end in a slash.
func TestPostToConnectionFromAFunction(t *testing.T) {
	s := newStage(t, websocket.Config{})
	conn, id := s.dial("ua/1")
	require.NoError(t, s.post(s.client(func(o *management.Options) {
		o.Credentials, o.BaseEndpoint = static("ASIASHORT", secret, "session/token+=="), aws.String(s.srv.URL+"/prod/")
	}), id, []byte("hi")))
	_, data, err := conn.ReadMessage()
	require.NoError(t, err)
	require.Equal(t, "hi", string(data))
}

// Without AllowBinary bytes are no message, as the model's errors have none for it.
func TestPostToConnectionOfBytes(t *testing.T) {
	s := newStage(t, websocket.Config{})
	_, id := s.dial("ua/1")
	err := s.post(s.client(), id, []byte("\x00\xff\x80"))
	e, ok := errors.AsType[smithy.APIError](err)
	require.True(t, ok, "got %v", err)
	require.Equal(t, "BadRequestException", e.ErrorCode())
}

func TestGetConnection(t *testing.T) {
	s := newStage(t, websocket.Config{})
	before := time.Now().Truncate(time.Millisecond)
	_, id := s.dial("ua/1")
	got, err := s.get(s.client(), id)
	require.NoError(t, err)
	require.WithinRange(t, *got.ConnectedAt, before, time.Now())
	require.WithinRange(t, *got.LastActiveAt, *got.ConnectedAt, time.Now())
	require.Equal(t, "127.0.0.1", *got.Identity.SourceIp)
	require.Equal(t, "ua/1", *got.Identity.UserAgent)
	requestID, _ := awsmiddleware.GetRequestIDMetadata(got.ResultMetadata)
	require.Len(t, requestID, 16)

	require.NoError(t, s.post(s.client(), id, []byte("hi")))
	again, err := s.get(s.client(), id)
	require.NoError(t, err)
	require.Equal(t, got.ConnectedAt, again.ConnectedAt)
	require.WithinRange(t, *again.LastActiveAt, *got.LastActiveAt, time.Now())

	_, quiet := s.dial("")
	got, err = s.get(s.client(), quiet)
	require.NoError(t, err)
	require.Nil(t, got.Identity.UserAgent)
}

func TestDeleteConnection(t *testing.T) {
	s := newStage(t, websocket.Config{})
	conn, id := s.dial("ua/1")
	require.NoError(t, s.delete(s.client(), id))
	_, _, err := conn.ReadMessage()
	require.True(t, gorilla.IsCloseError(err, gorilla.CloseNormalClosure), "got %v", err)
	require.NoError(t, conn.Close())
	ended := <-s.ended
	require.Equal(t, []any{*id, 1000, ""}, []any{ended.ConnectionID, ended.CloseCode, ended.CloseReason})

	is[*types.GoneException](t, s.delete(s.client(), id), http.StatusGone)
	is[*types.GoneException](t, s.post(s.client(), id, []byte("hi")), http.StatusGone)
	_, err = s.get(s.client(), id)
	is[*types.GoneException](t, err, http.StatusGone)
}

// An ID is text of whoever calls: the SDK escapes it into one segment, which is nobody's.
func TestConnectionIDs(t *testing.T) {
	s := newStage(t, websocket.Config{})
	conn, id := s.dial("ua/1")
	require.Equal(t, 16, len(*id))
	require.NoError(t, s.post(s.client(), id, []byte("hi")))
	require.NoError(t, s.post(s.client(escapedAt), id, []byte("hi")))
	require.Equal(t, []string{
		"/prod/@connections/" + strings.TrimSuffix(*id, "=") + "%3D",
		"/prod/%40connections/" + strings.TrimSuffix(*id, "=") + "%3D",
	}, s.targets())
	for range 2 {
		_, data, err := conn.ReadMessage()
		require.NoError(t, err)
		require.Equal(t, "hi", string(data))
	}
	for _, unknown := range []string{
		"AAAAAAAAAAAAAAA=", "x", "a b", "é", "a+b", "a%3Db", "%", "a;b", "a&b=c", "a#b", ":", "~", strings.TrimSuffix(*id, "="), *id + "=",
	} {
		is[*types.GoneException](t, s.post(s.client(), &unknown, []byte("hi")), http.StatusGone)
	}
	for _, noID := range []string{"a/b", "a\\b", "*", "a?b", strings.Repeat("x", 129)} {
		is[*types.ForbiddenException](t, s.post(s.client(), &noID, []byte("hi")), http.StatusForbidden)
	}
}

// escapedAt has the SDK send the path as other clients do.
func escapedAt(o *management.Options) {
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		return stack.Build.Add(middleware.BuildMiddlewareFunc("EscapedAt", func(
			ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler,
		) (middleware.BuildOutput, middleware.Metadata, error) {
			u := in.Request.(*smithyhttp.Request).URL
			u.RawPath = strings.Replace(u.EscapedPath(), "@", "%40", 1)
			return next.HandleBuild(ctx, in)
		}), middleware.After)
	})
}

func TestPayloadTooLarge(t *testing.T) {
	s := newStage(t, websocket.Config{})
	conn, id := s.dial("ua/1")
	for _, n := range []int{128<<10 + 1, 1 << 20, 11 << 20} { // the last is more than SigV4 reads
		is[*types.PayloadTooLargeException](t, s.post(s.client(), id, make([]byte, n)), http.StatusRequestEntityTooLarge)
	}
	err := s.post(s.client(), id, make([]byte, 128<<10+1))
	e, _ := errors.AsType[*types.PayloadTooLargeException](err)
	require.Equal(t, "Payload Too Large", e.ErrorMessage(), "the one message that the model has")
	require.NoError(t, s.post(s.client(), id, []byte("hi")))
	_, data, err := conn.ReadMessage()
	require.NoError(t, err)
	require.Equal(t, "hi", string(data), "nothing of the others has been sent")
}

func TestForbidden(t *testing.T) {
	s := newStage(t, websocket.Config{})
	conn, id := s.dial("ua/1")
	for name, change := range map[string]func(*management.Options){
		"wrong-secret": func(o *management.Options) { o.Credentials = static(keyID, "x"+secret, "") },
		"unknown-key":  func(o *management.Options) { o.Credentials = static("AKIDNOBODY", secret, "") },
		"wrong-region": func(o *management.Options) { o.Region = "eu-west-1" },
		"wrong-token":  func(o *management.Options) { o.Credentials = static("ASIASHORT", secret, "another") },
		"unsigned":     func(o *management.Options) { o.Credentials = aws.AnonymousCredentials{} },
		"another-permission": func(o *management.Options) {
			o.Credentials = static("AKIDINVOKER", secret, "")
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := s.client(change)
			is[*types.ForbiddenException](t, s.post(c, id, []byte("hi")), http.StatusForbidden)
			_, err := s.get(c, id)
			is[*types.ForbiddenException](t, err, http.StatusForbidden)
			is[*types.ForbiddenException](t, s.delete(c, id), http.StatusForbidden)
		})
	}
	poster := s.client(func(o *management.Options) { o.Credentials = static("AKIDPOSTER", secret, "") })
	_, err := s.get(poster, id)
	is[*types.ForbiddenException](t, err, http.StatusForbidden)
	is[*types.ForbiddenException](t, s.delete(poster, id), http.StatusForbidden)
	require.NoError(t, s.post(poster, id, []byte("hi")))
	_, data, err := conn.ReadMessage()
	require.NoError(t, err)
	require.Equal(t, "hi", string(data), "and it is the first one")
}

// A client that reads nothing has a queue that is full sooner or later. Others don't notice, and the SDK comes again by itself.
func TestLimitExceeded(t *testing.T) {
	s := newStage(t, websocket.Config{MaxQueueBytes: 64 << 10})
	slow, _ := websockettest.Dial(t.Context(), s.api, "ws://loopback.example/prod", nil) // over TCP the kernel takes megabytes first
	require.NotNil(t, slow)
	defer slow.Reset()
	slowID := aws.String(<-s.ids)
	slow.Pause()
	require.NoError(t, s.post(s.client(), slowID, []byte("hi"))) // it may be reading a first frame
	message := []byte(strings.Repeat("x", 10_000))
	for range 6 {
		require.NoError(t, s.post(s.client(), slowID, message))
	}
	is[*types.LimitExceededException](t, s.post(s.client(), slowID, message), http.StatusTooManyRequests)
	conn, id := s.dial("ua/1")
	require.NoError(t, s.post(s.client(), id, []byte("hi")))
	_, data, err := conn.ReadMessage()
	require.NoError(t, err)
	require.Equal(t, "hi", string(data))

	s.mu.Lock()
	s.saw, s.bump = nil, sync.OnceFunc(slow.Resume)
	s.mu.Unlock()
	patient := s.client(func(o *management.Options) {
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts, o.MaxBackoff, o.RateLimiter = 0, 10*time.Millisecond, unlimited{}
		})
	})
	require.NoError(t, s.post(patient, slowID, []byte(strings.Repeat("y", 10_000))))
	require.Greater(t, len(s.targets()), 1)
	for i := range 8 {
		m, err := slow.Receive(time.Minute)
		require.NoError(t, err)
		require.Equal(t, []string{"h", "x", "x", "x", "x", "x", "x", "y"}[i], m[:1], "all that was accepted, once and in order")
	}
}

// unlimited lets the SDK ask as often as it takes.
type unlimited struct{}

func (unlimited) GetToken(context.Context, uint) (func() error, error) {
	return func() error { return nil }, nil
}
func (unlimited) AddTokens(uint) error { return nil }

// A throttle in front refuses in the same words.
func TestLimitExceededByAThrottle(t *testing.T) {
	limit := gatekit.Must(throttle.New(throttle.Limit{Rate: 1e-6, Burst: 1}))
	s := newStage(t, websocket.Config{}, limit.Middleware)
	_, id := s.dial("ua/1")
	_, err := s.get(s.client(), id)
	require.NoError(t, err)
	_, err = s.get(s.client(), id)
	is[*types.LimitExceededException](t, err, http.StatusTooManyRequests)
	is[*types.LimitExceededException](t, s.post(s.client(), id, []byte("hi")), http.StatusTooManyRequests)
}

// Where it can't be known if a connection is there, the SDK hears that it should ask again, and not that it is gone.
func TestUnavailable(t *testing.T) {
	m := websocket.NewMemory(time.Hour)
	owner := newStage(t, websocket.Config{Registry: m, Transport: m})
	other := newStage(t, websocket.Config{Registry: m, Transport: m})
	conn, id := owner.dial("ua/1")
	require.NoError(t, other.post(other.client(), id, []byte("hi")), "on whatever machine it is")
	_, data, err := conn.ReadMessage()
	require.NoError(t, err)
	require.Equal(t, "hi", string(data))

	m.Sever("abc123/prod", owner.api.Node())
	err = other.post(other.client(), id, []byte("hi"))
	e, ok := errors.AsType[smithy.APIError](err)
	require.True(t, ok, "got %v", err)
	require.Equal(t, "ServiceUnavailableException", e.ErrorCode())
	require.True(t, retry.NewStandard().IsErrorRetryable(err))
	m.Mend("abc123/prod", owner.api.Node())
	require.NoError(t, other.post(other.client(), id, []byte("hi")))
}
