package websocket

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// maxCallIDs bounds the connections that one call names.
const maxCallIDs = 1000

// finder says where connections of other nodes are, as Member.Find does.
type finder func(ctx context.Context, ids []string) ([]Place, error)

// spread has a call about many connections answered where they are, by one call a node, or a
// few, and returns what didn't succeed.
func (a *API) spread(ctx context.Context, c Call) map[string]error {
	return a.spreadTo(ctx, c, a.member.Find)
}

// spreadTo is spread where find says that they are.
func (a *API) spreadTo(ctx context.Context, c Call, find finder) map[string]error {
	var mu sync.Mutex
	failed := map[string]error{}
	note := func(ids []string, results []Result, err error) {
		mu.Lock()
		defer mu.Unlock()
		for i, id := range ids {
			why := err
			if err == nil {
				why = results[i].Err()
			}
			if why != nil {
				failed[id] = why
			}
		}
	}
	here, away := a.part(c.IDs)
	if len(away) > 0 {
		ctx, cancel := context.WithTimeout(ctx, a.config.CallTimeout)
		defer cancel()
		nodes, err := a.locate(ctx, away, find, failed)
		if err != nil {
			note(away, nil, unavailable(err))
		}
		var wg sync.WaitGroup
		for node, ids := range nodes {
			wg.Go(func() {
				if len(ids) > maxCallIDs { // within one call an id that is named twice is sent to once
					slices.Sort(ids)
					ids = slices.Compact(ids)
				}
				for ids := range slices.Chunk(ids, maxCallIDs) {
					part := c
					part.IDs = ids
					answer, err := a.call(ctx, node, part)
					note(ids, answer.Results, err)
				}
			})
		}
		defer wg.Wait() // before cancel
	}
	if len(here) > 0 {
		part := c
		part.IDs = here
		note(here, a.serveCall(ctx, part).Results, nil)
	}
	return failed
}

// part returns which of ids are connections of this node, and which aren't.
func (a *API) part(ids []string) (here, away []string) {
	a.open.RLock()
	defer a.open.RUnlock()
	for _, id := range ids {
		if a.conns[id] != nil {
			here = append(here, id)
		} else {
			away = append(away, id)
		}
	}
	return here, away
}

// locate returns the connections of each node. Those that have none are failed.
func (a *API) locate(
	ctx context.Context, ids []string, find finder, failed map[string]error,
) (map[string][]string, error) {
	nodes := map[string][]string{}
	if a.config.Registry == nil {
		for _, id := range ids {
			failed[id] = ErrGone
		}
		return nodes, nil
	}
	places, err := find(ctx, ids)
	if err != nil || len(places) != len(ids) {
		return nil, errors.Join(ErrUnavailable, err)
	}
	for i, p := range places {
		switch {
		case p.Found == Unknown:
			failed[ids[i]] = ErrUnavailable
		case p.Found == Gone || p.Node == a.node.ID:
			failed[ids[i]] = ErrGone
		default:
			nodes[p.Node] = append(nodes[p.Node], ids[i])
		}
	}
	return nodes, nil
}
