package websocket

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/jsonlex"
)

// Connections returns the management API: POST, GET and DELETE of …/@connections/ID, for backends
// that write to clients. Mount it beside the API:
//
//	conns, err := api.Connections(sigv4.Middleware)
//	mux.Handle("/prod", api)
//	mux.Handle("/prod/@connections/", conns)
//
// guard is an authorizer's Middleware. auth.SigV4 asks the caller's policy for
// execute-api:ManageConnections on …/STAGE/METHOD/@connections/ID; of any other authorizer the
// verdict counts. A nil guard is refused, and a caller of whom it has learned nothing gets 403, as
// does everybody whom it refuses. mw stand in front of it: throttles, logs.
//
// Answers have the header X-Amzn-Errortype, by which SDKs tell them apart, in this order: 403
// (ForbiddenException), 405, 413 (PayloadTooLargeException), 400, 410 (GoneException), 429
// (LimitExceededException); 503 where it can't be known on which machine a connection is. Their
// X-Amzn-Requestid, which SDKs name in errors, is the ID that logs have.
func (a *API) Connections(guard gatekit.Middleware, mw ...gatekit.Middleware) (http.Handler, error) {
	if guard == nil {
		return nil, errors.New("websocket: Connections: guard: want an authorizer's Middleware, got nil")
	}
	if err := checkMiddlewares(mw); err != nil {
		return nil, errors.Join(errors.New("websocket: Connections: mw"), err)
	}
	h := &connections{api: a}
	h.guarded = gatekit.Chain(&unverified{guard(http.HandlerFunc(h.serve))}, mw...)
	return h, nil
}

// unverified stands in front of the guard, whose verdict alone counts: that of an authorizer
// further out is of somebody who may use the API, and not of one who may write to its clients.
type unverified struct{ next http.Handler }

// Station implements [gatekit.Station].
func (h *unverified) Station() (kind string, next http.Handler) {
	return "websocket.connections", h.next
}

func (h *unverified) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	gatekit.From(r.Context()).Authorization = nil
	h.next.ServeHTTP(w, r)
}

type connections struct {
	api     *API
	guarded http.Handler
}

// ServeHTTP states the route, whose key is the end of its ARN, and asks the guard.
func (h *connections) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rc, r := gatekit.Attach(r)
	rc.API = &h.api.identity
	if h.api.proxies.Any() {
		rc.SetSourceIP(h.api.proxies.SourceIP(r))
	}
	rc.SetRequestIDHeaders(w.Header())
	w.Header()["X-Amzn-Requestid"] = []string{rc.RequestID()} // SDKs look there, and name it in errors
	rc.SetResponder(answerRefusal)
	id, ok := connectionID(r.URL.EscapedPath())
	if !ok {
		gatekit.Reject(w, r, errForbidden)
		return
	}
	rc.Route = &gatekit.Route{Key: r.Method + "/@connections/" + id}
	h.guarded.ServeHTTP(w, r)
}

var errForbidden = &gatekit.Rejection{Type: gatekit.AccessDenied, Cause: errors.New(
	"websocket: @connections: not the path of a connection, or a caller whom the guard knows nothing of")}

// connectionID returns the last segment of a path, whose last but one is @connections: botocore
// sends its @ as it is, other clients escaped. What isn't an ID is somebody's who could as well be
// known.
func connectionID(escapedPath string) (string, bool) {
	rest, id, ok := lastSegment(escapedPath)
	if !ok {
		return "", false
	}
	_, word, ok := lastSegment(rest)
	if !ok {
		return "", false
	}
	if word, err := url.PathUnescape(word); err != nil || word != "@connections" {
		return "", false
	}
	id, err := url.PathUnescape(id)
	return id, err == nil && id != "" && len(id) <= 128 && !strings.ContainsAny(id, "/\\*?")
}

func lastSegment(path string) (rest, segment string, ok bool) {
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return "", "", false
	}
	return path[:i], path[i+1:], true
}

