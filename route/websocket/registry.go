package websocket

import (
	"context"
	"errors"
	"fmt"
	"iter"
)

// Registry is what the machines of a fleet share: which of them holds which connection, and who is
// in which group. A [Memory] is the one for a single process; redisregistry has one on Redis.
// websockettest.TestRegistry is the suite that an implementation has to pass.
//
// An API is one node of it, in one scope: the API's ID and stage. Ids of another scope don't exist
// for it, as the managed gateway's stages don't know each other's connections.
//
// # Leases
//
// A node's membership is a lease that the [Member] renews by itself. Two promises follow from it,
// and everything else in this file is there to keep them: a connection that lives is never called
// gone, and $disconnect runs once for each connection that was opened, or not at all if all
// machines fail. So:
//
//   - A node that could not renew its lease for the lease's length, while the store is there for
//     others, calls Node.Fence before anybody else may call its connections gone.
//   - Of a node that doesn't renew, the others answer [Unknown] until the lease and a margin for
//     clocks have passed. Then one of them removes each record by compare and delete, and whoever
//     removed it calls its own Node.Orphan with it.
//   - A node that was paused looks at its lease first when it wakes, before it answers a call or
//     removes a record. If the lease is over it calls Node.Fence and joins again under a new epoch.
//   - While the store can't be reached by anybody, nodes keep their connections and their leases,
//     answer Unknown for ids of others, and nobody removes a record. When it is back, leases are
//     renewed before any is judged. If it comes back empty, each node registers what Node.Records
//     yields, and an id that isn't found is Unknown, not [Gone], until all have: each says so for
//     the lease and the margin when it notices, and again while it registers. As long a group
//     isn't known, and a connection that ends is removed, though its record isn't there.
type Registry interface {
	// Join makes a node known and begins to renew its lease, until Member.Leave or the end of ctx.
	// It returns once the lease is held: an error means that there is none and that nothing was
	// started.
	Join(ctx context.Context, n Node) (Member, error)
}

// Node is an API as its registry knows it. The functions may be called by several goroutines.
type Node struct {
	// ID is unique to each start of a node: a process that is started again is another node. It is
	// 1 to 64 letters, digits, "-" or "_".
	ID string
	// Scope is the API's ID and stage, "a1b2c3d4e5/prod": the ids of one scope are unique.
	Scope string
	// Records yields the connections of this node, with their groups, for a store that has lost
	// them. A connection that opens or ends meanwhile may be among them or not; one for which
	// Remove was called before isn't.
	Records func() iter.Seq[Record]
	// Fence closes all connections of this node (1012), without their $disconnect, and refuses new
	// ones until Join or a renewal has succeeded again. It returns when nothing more can be sent on
	// them.
	Fence func()
	// Orphan is called with each record that this node has removed because the lease of its owner
	// was over: it runs $disconnect (1006). It may take as long as an integration does.
	Orphan func(context.Context, Record)
}

// Record is what a registry knows of a connection.
type Record struct {
	// ID is the connection's.
	ID string
	// Node is the owner's, set by the Member that adds it.
	Node string
	// State is what another node needs in order to run the connection's $disconnect: JSON that only
	// an API reads. At most 64 KB. It holds what the authorizer has learned: it is the caller's
	// personal data, and no credential.
	State []byte
	// Groups are the groups that the connection is in.
	Groups []string
}

// Member is a node's membership. Its methods may be called by several goroutines. Each returns soon
// after ctx ends, with ctx's error, and [ErrUnavailable] (wrapped, so that the cause is in the log)
// if the store can't be asked.
type Member interface {
	// Add records a connection of this node. It is called before the 101 is sent, so whoever has
	// heard of the id finds it, and again when its State has changed.
	Add(ctx context.Context, r Record) error
	// Remove removes the record of a connection of this node, and the connection from all groups,
	// by compare and delete. It reports whether it was this call that removed it: then the caller
	// runs $disconnect. While the store can't be reached it waits for it until ctx ends, as who has
	// removed a record must be known. Where the store has lost its memory, and so perhaps the
	// record, the first call counts as the one that has removed it, and the record isn't added any
	// more: the node knows that its connection was there.
	Remove(ctx context.Context, id string) (removed bool, err error)
	// Find returns where the connections are, one Place for each id in its order. A node's own
	// connections aren't asked for: the API knows them. It costs one round trip, whatever the
	// number.
	Find(ctx context.Context, ids []string) ([]Place, error)

	// Enter puts a connection of this node into a group, and Exit takes it out. Both do nothing if
	// it is so already. Enter returns [ErrGone] where the connection has no record, and
	// [ErrUnavailable] where the store has lost its memory and the connection isn't registered
	// again.
	Enter(ctx context.Context, group, id string) error
	Exit(ctx context.Context, group, id string) error
	// Group yields the connections of a group and where they are, in pages and in no order, without
	// a scan of anything else. Who enters or leaves meanwhile may be among them or not; nobody is
	// yielded twice who stays. The first error ends it; it is [ErrUnavailable] while the store has
	// lost its memory and not all nodes have registered again.
	Group(ctx context.Context, group string) iter.Seq2[Entry, error]
	// Count returns how many connections are in a group, those of dead nodes included until they
	// are removed, or [ErrUnavailable] where Group does.
	Count(ctx context.Context, group string) (int, error)

	// Leave ends the membership in order: the lease is given up and its records are gone, without
	// Orphan. The API has removed its connections before.
	Leave(ctx context.Context) error
}

