package websocket

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/gatekit-go/gatekit/internal/event"
	"github.com/gatekit-go/gatekit/internal/wsconn"
)

// local returns a connection of this node that is open, or nil. It waits for one whose 101 is being
// written.
func (a *API) local(ctx context.Context, id string) *socket {
	a.open.RLock()
	s := a.conns[id]
	a.open.RUnlock()
	return s.whenOpened(ctx)
}

// whenOpened returns s when its 101 has been written, and nil if that won't be. s may be nil.
func (s *socket) whenOpened(ctx context.Context) *socket {
	if s == nil {
		return nil
	}
	select {
	case <-s.opened:
	case <-ctx.Done():
		return nil
	}
	if s.conn == nil {
		return nil
	}
	return s
}

// checkData refuses what may not be sent.
func (a *API) checkData(t Type, data []byte) error {
	switch {
	case len(data) > maxPushBytes:
		return fmt.Errorf("%w: %d bytes; %d are allowed", ErrTooLarge, len(data), maxPushBytes)
	case t > Binary || t == Binary && !a.config.AllowBinary || t == Text && !utf8.Valid(data):
		return errNotText
	}
	return nil
}

// Send sends a message to a connection, on whatever machine it is. That it returned nil means that
// the message was accepted, not that it has arrived. Messages that one caller sends one after the
// other arrive in this order. It never waits for a client.
//
// Its errors are [ErrGone], [ErrFull], [ErrTooLarge], [ErrUnavailable], ctx's, and one that says
// that data isn't text. It copies data if it has to wait.
func (a *API) Send(ctx context.Context, id string, t Type, data []byte) error {
	if err := a.checkData(t, data); err != nil {
		return err
	}
	answer, err := a.ask(ctx, id, Call{Op: OpSend, IDs: []string{id}, Type: t, Data: data})
	if err != nil {
		return err
	}
	return answer.Results[0].Err()
}

// Broadcast sends a message to connections on whatever machines they are, encoded once. It returns
// those that it wasn't sent to, and why: ErrGone, ErrFull or ErrUnavailable. The other error is of
// data that may be sent to nobody.
func (a *API) Broadcast(ctx context.Context, ids []string, t Type, data []byte) (map[string]error, error) {
	if err := a.checkData(t, data); err != nil {
		return nil, err
	}
	return a.spread(ctx, Call{Op: OpSend, IDs: ids, Type: t, Data: data}), nil
}

// Info returns what is known of a connection. Its errors are ErrGone, ErrUnavailable and ctx's.
func (a *API) Info(ctx context.Context, id string) (Info, error) {
	answer, err := a.ask(ctx, id, Call{Op: OpInfo, IDs: []string{id}})
	if err != nil {
		return Info{}, err
	}
	if err := answer.Results[0].Err(); err != nil {
		return Info{}, err
	}
	if answer.Info == nil {
		return Info{}, ErrUnavailable
	}
	return *answer.Info, nil
}

// Disconnect closes a connection with 1000. Its ID is gone when Disconnect returns; $disconnect
// runs soon after. Its errors are ErrGone, ErrUnavailable and ctx's.
func (a *API) Disconnect(ctx context.Context, id string) error {
	return a.Close(ctx, id, wsconn.CodeNormal, "")
}

// Close is Disconnect with a code of one's own, 1000 or 3000 to 4999, and a reason of at most 123
// bytes in UTF-8.
func (a *API) Close(ctx context.Context, id string, code int, reason string) error {
	if code != wsconn.CodeNormal && (code < 3000 || code > 4999) || len(reason) > 123 || !utf8.ValidString(reason) {
		return fmt.Errorf("websocket: Close: want 1000, or 3000 to 4999, and a reason of 123 bytes in UTF-8, got %d", code)
	}
	answer, err := a.ask(ctx, id, Call{Op: OpDisconnect, IDs: []string{id}, Code: code, Reason: reason})
	if err != nil {
		return err
	}
	return answer.Results[0].Err()
}

// ask has a call about one connection answered where the connection is.
func (a *API) ask(ctx context.Context, id string, c Call) (Answer, error) {
	if a.local(ctx, id) != nil {
		return a.serveCall(ctx, c), nil
	}
	if err := ctx.Err(); err != nil {
		return Answer{}, err
	}
	if a.config.Registry == nil || !isID(id) {
		return Answer{}, ErrGone
	}
	ctx, cancel := context.WithTimeout(ctx, a.config.CallTimeout)
	defer cancel()
	if node := a.places.node(id); node != "" {
		answer, err := a.call(ctx, node, c)
		if err != nil {
			a.places.forget(node)
		}
		if !errors.Is(err, ErrNobody) {
			return answer, err
		}
	}
	places, err := a.member.Find(ctx, []string{id})
	switch {
	case err != nil:
		return Answer{}, unavailable(err)
	case len(places) != 1 || places[0].Found == Unknown:
		return Answer{}, ErrUnavailable
	case places[0].Found == Gone || places[0].Node == a.node.ID:
		return Answer{}, ErrGone
	}
	answer, err := a.call(ctx, places[0].Node, c)
	if err == nil && answer.Results[0] != ResultGone {
		a.places.remember(id, places[0].Node)
	}
	return answer, err
}

