package main

import (
	"context"
	"maps"
	"sync"
)

// store is what is remembered of the rooms, of all processes. A room is made when somebody needs
// it; where there is no place for one more, an empty one is forgotten. There are errFull rooms, and
// errFull people in one.
type store interface {
	// sit seats a connection in a room under a name, and returns the room it was in before, or "".
	sit(ctx context.Context, id, room, name string) (before string, err error)
	// rise forgets where a connection sits, and returns the room, or "".
	rise(ctx context.Context, id string) (room string, err error)
	// seat returns the room that a connection sits in, or "".
	seat(ctx context.Context, id string) (room string, err error)
	// people draws a number, and then returns who sits in a room, by connection. One that there
	// isn't has nobody, and 0.
	people(ctx context.Context, room string) (n int64, names map[string]string, err error)
	// add draws a number for a message and keeps it.
	add(ctx context.Context, e event) (n int64, err error)
	// history returns a room's last messages, in order.
	history(ctx context.Context, room string) ([]event, error)
}

// memory is the store of one process.
type memory struct {
	mu    sync.Mutex
	rooms map[string]*room
	seats map[string]*room // by connection
}

type room struct {
	name    string
	last    int64             // number drawn
	members map[string]string // names by connection
	history []event
}

func newMemory() *memory { return &memory{rooms: map[string]*room{}, seats: map[string]*room{}} }

// open returns a room. m.mu is held.
func (m *memory) open(name string) (*room, error) {
	if r := m.rooms[name]; r != nil {
		return r, nil
	}
	for other, r := range m.rooms {
		if len(m.rooms) < maxRooms {
			break
		}
		if len(r.members) == 0 {
			delete(m.rooms, other)
		}
	}
	if len(m.rooms) >= maxRooms {
		return nil, errFull
	}
	m.rooms[name] = &room{name: name, members: map[string]string{}}
	return m.rooms[name], nil
}

func (m *memory) sit(_ context.Context, id, room, name string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, err := m.open(room)
	if err != nil {
		return "", err
	}
	old := m.seats[id]
	if old != r && len(r.members) >= maxPeople {
		return "", errFull
	}
	before := m.vacate(id)
	m.seats[id], r.members[id] = r, name
	return before, nil
}

func (m *memory) rise(_ context.Context, id string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.vacate(id), nil
}

func (m *memory) vacate(id string) (room string) {
	r := m.seats[id]
	if r == nil {
		return ""
	}
	delete(m.seats, id)
	delete(r.members, id)
	return r.name
}

func (m *memory) seat(_ context.Context, id string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := m.seats[id]; r != nil {
		return r.name, nil
	}
	return "", nil
}

func (m *memory) people(_ context.Context, room string) (int64, map[string]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.rooms[room]
	if r == nil {
		return 0, nil, nil
	}
	r.last++
	return r.last, maps.Clone(r.members), nil
}

func (m *memory) add(_ context.Context, e event) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, err := m.open(e.Room)
	if err != nil {
		return 0, err
	}
	r.last++
	e.N = r.last
	r.history = append(r.history, e)
	r.history = r.history[max(0, len(r.history)-maxHistory):]
	return e.N, nil
}

func (m *memory) history(_ context.Context, room string) ([]event, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := m.rooms[room]; r != nil {
		return append([]event{}, r.history...), nil
	}
	return []event{}, nil
}
