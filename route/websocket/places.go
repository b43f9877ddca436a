package websocket

import (
	"hash/maphash"

	"github.com/gatekit-go/gatekit/internal/clock"
)

// places remembers on which nodes connections were found, so that one more message to the same
// connection asks nobody where it is: of the three trips that a call takes through the store that
// is one. What is remembered can't be wrong, only over: a connection never moves to another node,
// and a node's ID is that of one start. The node itself says that a connection is gone; of one that
// doesn't answer all places are forgotten, and the registry is asked.
type places struct {
	seed  maphash.Seed
	nodes *clock.Cache[string, string] // node by connection
}

// maxPlaces bounds what is remembered: 10,000 connections are 1 MB.
const maxPlaces = 10_000

func newPlaces() *places {
	return &places{seed: maphash.MakeSeed(), nodes: clock.New[string, string](maxPlaces, maxPlaces)}
}

// node returns where the connection was found, "" if it isn't known.
func (p *places) node(id string) string {
	if e := p.nodes.Get(maphash.String(p.seed, id), id); e != nil {
		return e.Value
	}
	return ""
}

func (p *places) remember(id, node string) {
	p.nodes.Put(p.nodes.Table(), maphash.String(p.seed, id), id, node, 1)
}

func (p *places) forget(node string) {
	p.nodes.RemoveFunc(func(e *clock.Entry[string, string]) bool { return e.Value == node })
}
