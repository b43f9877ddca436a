package websocket

import (
	"context"
	"errors"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/gatekit-go/gatekit/internal/wsconn"
)

const restartReason = "Service restart"

// Shutdown ends the API in order: handshakes are refused with 503 from now on, connections are
// closed with 1012 one by one over Config.DrainOver, each when the messages that it is being served
// are answered, and $disconnect runs for each of them. It returns when all of that is done, or,
// with ctx's error, when ctx has ended: then what is left is cut. Neither it nor
// http.Server.Shutdown waits for the other: call this one first, as the server's knows nothing of
// connections that were taken over.
func (a *API) Shutdown(ctx context.Context) error {
	a.open.Lock()
	a.draining = true
	a.open.Unlock()
	for _, s := range a.sockets() {
		wait := time.Duration(0)
		if a.config.DrainOver > 0 {
			wait = rand.N(a.config.DrainOver)
		}
		go func() {
			select {
			case <-time.After(wait):
				s.closeWhenServed()
			case <-ctx.Done():
			}
		}()
	}
	ended := make(chan struct{})
	go func() { // ends with the last connection, as all are cut below
		a.ends.Wait()
		close(ended)
	}()
	var err error
	select {
	case <-ended:
	case <-ctx.Done():
		err = ctx.Err()
		a.abortAll()
	}
	leave, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.config.CallTimeout)
	defer cancel()
	a.hangUp()
	if why := a.member.Leave(leave); why != nil {
		err = errors.Join(err, why)
	}
	a.stop()
	return err
}

// closeWhenServed closes the connection for a restart when nothing is served on it any more.
func (s *socket) closeWhenServed() {
	<-s.opened
	s.mu.Lock()
	s.drain = true
	now := s.serving == 0
	s.mu.Unlock()
	if now && s.conn != nil {
		_ = s.conn.Close(wsconn.CodeRestart, restartReason)
	}
}

// abortAll cuts all connections.
func (a *API) abortAll() {
	for _, s := range a.sockets() {
		<-s.opened
		if s.conn != nil {
			s.conn.Abort()
		}
	}
}

// fenceTimeout is how long a client has to take the close frame of a node that has lost its lease.
const fenceTimeout = time.Second

// fence implements Node.Fence. It returns when the last connection has ended, so that a node
// without any, or whose clients answer, may join again at once.
func (a *API) fence() {
	a.open.Lock()
	a.fenced = true
	a.fences++
	sockets := slices.Collect(maps.Values(a.conns))
	clear(a.conns)
	a.open.Unlock()
	for _, s := range sockets {
		<-s.opened
		s.mu.Lock()
		s.fenced = true
		s.mu.Unlock()
		if s.conn != nil {
			_ = s.conn.Close(wsconn.CodeRestart, restartReason)
		}
	}
	late := time.After(fenceTimeout)
	for i, s := range sockets {
		select {
		case <-s.ended:
			continue
		case <-late:
		}
		for _, s := range sockets[i:] {
			if s.conn != nil {
				s.conn.Abort()
			}
		}
		break
	}
	a.open.Lock()
	a.fenced = false // new ones need the registry's consent anyway
	a.open.Unlock()
}

// records implements Node.Records.
func (a *API) records() iter.Seq[Record] {
	return func(yield func(Record) bool) {
		for _, s := range a.known() {
			s.mu.Lock()
			groups := slices.Collect(maps.Keys(s.groups))
			s.mu.Unlock()
			if !yield(Record{ID: s.id, Node: a.node.ID, State: s.state(), Groups: groups}) {
				return
			}
		}
	}
}

// known returns the connections, with those that the registry is being told of.
func (a *API) known() []*socket {
	a.open.RLock()
	defer a.open.RUnlock()
	all := slices.Collect(maps.Values(a.conns))
	for _, s := range a.opening {
		if s != nil {
			all = append(all, s)
		}
	}
	return all
}