// call asks a node, once: a second time could be the second message.
func (a *API) call(ctx context.Context, node string, c Call) (Answer, error) {
	answer, err := a.config.Transport.Call(ctx, a.node.Scope, node, c)
	switch {
	case err != nil:
		return Answer{}, unavailable(err)
	case len(answer.Results) != len(c.IDs):
		return Answer{}, fmt.Errorf("%w: the node's answer is incomplete", ErrUnavailable)
	}
	return answer, nil
}

// unavailable makes err one that callers know.
func unavailable(err error) error {
	if errors.Is(err, ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

// isID reports whether id is one that newID can have made: others need no round trip.
func isID(id string) bool {
	if len(id) != 16 || id[15] != '=' {
		return false
	}
	for i := range 15 {
		if c := id[i]; !isNameByte(c) && c != '-' {
			return false
		}
	}
	return true
}

// serveCall does what this API, or another node, asks of connections of this node.
func (a *API) serveCall(ctx context.Context, c Call) Answer {
	answer := Answer{Results: make([]Result, len(c.IDs))}
	if c.Op == OpSend && len(c.IDs) > 1 {
		a.sendToMany(ctx, c, answer.Results)
		return answer
	}
	for i, id := range c.IDs {
		s := a.local(ctx, id)
		if s == nil {
			answer.Results[i] = ResultGone
			continue
		}
		switch c.Op {
		case OpSend:
			answer.Results[i] = s.sent(len(c.Data), s.conn.TrySend(opcodeOf(c.Type), c.Data))
		case OpInfo:
			answer.Results[i], answer.Info = ResultOK, s.info()
		case OpDisconnect:
			answer.Results[i] = ResultGone
			if a.drop(s) {
				answer.Results[i] = ResultOK
				_ = s.conn.Close(c.Code, c.Reason) // an error says that it has ended by itself
			}
		case OpEnter, OpExit:
			answer.Results[i] = a.regroup(ctx, s, c.Op, c.Group)
		}
	}
	return answer
}

// sendToMany encodes a message once for all. An ID is sent to once.
func (a *API) sendToMany(ctx context.Context, c Call, results []Result) {
	conns := make([]*wsconn.Conn, 0, len(c.IDs))
	for i, s := range a.locals(ctx, c.IDs) {
		results[i] = ResultGone
		if s != nil {
			conns = append(conns, s.conn)
			results[i] = ResultOK
		}
	}
	var mu sync.Mutex
	var refused map[*wsconn.Conn]Result
	a.engine.Prepare(opcodeOf(c.Type), c.Data).Broadcast(conns, func(conn *wsconn.Conn, err error) {
		mu.Lock()
		defer mu.Unlock()
		if refused == nil {
			refused = map[*wsconn.Conn]Result{}
		}
		refused[conn] = resultOf(err)
	})
	a.counts.messagesOf(len(c.Data), len(conns)-len(refused))
	for i, k := 0, 0; k < len(conns) && len(refused) > 0; i++ {
		if results[i] == ResultGone {
			continue
		}
		if why, ok := refused[conns[k]]; ok {
			results[i] = why
		}
		k++
	}
}

// locals is local for many connections: nil for those that aren't open here.
func (a *API) locals(ctx context.Context, ids []string) []*socket {
	all := make([]*socket, len(ids))
	a.open.RLock()
	for i, id := range ids {
		all[i] = a.conns[id]
	}
	a.open.RUnlock()
	for i, s := range all {
		all[i] = s.whenOpened(ctx)
	}
	return all
}

func opcodeOf(t Type) wsconn.Opcode {
	if t == Binary {
		return wsconn.Binary
	}
	return wsconn.Text
}

func (s *socket) sent(n int, err error) Result {
	if err == nil {
		s.api.counts.message(n)
	}
	return resultOf(err)
}

func resultOf(err error) Result {
	switch {
	case err == nil:
		return ResultOK
	case errors.Is(err, wsconn.ErrFull):
		return ResultFull
	}
	return ResultGone
}

func (s *socket) info() *Info {
	return &Info{
		ConnectedAt: s.connectedAt, LastActiveAt: later(s.conn.LastActive(), s.connectedAt),
		SourceIP: event.AddrText(s.peer.sourceIP), UserAgent: s.peer.userAgent,
	}
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// sockets returns the connections of this node.
func (a *API) sockets() []*socket {
	a.open.RLock()
	defer a.open.RUnlock()
	return slices.Collect(maps.Values(a.conns))
}
