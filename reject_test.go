package gatekit_test

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
)

// described returns a request of an API of flavor f.
func described(f gatekit.Flavor, method string) *http.Request {
	rc, r := gatekit.Attach(httptest.NewRequest(method, "/x", nil))
	rc.API = &gatekit.API{Flavor: f}
	return r
}

func reject(r *http.Request, why error) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	gatekit.Reject(w, r, why)
	return w
}

// The bodies and error types of every response type, byte for byte.
func TestAnswers(t *testing.T) {
	for _, tt := range []struct {
		kind       gatekit.ResponseType
		name       string
		http       int
		httpBody   string
		rest       int
		restBody   string
		errorType  string
		restLength int
	}{
		{gatekit.AccessDenied, "ACCESS_DENIED", 403, `{"message":"Forbidden"}`, 403, `{"Message":"User is not authorized to access this resource"}`, "AccessDeniedException", 60},
		{gatekit.APIConfigurationError, "API_CONFIGURATION_ERROR", 500, `{"message":"Internal Server Error"}`, 500, `{"message": "Internal server error"}`, "InternalServerErrorException", 36},
		{gatekit.AuthorizerConfigurationError, "AUTHORIZER_CONFIGURATION_ERROR", 500, `{"message":"Internal Server Error"}`, 500, `{"message":null}`, "AuthorizerConfigurationException", 16},
		{gatekit.AuthorizerFailure, "AUTHORIZER_FAILURE", 500, `{"message":"Internal Server Error"}`, 500, `{"message":null}`, "AuthorizerFailureException", 16},
		{gatekit.BadRequestBody, "BAD_REQUEST_BODY", 400, `{"message":"Bad Request"}`, 400, `{"message":"Invalid request body"}`, "BadRequestException", 34},
		{gatekit.BadRequestParameters, "BAD_REQUEST_PARAMETERS", 400, `{"message":"Bad Request"}`, 400, `{"message":"Missing required request parameters"}`, "BadRequestException", 49},
		{gatekit.Default4XX, "DEFAULT_4XX", 400, `{"message":"Bad Request"}`, 400, `{"message":"Bad Request"}`, "BadRequestException", 25},
		{gatekit.Default5XX, "DEFAULT_5XX", 500, `{"message":"Internal Server Error"}`, 500, `{"message": "Internal server error"}`, "InternalServerErrorException", 36},
		{gatekit.ExpiredToken, "EXPIRED_TOKEN", 403, `{"message":"Forbidden"}`, 403, `{"message":"The security token included in the request is expired"}`, "ExpiredTokenException", 67},
		{gatekit.IntegrationFailure, "INTEGRATION_FAILURE", 503, `{"message":"Service Unavailable"}`, 504, `{"message": "Internal server error"}`, "InternalServerErrorException", 36},
		{gatekit.IntegrationTimeout, "INTEGRATION_TIMEOUT", 503, `{"message":"Service Unavailable"}`, 504, `{"message": "Endpoint request timed out"}`, "InternalServerErrorException", 41},
		{gatekit.InvalidAPIKey, "INVALID_API_KEY", 403, `{"message":"Forbidden"}`, 403, `{"message":"Forbidden"}`, "ForbiddenException", 23},
		{gatekit.InvalidSignature, "INVALID_SIGNATURE", 403, `{"message":"Forbidden"}`, 403, `{"message":"Forbidden"}`, "InvalidSignatureException", 23},
		{gatekit.MissingAuthenticationToken, "MISSING_AUTHENTICATION_TOKEN", 403, `{"message":"Forbidden"}`, 403, `{"message":"Missing Authentication Token"}`, "MissingAuthenticationTokenException", 42},
		{gatekit.QuotaExceeded, "QUOTA_EXCEEDED", 429, `{"message":"Limit Exceeded"}`, 429, `{"message":"Limit Exceeded"}`, "LimitExceededException", 28},
		{gatekit.RequestTooLarge, "REQUEST_TOO_LARGE", 413, `{"message":"Request Entity Too Large"}`, 413, `{"message": "Request Too Long"}`, "BadRequestException", 31},
		{gatekit.ResourceNotFound, "RESOURCE_NOT_FOUND", 404, `{"message":"Not Found"}`, 404, `{"message":"Not Found"}`, "ResourceNotFoundException", 23},
		{gatekit.Throttled, "THROTTLED", 429, `{"message":"Too Many Requests"}`, 429, `{"message":"Too Many Requests"}`, "TooManyRequestsException", 31},
		{gatekit.Unauthorized, "UNAUTHORIZED", 401, `{"message":"Unauthorized"}`, 401, `{"message":"Unauthorized"}`, "UnauthorizedException", 26},
		{gatekit.UnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", 415, `{"message":"Unsupported Media Type"}`, 415, `{"message":"Unsupported Media Type"}`, "BadRequestException", 36},
		{gatekit.WAFFiltered, "WAF_FILTERED", 403, `{"message":"Forbidden"}`, 403, `{"message":"Forbidden"}`, "ForbiddenException", 23},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.name, tt.kind.String())
			w := reject(described(gatekit.HTTP, "GET"), &gatekit.Rejection{Type: tt.kind})
			require.Equal(t, tt.http, w.Code)
			require.Equal(t, tt.httpBody, w.Body.String())
			require.Equal(t, strconv.Itoa(len(tt.httpBody)), w.Header().Get("Content-Length"))
			require.Regexp(t, `^[A-Za-z0-9_-]{15}=$`, w.Header().Get("apigw-requestid"))
			require.Empty(t, w.Header().Get("x-amzn-ErrorType"))
			require.Empty(t, w.Header().Get("x-amzn-RequestId"))

			w = reject(described(gatekit.REST, "GET"), &gatekit.Rejection{Type: tt.kind})
			require.Equal(t, tt.rest, w.Code)
			require.Equal(t, tt.restBody, w.Body.String())
			require.Equal(t, strconv.Itoa(tt.restLength), w.Header().Get("Content-Length"))
			require.Equal(t, "application/json", w.Header().Get("Content-Type"))
			require.Equal(t, tt.errorType, w.Header().Get("x-amzn-ErrorType"))
			require.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, w.Header().Get("x-amzn-RequestId"))
			require.Regexp(t, `^[A-Za-z0-9_-]{15}=$`, w.Header().Get("x-amz-apigw-id"))
			require.Empty(t, w.Header().Get("apigw-requestid"))

			w = reject(described(gatekit.WebSocket, "GET"), &gatekit.Rejection{Type: tt.kind})
			require.Equal(t, tt.rest, w.Code)
		})
	}
}

