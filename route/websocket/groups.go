package websocket

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"
)

// Enter puts a connection into a group, and Exit takes it out. A connection leaves its groups when
// it ends. Their errors are ErrGone, ErrUnavailable and ctx's.
func (a *API) Enter(ctx context.Context, group, id string) error {
	return a.group(ctx, OpEnter, group, id)
}

// Exit is the opposite of Enter.
func (a *API) Exit(ctx context.Context, group, id string) error {
	return a.group(ctx, OpExit, group, id)
}

// maxGroup is how long a group's name may be.
const maxGroup = 256

func (a *API) group(ctx context.Context, op Op, group, id string) error {
	if group == "" || len(group) > maxGroup || !utf8.ValidString(group) {
		return fmt.Errorf("websocket: want a group of 1 to %d bytes in UTF-8, got %d", maxGroup, len(group))
	}
	answer, err := a.ask(ctx, id, Call{Op: op, IDs: []string{id}, Group: group})
	if err != nil {
		return err
	}
	return answer.Results[0].Err()
}

// regroup changes the groups of a connection of this node. The connection remembers them for a
// registry that loses its memory.
func (a *API) regroup(ctx context.Context, s *socket, op Op, group string) Result {
	change := a.member.Enter
	if op == OpExit {
		change = a.member.Exit
	}
	if err := change(ctx, group, s.id); err != nil {
		if errors.Is(err, ErrGone) {
			return ResultGone
		}
		return ResultUnknown
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if op == OpExit {
		delete(s.groups, group)
	} else {
		if s.groups == nil {
			s.groups = map[string]bool{}
		}
		s.groups[group] = true
	}
	return ResultOK
}

// Group returns the connections of a group, on all machines. Its error is ErrUnavailable where that
// can't be known at present: a group is whole, or an error.
func (a *API) Group(ctx context.Context, group string) (ids []string, err error) {
	for e, err := range a.member.Group(ctx, group) {
		if err != nil {
			return nil, unavailable(err)
		}
		ids = append(ids, e.ID)
	}
	slices.Sort(ids)
	return ids, nil
}

// Count returns how many connections are in a group, on all machines. Its error is ErrUnavailable.
func (a *API) Count(ctx context.Context, group string) (int, error) {
	n, err := a.member.Count(ctx, group)
	if err != nil {
		return 0, unavailable(err)
	}
	return n, nil
}

// Publish is [API.Broadcast] to the connections of a group. If they can't be known at present its
// error is ErrUnavailable, and nothing was sent.
func (a *API) Publish(ctx context.Context, group string, t Type, data []byte) (map[string]error, error) {
	if err := a.checkData(t, data); err != nil {
		return nil, err
	}
	var ids []string
	places := map[string]Place{} // the group tells them, so nobody is asked again
	for e, err := range a.member.Group(ctx, group) {
		if err != nil {
			return nil, unavailable(err)
		}
		ids = append(ids, e.ID)
		places[e.ID] = e.Place
	}
	told := func(_ context.Context, ids []string) ([]Place, error) {
		all := make([]Place, len(ids))
		for i, id := range ids {
			all[i] = places[id]
		}
		return all, nil
	}
	return a.spreadTo(ctx, Call{Op: OpSend, IDs: ids, Type: t, Data: data}, told), nil
}
