package websocket

import (
	"context"
	"errors"
	"net/http"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/event"
	"github.com/gatekit-go/gatekit/internal/wholebody"
)

// Event is what happened on a connection.
type Event string

// What happens on a connection.
const (
	Connect    Event = "CONNECT"
	Receive    Event = "MESSAGE"
	Disconnect Event = "DISCONNECT"
)

// Message is what a [HandlerFunc] is called with: a message, or that a connection opens or has
// ended.
type Message struct {
	Event        Event
	RouteKey     string
	ConnectionID string
	// ID is $context.messageId, and Type and Data are the message. Data is the handler's.
	ID   string
	Type Type
	Data []byte
	// Authorization is what the authorizer of $connect has learned, or nil.
	Authorization *gatekit.Authorization
	// Request is the handshake of a Connect; of the others it is the request that the message
	// travels as.
	Request *http.Request
	// CloseCode and CloseReason are of a Disconnect.
	CloseCode   int
	CloseReason string
}

// Reply is what a HandlerFunc answers.
type Reply struct {
	Type Type
	Data []byte
	// Subprotocol is the one of the client's that $connect selects.
	Subprotocol string
}

// HandlerFunc is a handler in Go. A nil Reply sends nothing. An error that is a *gatekit.Rejection
// is the error frame of its type, and refuses the handshake with its status; any other one is an
// "Internal server error", whose text stays inside. Its context ends at Config.IntegrationTimeout;
// one that returns the context's error then has timed out.
//
//	api.Handle("join", websocket.HandlerFunc(func(ctx context.Context, m *websocket.Message) (*websocket.Reply, error) {
//		return &websocket.Reply{Data: []byte("welcome")}, nil
//	}))
type HandlerFunc func(ctx context.Context, m *Message) (*Reply, error)

// ServeHTTP implements http.Handler.
func (f HandlerFunc) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m, err := messageOf(r)
	if err != nil {
		gatekit.Reject(w, r, err)
		return
	}
	ctx := r.Context()
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-slack))
		defer cancel()
	}
	reply, err := f(ctx, m)
	switch {
	case errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil:
		gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.IntegrationTimeout, Cause: err})
		return
	case err != nil:
		gatekit.Reject(w, r, err)
		return
	case reply == nil:
		return
	}
	if reply.Subprotocol != "" {
		w.Header()["Sec-Websocket-Protocol"] = []string{reply.Subprotocol}
	}
	if reply.Type == Binary {
		w.Header()["Content-Type"] = []string{octetStream}
	}
	_, _ = w.Write(reply.Data) // what is too large is refused behind
}

// messageOf reads what a request stands for.
func messageOf(r *http.Request) (*Message, error) {
	rc := gatekit.From(r.Context())
	if rc == nil || rc.Connection == nil {
		return nil, errors.New("websocket: HandlerFunc: the request is of no connection")
	}
	s := event.SocketOf(rc)
	m := &Message{
		Event: Event(s.Type), RouteKey: rc.RouteKey(), ConnectionID: rc.Connection.ID, ID: s.MessageID,
		Authorization: rc.Authorization, Request: r, CloseCode: s.Code, CloseReason: s.Reason,
	}
	if m.Event != Receive {
		return m, nil
	}
	if v := r.Header["Content-Type"]; len(v) > 0 && v[0] == octetStream {
		m.Type = Binary
	}
	var err error
	m.Data, err = wholebody.Read("websocket: HandlerFunc", r, maxSelected)
	return m, err
}
