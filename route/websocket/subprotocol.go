package websocket

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit"
)

// BearerFromSubprotocol returns a middleware that takes a token out of the subprotocols that a
// client offers, where a browser can put one:
//
//	new WebSocket("wss://api.example/prod", ["chat.v1", "bearer." + token])
//
// Behind it the token is in the header Authorization, for an authorizer, and no longer among the
// subprotocols, so that neither $connect nor any log of its events sees it. A client that sends
// two, or one and an Authorization, is refused (400): of two readers each would take another one.
// As a browser wants one of its subprotocols selected, list yours in Config.Subprotocols.
//
// prefix is what such a subprotocol begins with, "bearer." if it is empty. The error is of a prefix
// that can't begin one.
func BearerFromSubprotocol(prefix string) (gatekit.Middleware, error) {
	if prefix == "" {
		prefix = "bearer."
	}
	if !isProtocol(prefix) {
		return nil, fmt.Errorf("websocket: BearerFromSubprotocol: prefix: want a token, got %q", prefix)
	}
	return func(next http.Handler) http.Handler { return &bearer{prefix: prefix, next: next} }, nil
}

type bearer struct {
	prefix string
	next   http.Handler
}

// Station implements [gatekit.Station].
func (h *bearer) Station() (kind string, next http.Handler) { return "websocket.Bearer", h.next }

var errTwoCredentials = &gatekit.Rejection{Type: gatekit.Default4XX, Status: http.StatusBadRequest, Cause: errors.New(
	"websocket: the handshake has more than one credential")}

func (h *bearer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token, rest, n := cutCredential(r, h.prefix)
	switch {
	case n == 0:
		h.next.ServeHTTP(w, r)
		return
	case n > 1 || len(r.Header["Authorization"]) > 0:
		gatekit.Reject(w, r, errTwoCredentials)
		return
	}
	rest.Header["Authorization"] = []string{"Bearer " + token}
	h.next.ServeHTTP(w, rest)
}

// cutCredential takes the subprotocols that begin with prefix out of those that r offers. It
// returns what is behind the prefix of the last one, how many there are, and, if there are any, a
// request without them.
func cutCredential(r *http.Request, prefix string) (credential string, rest *http.Request, n int) {
	var kept []string
	for _, line := range r.Header["Sec-Websocket-Protocol"] {
		for p := range strings.SplitSeq(line, ",") {
			p = strings.Trim(p, " \t")
			if after, ok := strings.CutPrefix(p, prefix); ok {
				credential = after
				n++
			} else if p != "" && !slices.Contains(kept, p) {
				kept = append(kept, p)
			}
		}
	}
	if n == 0 {
		return "", r, 0
	}
	_, rest = gatekit.Attach(r)
	copied := *rest
	copied.Header = maps.Clone(rest.Header)
	delete(copied.Header, "Sec-Websocket-Protocol")
	if len(kept) > 0 {
		copied.Header["Sec-Websocket-Protocol"] = []string{strings.Join(kept, ", ")}
	}
	return credential, &copied, n
}
