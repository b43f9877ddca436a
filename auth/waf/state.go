package waf

import (
	"net/http"
	"net/netip"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth/waf/internal/jsonbody"
	"github.com/gatekit-go/gatekit/auth/waf/internal/textform"
)

// state is one request's way through the rules. It is used again for others, so nothing of it may
// leave the package: what is told is copied.
type state struct {
	acl *ACL
	r   *http.Request

	labels, pending []string // set, and those that the rule being judged will set
	inserted        []CustomHTTPHeader
	seen            []seen // the rules that have matched and let the evaluation go on
	groups          []groupSeen
	last            ending
	err             error // the first fault of the evaluation
	passed          error // the last one that was passed over
	looked          parts
	details         []MatchRecord // what injections the rule being judged has found

	addr        netip.Addr
	clientKnown bool
	received    string

	bodyRead, bodyTooLarge bool
	body                   []byte
	json                   jsonbody.Buffer
	takeOne                func([]byte) bool // take, made a value once

	reading               reading
	kept                  []kept
	spans                 []span
	arena                 []byte
	buffers, queryBuffers textform.Buffers
	raw, query, wide, key []byte
}

// seen is a rule that has matched.
type seen struct {
	rule     *rule
	group    *group // that it belongs to, or nil
	override bool   // the group's result, which the ACL only counts
	token    *tokenCheck
	details  []MatchRecord
}

// parts are those of a request that are inspected up to a limit, and that a rule has looked at.
type parts uint8

const (
	partBody parts = 1 << iota
	partJSON
	partHeaders
	partCookies
)

// groupSeen is a group that was judged.
type groupSeen struct {
	group *group
	ended *rule // the rule that ended it
}

// ending is how the evaluation ended: the zero value is the default action.
type ending struct {
	rule  *rule // nil is the default action
	group *group
	token *tokenCheck
	// details are of the rule that ended it.
	details []MatchRecord
}

func newState(a *ACL) *state {
	s := &state{acl: a, kept: make([]kept, len(a.sources))}
	s.takeOne = s.take
	return s
}

// Bounds of what stays in memory between requests.
const (
	maxKeptTexts = 512 << 10
	maxKeptSpans = 16 << 10
)

// reset makes the state one for r.
func (s *state) reset(r *http.Request) {
	s.r = r
	clear(s.kept)
	s.last, s.err, s.passed, s.looked = ending{}, nil, nil, 0
	s.labels, s.pending, s.inserted = s.labels[:0], s.pending[:0], s.inserted[:0]
	s.seen, s.groups = s.seen[:0], s.groups[:0]
	s.clientKnown, s.received = false, ""
	s.bodyRead, s.bodyTooLarge, s.body = false, false, nil
	s.spans, s.arena = s.spans[:0], s.arena[:0]
}

// release gives the state back.
func (a *ACL) release(s *state) {
	texts := cap(s.arena) + cap(s.raw) + cap(s.query) + cap(s.wide) + cap(s.key)
	if texts > maxKeptTexts || cap(s.spans) > maxKeptSpans {
		return
	}
	s.reset(nil) // it holds no request and no body
	a.pool.Put(s)
}

// client is the client's address, by gatekit.SourceIP.
func (s *state) client() netip.Addr {
	if !s.clientKnown {
		s.addr, s.clientKnown = gatekit.SourceIP(s.r), true
	}
	return s.addr
}

// path is the path as it was received.
func (s *state) path() string {
	if s.received == "" {
		path := gatekit.PathOf(s.r)
		s.received = path.Received()
	}
	return s.received
}

// absent is what a statement says where the header isn't there that is to hold an address.
func (s *state) absent() truth {
	if s.acl.cfg.AbsentForwardedIPIsNoMatch {
		return no
	}
	return notApplied
}

// fail notes a fault: something that isn't the request's.
func (s *state) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}