// A Rejection's own error type goes before its type's, and only a REST API sends it.
func TestErrorTypeOfARejection(t *testing.T) {
	rej := &gatekit.Rejection{Type: gatekit.InvalidSignature, Header: http.Header{"X-Amzn-Errortype": {"IncompleteSignatureException"}}}
	for flavor, want := range map[gatekit.Flavor][]string{gatekit.REST: {"IncompleteSignatureException"}, gatekit.HTTP: nil, gatekit.WebSocket: nil} {
		require.Equal(t, want, reject(described(flavor, "GET"), rej).Header()["X-Amzn-Errortype"])
	}
	require.Equal(t, http.Header{"X-Amzn-Errortype": {"IncompleteSignatureException"}}, rej.Header)
}

// The recorded 503 of an HTTP API has no content type, also on the wire.
func Test503HasNoContentType(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.IntegrationTimeout})
	}))
	defer server.Close()
	w, err := http.Get(server.URL)
	require.NoError(t, err)
	defer w.Body.Close()
	require.Equal(t, 503, w.StatusCode)
	require.NotContains(t, w.Header, "Content-Type")
	require.Equal(t, "33", w.Header.Get("Content-Length"))
}

func TestStatusAndMessageOfARejection(t *testing.T) {
	for _, tt := range []struct {
		flavor gatekit.Flavor
		rej    gatekit.Rejection
		status int
		body   string
	}{
		{gatekit.HTTP, gatekit.Rejection{Type: gatekit.IntegrationFailure, Status: 500}, 500, `{"message":"Internal Server Error"}`},
		{gatekit.REST, gatekit.Rejection{Type: gatekit.IntegrationFailure, Status: 502}, 502, `{"message": "Internal server error"}`},
		{gatekit.REST, gatekit.Rejection{Type: gatekit.IntegrationFailure, Message: "Network error communicating with endpoint"}, 504, `{"message": "Network error communicating with endpoint"}`},
		{gatekit.HTTP, gatekit.Rejection{Status: 414}, 414, `{"message":"Request URI Too Long"}`},
		{gatekit.HTTP, gatekit.Rejection{Status: 502}, 502, `{"message":"Bad Gateway"}`},
		{gatekit.HTTP, gatekit.Rejection{}, 500, `{"message":"Internal Server Error"}`},
		{gatekit.HTTP, gatekit.Rejection{Type: 200, Status: 200}, 500, `{"message":"Internal Server Error"}`},
		{gatekit.WebSocket, gatekit.Rejection{Type: gatekit.IntegrationTimeout}, 504, `{"message":"Gateway Timeout"}`},
		{gatekit.REST, gatekit.Rejection{Type: gatekit.AccessDenied, Message: "a <b> & \"c\"\n\xff"}, 403, `{"Message":"a <b> & \"c\"\n\ufffd"}`},
		{gatekit.HTTP, gatekit.Rejection{Status: 400, Message: "\xff"}, 400, `{"message":"\ufffd"}`},
		{gatekit.HTTP, gatekit.Rejection{Status: 400, Message: "a\u2028b"}, 400, `{"message":"a\u2028b"}`},
		{gatekit.HTTP, gatekit.Rejection{Status: 400, Message: `\`}, 400, `{"message":"\\"}`},
	} {
		w := reject(described(tt.flavor, "GET"), &tt.rej)
		require.Equal(t, tt.status, w.Code, "%+v", tt)
		require.Equal(t, tt.body, w.Body.String(), "%+v", tt)
	}
}

func TestOtherErrorsAre500AndStayInside(t *testing.T) {
	for _, why := range []error{nil, errors.New("the password is hunter2"), (*gatekit.Rejection)(nil)} {
		r := described(gatekit.HTTP, "GET")
		w := reject(r, why)
		require.Equal(t, 500, w.Code)
		require.Equal(t, `{"message":"Internal Server Error"}`, w.Body.String())
		require.Equal(t, gatekit.Default5XX, gatekit.From(r.Context()).Rejection().Type)
	}
	wrapped := errors.Join(errors.New("x"), &gatekit.Rejection{Type: gatekit.Throttled, Cause: http.ErrBodyNotAllowed})
	r := described(gatekit.HTTP, "GET")
	require.Equal(t, 429, reject(r, wrapped).Code)
	require.ErrorIs(t, gatekit.From(r.Context()).Rejection(), http.ErrBodyNotAllowed)
	require.EqualError(t, &gatekit.Rejection{Type: gatekit.Throttled, Message: "m", Cause: errors.New("c")}, "gatekit: THROTTLED: m: c")
}

func TestRejectWithoutAContext(t *testing.T) {
	w := reject(httptest.NewRequest("GET", "/", nil), &gatekit.Rejection{Type: gatekit.Unauthorized})
	require.Equal(t, 401, w.Code)
	require.NotEmpty(t, w.Header().Get("Apigw-Requestid"))
}

func TestRejectHEAD(t *testing.T) {
	w := reject(described(gatekit.HTTP, "HEAD"), &gatekit.Rejection{Type: gatekit.Unauthorized})
	require.Empty(t, w.Body.String())
	require.Equal(t, "26", w.Header().Get("Content-Length"))
}

func TestRejectCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	r := described(gatekit.HTTP, "GET")
	r = r.WithContext(ctx)
	rc, r := gatekit.Attach(r)
	cancel()
	w := &countingWriter{ResponseRecorder: httptest.NewRecorder()}
	gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.Unauthorized})
	require.Zero(t, w.calls)
	require.Equal(t, gatekit.Unauthorized, rc.Rejection().Type, "it is recorded all the same")
	late, cancel := context.WithTimeout(context.Background(), 0)
	defer cancel()
	require.Equal(t, 401, reject(described(gatekit.HTTP, "GET").WithContext(late), &gatekit.Rejection{Type: gatekit.Unauthorized}).Code, "past a deadline the client is still there")
}

type countingWriter struct {
	*httptest.ResponseRecorder
	calls int
}

func (w *countingWriter) WriteHeader(s int)           { w.calls++; w.ResponseRecorder.WriteHeader(s) }
func (w *countingWriter) Write(b []byte) (int, error) { w.calls++; return w.ResponseRecorder.Write(b) }

func TestRejectReplacesWhatBelongedToAnotherBody(t *testing.T) {
	w := httptest.NewRecorder()
	for _, name := range []string{"Content-Encoding", "Content-Range", "Trailer", "Etag", "Last-Modified", "Content-Length", "Content-Type", "Apigw-Requestid"} {
		w.Header().Set(name, "x")
	}
	w.Header().Set("Access-Control-Allow-Origin", "https://myapp.com")
	r := described(gatekit.HTTP, "GET")
	gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.Throttled, Header: http.Header{"retry-after": {"3"}}})
	require.Equal(t, http.Header{
		"Access-Control-Allow-Origin": {"https://myapp.com"}, "Retry-After": {"3"}, "Content-Type": {"application/json"}, "Content-Length": {"31"},
		"Apigw-Requestid": {gatekit.From(r.Context()).RequestID()},
	}, w.Header())
}

// A Rejection that is made once serves all requests: nothing of an answer reaches it or the next
// one.
func TestRejectionsAreNotModified(t *testing.T) {
	once := &gatekit.Rejection{Type: gatekit.Throttled, Header: http.Header{"Retry-After": {"3"}}}
	for range 2 {
		w := reject(described(gatekit.REST, "GET"), once)
		require.Equal(t, []string{"3"}, w.Header()["Retry-After"])
		for name := range w.Header() {
			for i := range w.Header()[name] {
				w.Header()[name][i] = "spoiled"
			}
		}
		w.Header().Add("Retry-After", "more")
	}
	require.Equal(t, &gatekit.Rejection{Type: gatekit.Throttled, Header: http.Header{"Retry-After": {"3"}}}, once)
}

func TestResponder(t *testing.T) {
	rc, r := gatekit.Attach(httptest.NewRequest("GET", "/", nil))
	calls := 0
	rc.SetResponder(func(w http.ResponseWriter, r *http.Request, rej *gatekit.Rejection) {
		calls++
		require.Same(t, rej, rc.Rejection())
		w.Header().Set("Content-Type", "text/plain")
		http.Error(w, strings.ToLower(rej.Type.String())+" "+rej.MessageFor(rc.API.Flavor), http.StatusTeapot)
	})
	first := &gatekit.Rejection{Type: gatekit.Unauthorized}
	w := reject(r, first)
	require.Equal(t, 418, w.Code)
	require.Equal(t, "unauthorized Unauthorized\n", w.Body.String())
	require.Equal(t, rc.RequestID(), w.Header().Get("Apigw-Requestid"))
	require.Equal(t, 1, calls)
	require.Equal(t, 429, reject(r, &gatekit.Rejection{Type: gatekit.Throttled}).Code, "the second refusal of one request is in the flavor's form")
	require.Same(t, first, rc.Rejection(), "and the first stays the one recorded")

	rc, r = gatekit.Attach(httptest.NewRequest("GET", "/", nil))
	rc.SetResponder(func(w http.ResponseWriter, r *http.Request, rej *gatekit.Rejection) { gatekit.Reject(w, r, rej) })
	require.Equal(t, 401, reject(r, first).Code, "a Reject within a responder ends")
}

// RetryAfter and Challenge are headers without a Header, also through a responder that sets them.
func TestRetryAfterAndChallenge(t *testing.T) {
	for _, tt := range []struct {
		name            string
		rej             gatekit.Rejection
		wait, challenge []string
	}{
		{"none", gatekit.Rejection{}, nil, nil},
		{"a-nanosecond", gatekit.Rejection{RetryAfter: 1}, []string{"1"}, nil},
		{"a-second", gatekit.Rejection{RetryAfter: time.Second}, []string{"1"}, nil},
		{"a-moment-more", gatekit.Rejection{RetryAfter: time.Second + 1}, []string{"2"}, nil},
		{"the-longest", gatekit.Rejection{RetryAfter: math.MaxInt64}, []string{"9223372037"}, nil},
		{"negative", gatekit.Rejection{RetryAfter: -time.Second}, nil, nil},
		{"before-the-header's", gatekit.Rejection{RetryAfter: time.Minute, Header: http.Header{"Retry-After": {"7"}}}, []string{"60"}, nil},
		{"challenge", gatekit.Rejection{Challenge: "Bearer"}, nil, []string{"Bearer"}},
		{"challenges", gatekit.Rejection{Challenge: "Bearer", Header: http.Header{"Www-Authenticate": {"Negotiate", "Basic"}}}, nil, []string{"Bearer", "Negotiate", "Basic"}},
		{"challenges-of-the-header", gatekit.Rejection{Header: http.Header{"Www-Authenticate": {"Negotiate"}}}, nil, []string{"Negotiate"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bare := httptest.NewRequest("GET", "/", nil)
			rc, responding := gatekit.Attach(bare)
			rc.SetResponder(func(w http.ResponseWriter, _ *http.Request, rej *gatekit.Rejection) { rej.SetHeaders(w.Header()) })
			for name, r := range map[string]*http.Request{"bare": bare, "http": described(gatekit.HTTP, "GET"), "rest": described(gatekit.REST, "GET"), "responder": responding} {
				before := tt.rej
				w := reject(r, &tt.rej)
				require.Equal(t, tt.wait, w.Header()["Retry-After"], name)
				require.Equal(t, tt.challenge, w.Header()["Www-Authenticate"], name)
				require.Equal(t, before, tt.rej, "%s: unchanged", name)
				for _, values := range w.Header() {
					require.Equal(t, len(values), cap(values), "%s: who appends copies", name)
				}
			}
		})
	}
}

// The IDs in a refusal are the request's, whatever a handler has done to those in the headers.
func TestRequestIDsOfARefusal(t *testing.T) {
	for _, flavor := range []gatekit.Flavor{gatekit.HTTP, gatekit.REST, gatekit.WebSocket} {
		r := described(flavor, "GET")
		rc := gatekit.From(r.Context())
		w := httptest.NewRecorder()
		rc.SetRequestIDHeaders(w.Header())
		for _, values := range w.Header() {
			values[0] = "spoiled"
		}
		gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.Throttled, RetryAfter: 1000 * time.Second})
		id := "Apigw-Requestid"
		if flavor == gatekit.REST {
			id = "X-Amzn-Requestid"
			require.Equal(t, rc.ExtendedRequestID(), w.Header().Get("X-Amz-Apigw-Id"))
		}
		require.Equal(t, rc.RequestID(), w.Header().Get(id), "%v", flavor)
		require.Equal(t, "1000", w.Header().Get("Retry-After"))
	}
	// Two refusals without a context have two IDs.
	one, two := reject(httptest.NewRequest("GET", "/", nil), nil), reject(httptest.NewRequest("GET", "/", nil), nil)
	require.NotEqual(t, one.Header().Get("Apigw-Requestid"), two.Header().Get("Apigw-Requestid"))
	require.Len(t, one.Header().Get("Apigw-Requestid"), 16)
}

// A station in front of the APIs refuses in the form of one of them, attached or not, and attaches nothing. A header without values
// is one that the refusal takes out.
func TestRejectInTheNameOfAnAPI(t *testing.T) {
	api := &gatekit.API{Flavor: gatekit.REST}
	why := &gatekit.Rejection{
		Type: gatekit.Default4XX, Status: 403, Message: "Forbidden",
		Header: http.Header{"X-Amzn-Errortype": {"ForbiddenException"}, "x-amz-apigw-id": nil},
	}
	for _, attached := range []bool{false, true} {
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
		if attached {
			_, r = gatekit.Attach(r)
		}
		api.Reject(w, r, why)
		require.Equal(t, 403, w.Code)
		require.Equal(t, `{"message":"Forbidden"}`, w.Body.String())
		require.Equal(t, "ForbiddenException", w.Header().Get("X-Amzn-Errortype"))
		require.Regexp(t, "^[0-9a-f]{8}-[0-9a-f]{4}-4", w.Header().Get("X-Amzn-Requestid"))
		require.NotContains(t, w.Header(), "X-Amz-Apigw-Id")
		require.NotContains(t, w.Header(), "Apigw-Requestid")
		if rc := gatekit.From(r.Context()); attached {
			require.Same(t, why, rc.Rejection())
			require.Same(t, api, rc.API)
		} else {
			require.Nil(t, rc)
		}
	}
	r := httptest.NewRequest("GET", "/", nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := httptest.NewRecorder()
	api.Reject(w, r.WithContext(ctx), nil)
	require.Empty(t, w.Header(), "nobody is there to read it")
}
