package main

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

const (
	maxHistory = 50
	maxPeople  = 100 // of a room
	maxText    = 300 // characters: a history then fits into a message, however it is escaped
)

var (
	aName = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,31}$`)
	aRoom = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

	errName    = errors.New("want a name of letters and digits, as in ?name=ann")
	errMessage = errors.New(`want {"action":"join","room":"tea"} or {"action":"say","text":"hello"}`)
	errRoom    = errors.New("want a room of a-z, 0-9 and -, of at most 40 characters")
	errFull    = errors.New("the room is full")
	errText    = errors.New("want a text of at most 300 characters")
	errNoRoom  = errors.New("join a room first")
)

// event is what clients get: "welcome" when they have joined, then each "message" and "presence" of
// the room, or an "error". Functions run at once and nothing says which posts first, so what
// happens in a room is counted, in N: a presence with a lower one is an older one.
type event struct {
	Type    string   `json:"type"`
	Room    string   `json:"room,omitzero"`
	N       int      `json:"n,omitzero"`
	From    string   `json:"from,omitzero"`
	Text    string   `json:"text,omitzero"`
	People  []string `json:"people,omitzero"`
	History []event  `json:"history,omitzero"`
}

// news is an event, and the connections that are to hear of it.
type news struct {
	to    []string
	event event
}

// rooms is who is connected and where, in memory: on AWS, where a function runs in many places, it
// is a table.
type rooms struct {
	mu     sync.Mutex
	people map[string]*person // by connection
	rooms  map[string]*room
}

type person struct {
	name string
	room *room // nil before they have joined one
}

type room struct {
	name    string
	n       int
	members map[string]*person // by connection
	history []event
}

func newRooms() *rooms { return &rooms{people: map[string]*person{}, rooms: map[string]*room{}} }

// connect notes who a connection is. The name is whatever they say: where that matters an
// authorizer stands on $connect, and its word is in requestContext.authorizer.
func (r *rooms) connect(id, name string) error {
	if !aName.MatchString(name) {
		return errName
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.people[id] = &person{name: name}
	return nil
}

// disconnect forgets a connection.
func (r *rooms) disconnect(id string) []news {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.leave(id)
	delete(r.people, id)
	return out
}

// join moves a connection into a room.
func (r *rooms) join(id, name string) ([]news, error) {
	if !aRoom.MatchString(name) {
		return nil, errRoom
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	p, to := r.people[id], r.rooms[name]
	switch {
	case p == nil: // its $disconnect has been here before
		return nil, errNoRoom
	case to != nil && to.members[id] == nil && len(to.members) >= maxPeople:
		return nil, errFull
	}
	var out []news
	if p.room != to {
		out = r.leave(id)
	}
	if to == nil {
		to = &room{name: name, members: map[string]*person{}}
		r.rooms[name] = to
	}
	to.n++
	p.room, to.members[id] = to, p
	welcome := event{Type: "welcome", Room: name, N: to.n, History: slices.Clone(to.history)}
	return append(out, news{[]string{id}, welcome}, to.presence()), nil
}

// leave takes a connection out of its room, which is forgotten with the last one. r.mu is held.
func (r *rooms) leave(id string) []news {
	p := r.people[id]
	if p == nil || p.room == nil {
		return nil
	}
	from := p.room
	p.room = nil
	delete(from.members, id)
	if len(from.members) == 0 {
		delete(r.rooms, from.name)
		return nil
	}
	from.n++
	return []news{from.presence()}
}

// say is a text for the room that a connection is in.
func (r *rooms) say(id, text string) ([]news, error) {
	text = strings.TrimSpace(text)
	if text == "" || utf8.RuneCountInString(text) > maxText {
		return nil, errText
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.people[id]
	if p == nil || p.room == nil {
		return nil, errNoRoom
	}
	in := p.room
	in.n++
	m := event{Type: "message", N: in.n, From: p.name, Text: text}
	in.history = append(in.history, m)
	in.history = in.history[max(0, len(in.history)-maxHistory):]
	return []news{{in.connections(), m}}, nil
}

// presence tells a room who is in it. Somebody with two windows is one.
func (r *room) presence() news {
	var people []string
	for _, p := range r.members {
		people = append(people, p.name)
	}
	slices.Sort(people)
	return news{r.connections(), event{Type: "presence", N: r.n, People: slices.Compact(people)}}
}

func (r *room) connections() []string { return slices.Collect(maps.Keys(r.members)) }