// Place is where a connection is.
type Place struct {
	// Node is the owner's ID if Found is Live, and "" else.
	Node  string
	Found Found
}

// Entry is a connection of a group.
type Entry struct {
	ID string
	Place
}

// Found is what a registry can say of an id.
type Found uint8

// What a registry can say of an id.
const (
	// Unknown is an id of which nothing can be said at present: its node doesn't renew its lease,
	// or the store has lost its memory. The caller hears 503 and asks again.
	Unknown Found = iota
	// Live is an id that has a record whose node holds its lease.
	Live
	// Gone is an id that has no record. Ids aren't used twice, so that is for ever.
	Gone
)

func (f Found) String() string {
	if f > Gone {
		return "Found(?)"
	}
	return [...]string{"unknown", "live", "gone"}[f]
}

// Transport carries calls between nodes: request and reply, with a deadline. A [Memory] is one,
// too.
type Transport interface {
	// Listen has serve called with what other nodes ask of this one, several calls at once, until
	// stop is called or ctx ends; then no call is running any more. serve's context has the
	// caller's deadline. It returns once calls arrive.
	Listen(ctx context.Context, n Node, serve func(context.Context, Call) Answer) (stop func(), err error)
	// Call asks a node of the same scope and waits for its answer until ctx ends; ctx has a
	// deadline. An error says that it isn't known if the call was done ([ErrUnavailable], or
	// ctx's): it must not be sent a second time, unless the error is [ErrNobody]. A call is
	// delivered at most once.
	Call(ctx context.Context, scope, node string, c Call) (Answer, error)
}

// Op is what a call asks for.
type Op uint8

// What a call asks for.
const (
	OpSend       Op = iota + 1 // send Data to IDs
	OpInfo                     // tell of the one ID
	OpDisconnect               // close IDs with Code and Reason
	OpEnter                    // put IDs into Group
	OpExit                     // take IDs out of Group
)

// Call is what one node asks of another. It may travel in any form that keeps every bit of it.
type Call struct {
	Op   Op       `json:"op"`
	IDs  []string `json:"ids"`
	Type Type     `json:"type,omitempty"`
	// Data is the message. It is only read.
	Data   []byte `json:"data,omitempty"`
	Code   int    `json:"code,omitempty"`
	Reason string `json:"reason,omitempty"`
	Group  string `json:"group,omitempty"`
}

// Answer is what the node says.
type Answer struct {
	// Results are one for each of the call's IDs, in its order.
	Results []Result `json:"results"`
	// Info answers OpInfo.
	Info *Info `json:"info,omitempty"`
}

// Result is what became of one id.
type Result uint8

// What became of one id.
const (
	ResultUnknown Result = iota // nobody knows: 503
	ResultOK
	ResultGone // 410
	ResultFull // its client reads more slowly than it is sent to: 429
)

// Errors that callers may test for.
var (
	// ErrGone is returned for a connection that has ended, was never there, isn't open yet, or is
	// another API's or stage's: 410.
	ErrGone = errors.New("websocket: the connection is gone")
	// ErrFull is returned for a connection whose client reads more slowly than it is sent to: 429.
	ErrFull = errors.New("websocket: the connection's queue is full")
	// ErrUnavailable is returned where it can't be known at present if the connection is there, or
	// if it was sent to: 503.
	ErrUnavailable = errors.New("websocket: unavailable")
	// ErrNobody is returned by a Transport for a call that nobody has heard, so that it can be sent
	// elsewhere. It is an ErrUnavailable.
	ErrNobody = fmt.Errorf("%w: nobody listens for the node", ErrUnavailable)
	// ErrTooLarge is returned for a message above the limit: 413.
	ErrTooLarge = errors.New("websocket: the message is too large")
)

// Err returns the error that r stands for, or nil.
func (r Result) Err() error {
	switch r {
	case ResultOK:
		return nil
	case ResultGone:
		return ErrGone
	case ResultFull:
		return ErrFull
	}
	return ErrUnavailable
}
