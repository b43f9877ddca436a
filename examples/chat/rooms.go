package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/websocket"
)

const (
	maxHistory = 50
	maxRooms   = 1000
	maxPeople  = 200           // of a room
	maxText    = 300           // characters: a history then fits into a message, however it is escaped
	lifetime   = 2 * time.Hour // of a connection
)

// chat is the rooms. A room is a group of connections, which may be on several machines; the store
// has what is said there, and under which names.
type chat struct {
	api   *websocket.API
	store store
}

// event is what clients get: "welcome" when they have joined, then each "message" and "presence".
//
// N numbers what happens in a room. What two processes send at once may arrive in any order, and
// what is said while somebody joins arrives beside the history or in it, or both: a client puts
// messages in the order of N, each once, and passes over a presence that is older than its own.
type event struct {
	Type    string    `json:"type"`
	N       int64     `json:"n,omitzero"`
	Room    string    `json:"room,omitzero"`
	From    string    `json:"from,omitzero"`
	Text    string    `json:"text,omitzero"`
	At      time.Time `json:"at,omitzero"`
	People  []string  `json:"people,omitzero"`
	History []event   `json:"history,omitzero"`
}

// request is what clients send: an action, which the route selection expression reads, with a room
// to join or a text to say.
type request struct{ Room, Text string }

var (
	aRoom   = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)
	errBody = &gatekit.Rejection{Type: gatekit.BadRequestBody, Cause: errors.New("chat: want a room, or a text in one")}
	errFull = &gatekit.Rejection{Type: gatekit.Throttled, Cause: errors.New("chat: too many people or rooms")}
)

// join moves a connection into a room. Its history is read when it is in the group, so that nothing
// is missed in between.
func (c *chat) join(ctx context.Context, m *websocket.Message) (*websocket.Reply, error) {
	var want request
	if json.Unmarshal(m.Data, &want) != nil || !aRoom.MatchString(want.Room) {
		return nil, errBody
	}
	name := m.Authorization.Principal()
	old, err := c.store.sit(ctx, m.ConnectionID, want.Room, name)
	if errors.Is(err, errFull) { // perhaps of people who have gone without a word
		if _, _, _, why := c.people(ctx, want.Room); why == nil {
			old, err = c.store.sit(ctx, m.ConnectionID, want.Room, name)
		}
	}
	if err != nil {
		return nil, err // and it stays where it is
	}
	if old != "" && old != want.Room {
		if err := c.api.Exit(ctx, old, m.ConnectionID); err != nil {
			return nil, err
		}
		_ = c.present(ctx, old) // the next one says the same
	}
	if err := c.api.Enter(ctx, want.Room, m.ConnectionID); err != nil {
		_, _ = c.store.rise(ctx, m.ConnectionID)
		return nil, err
	}
	history, err := c.store.history(ctx, want.Room)
	if err != nil {
		return nil, err
	}
	hello, _ := json.Marshal(event{Type: "welcome", Room: want.Room, History: history})
	if err := c.api.Send(ctx, m.ConnectionID, websocket.Text, hello); err != nil {
		return nil, err
	}
	return nil, c.present(ctx, want.Room)
}

// say sends a text to the room that the connection is in.
func (c *chat) say(ctx context.Context, m *websocket.Message) (*websocket.Reply, error) {
	room, err := c.store.seat(ctx, m.ConnectionID)
	if err != nil {
		return nil, err
	}
	return nil, c.add(ctx, room, m.Authorization.Principal(), m.Data)
}

// post is say for backends, over HTTP.
func (c *chat) post(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 16<<10))
	if err != nil {
		gatekit.Reject(w, r, errBody)
		return
	}
	from := gatekit.From(r.Context()).Authorization.Principal()
	if err := c.add(r.Context(), r.PathValue("room"), from, body); err != nil {
		gatekit.Reject(w, r, err)
		return
	}
	_, _ = fmt.Fprint(w, `{"sent":true}`)
}

// leave is $disconnect: it runs once for each connection, however it has ended. Where its process
// is no more, another one runs it, unless that ends in the same moment.
func (c *chat) leave(ctx context.Context, m *websocket.Message) (*websocket.Reply, error) {
	room, err := c.store.rise(ctx, m.ConnectionID)
	if err != nil || room == "" {
		return nil, err
	}
	return nil, c.present(ctx, room)
}

// add keeps what somebody says in a room, and sends it to all who are there.
func (c *chat) add(ctx context.Context, room, from string, body []byte) error {
	var said request
	err := json.Unmarshal(body, &said)
	text := strings.TrimSpace(said.Text)
	if err != nil || !aRoom.MatchString(room) || text == "" || utf8.RuneCountInString(text) > maxText {
		return errBody
	}
	e := event{Type: "message", Room: room, From: from, Text: text, At: time.Now().UTC()}
	if e.N, err = c.store.add(ctx, e); err != nil {
		return err
	}
	ids, err := c.api.Group(ctx, room)
	if err != nil {
		return err
	}
	return c.send(ctx, ids, e)
}

// present tells a room who is in it. Somebody with two windows is one. The number is drawn before
// anybody is counted: the presence with the highest one has seen whatever the others have.
func (c *chat) present(ctx context.Context, room string) error {
	n, names, ids, err := c.people(ctx, room)
	if err != nil {
		return err
	}
	slices.Sort(names)
	return c.send(ctx, ids, event{Type: "presence", N: n, Room: room, People: slices.Compact(names)})
}

// people draws a number and returns the names of a room, and its connections. Who has a name and no
// connection in the group is about to enter, or has gone without a word, and is then forgotten.
func (c *chat) people(ctx context.Context, room string) (n int64, names, ids []string, err error) {
	n, seats, err := c.store.people(ctx, room)
	if err != nil {
		return 0, nil, nil, err
	}
	if ids, err = c.api.Group(ctx, room); err != nil {
		return 0, nil, nil, err
	}
	names = []string{}
	for _, id := range ids {
		if name, ok := seats[id]; ok {
			names = append(names, name)
			delete(seats, id)
		}
	}
	for id := range seats {
		if _, err := c.api.Info(ctx, id); errors.Is(err, websocket.ErrGone) {
			if _, err := c.store.rise(ctx, id); err != nil {
				return 0, nil, nil, err
			}
		}
	}
	return n, names, ids, nil
}

// send sends to connections. Whom it doesn't reach has gone, or reads too slowly.
func (c *chat) send(ctx context.Context, ids []string, e event) error {
	data, _ := json.Marshal(e) // it has nothing that can't be JSON
	_, err := c.api.Broadcast(ctx, ids, websocket.Text, data)
	return err
}