// serve is behind the guard.
func (h *connections) serve(w http.ResponseWriter, r *http.Request) {
	rc := gatekit.From(r.Context())
	if rc.Authorization == nil {
		gatekit.Reject(w, r, errForbidden)
		return
	}
	_, id, _ := strings.Cut(rc.RouteKey(), "/@connections/")
	switch r.Method {
	case http.MethodPost:
		h.post(w, r, id)
	case http.MethodGet:
		h.get(w, r, id)
	case http.MethodDelete:
		if err := h.api.Disconnect(r.Context(), id); err != nil {
			h.fail(w, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header()["Allow"] = []string{"DELETE, GET, POST"}
		answerError(w, http.StatusMethodNotAllowed, "MethodNotAllowedException", "Method Not Allowed")
	}
}

func (h *connections) post(w http.ResponseWriter, r *http.Request, id string) {
	data, err := io.ReadAll(io.LimitReader(r.Body, maxPushBytes+1))
	if err != nil {
		answerError(w, http.StatusBadRequest, "BadRequestException", "Bad Request")
		return
	}
	t := Text
	if h.api.checkData(Text, data) == errNotText {
		t = Binary
	}
	if err := h.api.Send(r.Context(), id, t, data); err != nil {
		h.fail(w, err)
		return
	}
	w.Header()["Content-Length"] = []string{"0"}
	w.WriteHeader(http.StatusOK)
}

func (h *connections) get(w http.ResponseWriter, r *http.Request, id string) {
	info, err := h.api.Info(r.Context(), id)
	if err != nil {
		h.fail(w, err)
		return
	}
	const iso = "2006-01-02T15:04:05.000Z"
	b := append([]byte(`{"connectedAt":"`), info.ConnectedAt.UTC().Format(iso)...)
	b = jsonlex.AppendString(append(b, `","identity":{"sourceIp":`...), info.SourceIP)
	if info.UserAgent != "" {
		b = jsonlex.AppendString(append(b, `,"userAgent":`...), info.UserAgent)
	}
	b = append(append(append(b, `},"lastActiveAt":"`...), info.LastActiveAt.UTC().Format(iso)...), `"}`...)
	w.Header()["Content-Type"] = []string{"application/json"}
	w.Header()["Content-Length"] = []string{strconv.Itoa(len(b))}
	_, _ = w.Write(b)
}

// fail answers with what an error stands for.
func (h *connections) fail(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, ErrGone):
		answerError(w, http.StatusGone, "GoneException", "Gone")
	case errors.Is(err, ErrTooLarge):
		answerError(w, http.StatusRequestEntityTooLarge, "PayloadTooLargeException", "Payload Too Large")
	case errors.Is(err, ErrFull):
		answerError(w, http.StatusTooManyRequests, "LimitExceededException", "Limit Exceeded")
	case errors.Is(err, errNotText):
		answerError(w, http.StatusBadRequest, "BadRequestException", "Bad Request")
	default:
		w.Header()["Retry-After"] = []string{"1"}
		answerError(w, http.StatusServiceUnavailable, "ServiceUnavailableException", "Service Unavailable")
	}
}

// answerRefusal answers what a station in front refuses: whatever an authorizer says is a 403.
func answerRefusal(w http.ResponseWriter, _ *http.Request, why *gatekit.Rejection) {
	why.SetHeaders(w.Header())
	switch status := why.StatusFor(gatekit.WebSocket); {
	case status == http.StatusTooManyRequests:
		answerError(w, status, "LimitExceededException", "Limit Exceeded")
	case status == http.StatusRequestEntityTooLarge:
		answerError(w, status, "PayloadTooLargeException", "Payload Too Large")
	case status == http.StatusUnauthorized || status == http.StatusForbidden || status == http.StatusBadRequest:
		answerError(w, http.StatusForbidden, "ForbiddenException", "Forbidden")
	case status >= 500:
		answerError(w, status, "InternalServerErrorException", "Internal server error")
	default:
		answerError(w, status, why.ErrorType(), why.MessageFor(gatekit.WebSocket))
	}
}

func answerError(w http.ResponseWriter, status int, kind, message string) {
	h := w.Header()
	h["X-Amzn-Errortype"] = []string{kind}
	h["Content-Type"] = []string{"application/json"}
	b := append(jsonlex.AppendString([]byte(`{"message":`), message), '}')
	h["Content-Length"] = []string{strconv.Itoa(len(b))}
	w.WriteHeader(status)
	_, _ = w.Write(b)
}
