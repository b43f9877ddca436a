package websocket

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// TicketConfig configures [Tickets].
type TicketConfig struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Guard is an authorizer's Middleware: who gets a ticket, and as whom. Required.
	Guard gatekit.Middleware
	// Path is the path of the handshakes that tickets are good for, such as "/prod", as clients
	// send it. Required.
	Path string
	// AllowOrigins and InsecureAllowAnyOrigin are as in Config, for the page that asks for a
	// ticket. A ticket is good for the same Origin alone.
	AllowOrigins           []string
	InsecureAllowAnyOrigin bool
	// TTL is how long a ticket is good. 0 is 30 seconds; at most 5 minutes.
	TTL time.Duration
	// Store keeps tickets. nil keeps up to 100,000 in this process: in a fleet, handshakes then
	// have to reach the machine that has issued the ticket.
	Store TicketStore
}

// TicketStore keeps tickets. It must be safe for concurrent use.
type TicketStore interface {
	// Put keeps value under key for ttl. The key is a hash: who reads the store can't use a ticket.
	Put(ctx context.Context, key string, value []byte, ttl time.Duration) error
	// Take returns the value and forgets it, in one step: of two that take the same key at once one
	// gets it. It returns nil where there is none, or no more.
	Take(ctx context.Context, key string) ([]byte, error)
}

// Tickets lets browsers in that can't send a header with a handshake. A page asks for a ticket as
// it asks for anything else, with its cookie or token, and connects with it once:
//
//	POST /ticket            → {"ticket":"…","expiresIn":30}
//	new WebSocket("wss://api.example/prod", ["chat.v1", "ticket." + ticket])
//
// A ticket is good once, for 30 seconds, one Origin and one path. It travels as a subprotocol,
// which is in no log of ours, as a URL would be.
type Tickets struct {
	config  TicketConfig
	origins *origins
	issue   http.Handler
}

const (
	ticketPrefix  = "ticket."
	defaultTicket = 30 * time.Second
	maxTicket     = 5 * time.Minute
	maxTickets    = 100_000
)

// NewTickets returns Tickets, or one error that names every field it refuses.
func NewTickets(cfg TicketConfig) (*Tickets, error) {
	m := mistakes.In("websocket: TicketConfig")
	m.Require(cfg.Guard != nil, "Guard", "want an authorizer's Middleware, got nil")
	m.Require(strings.HasPrefix(cfg.Path, "/"), "Path", "want the path of the handshake, got %q", cfg.Path)
	mistakes.RangeOrZero(m, "TTL", cfg.TTL, time.Second, maxTicket)
	t := &Tickets{}
	var err error
	if t.origins, err = newOrigins(cfg.AllowOrigins, cfg.InsecureAllowAnyOrigin); err != nil {
		m.Add("AllowOrigins", "%w", err)
	}
	if err := m.Err(); err != nil {
		return nil, err
	}
	cfg.TTL = cmp.Or(cfg.TTL, defaultTicket)
	if cfg.Store == nil {
		cfg.Store = &ticketMemory{tickets: map[string]heldTicket{}}
	}
	t.config = cfg
	t.issue = cfg.Guard(http.HandlerFunc(t.serve))
	return t, nil
}

// ticketState is what is kept of a ticket.
type ticketState struct {
	Origin        string              `json:"origin"`
	Expires       time.Time           `json:"expires"`
	Authorization *authorizationState `json:"authorization"`
}

// ServeHTTP answers POST /ticket. What isn't a POST is 405, another page 403, whom the guard knows
// nothing of 401.
func (t *Tickets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rc, r := gatekit.Attach(r)
	switch {
	case r.Method != http.MethodPost:
		gatekit.Reject(w, r, &gatekit.Rejection{
			Type: gatekit.Default4XX, Status: http.StatusMethodNotAllowed, Header: http.Header{"Allow": {"POST"}},
		})
		return
	case !t.origins.allow(r):
		gatekit.Reject(w, r, errOrigin)
		return
	}
	rc.Authorization = nil // what the guard hasn't learned isn't sold
	t.issue.ServeHTTP(w, r)
}

var errNoTicket = &gatekit.Rejection{Type: gatekit.Unauthorized, Cause: errors.New(
	"websocket: no ticket, or none that is good")}

