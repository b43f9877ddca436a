package websocket

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/gatekit-go/gatekit"
)

// Authenticate returns a handler for a route with which a client shows a token on a connection that
// is open: the first one where Config.AuthenticateWithin is set, or a fresh one before the old one
// expires. A browser can't set headers of a handshake, and a token in its URL would be in logs.
//
//	h, err := api.Authenticate(jwt.Middleware, "$request.body.token", nil)
//	api.Handle("authenticate", h)
//
// token says where in the message it is, as a selection expression; guard sees it as a bearer token
// in the header Authorization. What guard learns holds for the messages behind this one, in the
// order in which they are served. A caller with another principal than before is refused: who has
// joined what as somebody else must connect anew. then answers, with the new Authorization; nil
// answers nothing.
//
// The error is of a nil guard, or a token that isn't a selection expression.
func (a *API) Authenticate(guard gatekit.Middleware, token string, then http.Handler) (http.Handler, error) {
	if guard == nil {
		return nil, errors.New("websocket: Authenticate: guard: want an authorizer's Middleware, got nil")
	}
	s, err := parseSelection(token)
	if err != nil {
		return nil, fmt.Errorf("websocket: Authenticate: token: %w", err)
	}
	h := &authenticator{api: a, token: s, then: then}
	h.guarded = guard(http.HandlerFunc(h.admitted))
	return h, nil
}

type authenticator struct {
	api     *API
	token   *selection
	guarded http.Handler
	then    http.Handler
}

var (
	errNoToken = &gatekit.Rejection{Type: gatekit.Unauthorized, Cause: errors.New("websocket: the message has no token")}
	errCaller  = &gatekit.Rejection{Type: gatekit.AccessDenied, Cause: errors.New(
		"websocket: the token is of another caller than the connection")}
	errGuard = &gatekit.Rejection{Type: gatekit.AuthorizerConfigurationError, Cause: errors.New(
		"websocket: the guard has passed a caller that it knows nothing of")}
)

func (h *authenticator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		gatekit.Reject(w, r, err)
		return
	}
	token, _ := h.token.evaluate(body)
	if !isToken68(token) {
		gatekit.Reject(w, r, errNoToken)
		return
	}
	rc := gatekit.From(r.Context())
	rc.Authorization = nil // so that one that the guard has set is the token's
	r.Header["Authorization"] = []string{"Bearer " + token}
	r.Body = http.NoBody
	r.ContentLength = 0
	h.guarded.ServeHTTP(w, r)
}

// admitted is behind the guard.
func (h *authenticator) admitted(w http.ResponseWriter, r *http.Request) {
	rc := gatekit.From(r.Context())
	s := h.api.local(r.Context(), rc.ConnectionID())
	switch {
	case rc.Authorization == nil:
		gatekit.Reject(w, r, errGuard)
		return
	case s == nil: // the client has left
		return
	}
	before := s.authorization.Load()
	if before != nil && before.Principal() != rc.Authorization.Principal() {
		gatekit.Reject(w, r, errCaller)
		return
	}
	if !s.authorization.CompareAndSwap(before, rc.Authorization) { // of two at once one counts
		gatekit.Reject(w, r, errCaller)
		return
	}
	s.closeAtExpiry()
	h.api.rerecord(r.Context(), s)
	delete(r.Header, "Authorization")
	if h.then != nil {
		h.then.ServeHTTP(w, r)
	}
}

// maxToken is how long a token may be.
const maxToken = 16 << 10

// isToken68 reports whether s may stand behind "Bearer". (RFC 6750, section 2.1.)
func isToken68(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isNameByte(c) && c != '-' && c != '.' && c != '~' && c != '+' && c != '/' && c != '=' {
			return false
		}
	}
	return s != "" && len(s) <= maxToken
}