// serve is behind the guard.
func (t *Tickets) serve(w http.ResponseWriter, r *http.Request) {
	rc := gatekit.From(r.Context())
	if rc.Authorization == nil {
		gatekit.Reject(w, r, errNoTicket)
		return
	}
	var secret [32]byte
	_, _ = rand.Read(secret[:]) // never fails
	ticket := base64.RawURLEncoding.EncodeToString(secret[:])
	value, err := json.Marshal(ticketState{
		Origin: r.Header.Get("Origin"), Expires: rc.Time.Add(t.config.TTL),
		Authorization: authorizationStateOf(rc.Authorization),
	})
	if err == nil {
		err = t.config.Store.Put(r.Context(), ticketKey(ticket), value, t.config.TTL)
	}
	if err != nil {
		gatekit.Reject(w, r, &gatekit.Rejection{
			Type: gatekit.Default5XX, Status: http.StatusServiceUnavailable, Cause: fmt.Errorf("websocket: keep a ticket: %w", err),
		})
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	b := append([]byte(`{"ticket":"`), ticket...)
	b = strconv.AppendInt(append(b, `","expiresIn":`...), int64(t.config.TTL/time.Second), 10)
	_, _ = w.Write(append(b, '}'))
}

// ticketKey is what a store knows of a ticket.
func ticketKey(ticket string) string {
	sum := sha256.Sum256([]byte(ticket))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Middleware stands on $connect, or around the handshake, in place of an authorizer: it lets those
// in that have a ticket, as those who have asked for it, and refuses all others (401).
func (t *Tickets) Middleware(next http.Handler) http.Handler {
	return &ticketed{tickets: t, next: next}
}

type ticketed struct {
	tickets *Tickets
	next    http.Handler
}

// Station implements [gatekit.Station].
func (h *ticketed) Station() (kind string, next http.Handler) { return "auth", h.next }

func (h *ticketed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ticket, rest, n := cutCredential(r, ticketPrefix)
	if n > 1 {
		gatekit.Reject(w, r, errTwoCredentials)
		return
	}
	a, err := h.tickets.redeem(r, ticket)
	if err != nil {
		gatekit.Reject(w, r, err)
		return
	}
	rc, rest := gatekit.Attach(rest)
	rc.Authorization = a
	h.next.ServeHTTP(w, rest)
}

// redeem takes a ticket, which is then gone, whoever may have come with it.
func (t *Tickets) redeem(r *http.Request, ticket string) (*gatekit.Authorization, error) {
	if len(ticket) != base64.RawURLEncoding.EncodedLen(32) {
		return nil, errNoTicket
	}
	value, err := t.config.Store.Take(r.Context(), ticketKey(ticket))
	if err != nil {
		return nil, &gatekit.Rejection{Type: gatekit.AuthorizerFailure, Cause: fmt.Errorf("websocket: take a ticket: %w", err)}
	}
	var state ticketState
	if value == nil || json.Unmarshal(value, &state) != nil {
		return nil, errNoTicket
	}
	path := gatekit.PathOf(r)
	if !time.Now().Before(state.Expires) || state.Origin != r.Header.Get("Origin") ||
		path.Received() != t.config.Path || state.Authorization == nil {
		return nil, errNoTicket
	}
	return state.Authorization.authorization(), nil
}

// ticketMemory is the TicketStore of a process. All tickets live equally long, so the oldest are
// the first in line.
type ticketMemory struct {
	mu      sync.Mutex
	tickets map[string]heldTicket
	line    []string
}

// heldTicket is a ticket of a ticketMemory.
type heldTicket struct {
	value   []byte
	expires time.Time
}

var errTickets = errors.New("websocket: as many tickets as are kept are open")

// Put implements TicketStore.
func (m *ticketMemory) Put(_ context.Context, key string, value []byte, ttl time.Duration) error {
	now := time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.line) > 0 {
		held, ok := m.tickets[m.line[0]]
		if ok && now.Before(held.expires) {
			break
		}
		delete(m.tickets, m.line[0])
		m.line = m.line[1:]
	}
	if len(m.line) >= maxTickets {
		return errTickets
	}
	m.tickets[key] = heldTicket{value, now.Add(ttl)}
	m.line = append(m.line, key)
	return nil
}

// Take implements TicketStore.
func (m *ticketMemory) Take(_ context.Context, key string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	held, ok := m.tickets[key]
	delete(m.tickets, key)
	if !ok || !time.Now().Before(held.expires) {
		return nil, nil
	}
	return held.value, nil
}
