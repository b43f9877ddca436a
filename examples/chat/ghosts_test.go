package main

import (
	"fmt"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// eachStore runs a test with each store, and what is open on it.
func eachStore(t *testing.T, test func(*testing.T, *rig, store)) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			test(t, newRigWith(t, setup{store: s}), s)
		})
	}
}

// ghost has an ID like a connection's, whose $disconnect was lost.
func ghost(i int) string { return fmt.Sprintf("ghost%010d=", i) }

// A room that is full of people who have gone without a word isn't full, and they aren't there.
func TestGhostsFillNoRoom(t *testing.T) { eachStore(t, testGhostsFillNoRoom) }

func testGhostsFillNoRoom(t *testing.T, g *rig, s store) {
	for i := range maxPeople {
		_, err := s.sit(t.Context(), ghost(i), "tea", "ghost")
		require.NoError(t, err)
	}
	ann := g.dial("ann")
	_, people := ann.join("tea")
	require.Equal(t, []string{"ann"}, people)
	_, names, err := s.people(t.Context(), "tea")
	require.NoError(t, err)
	require.Len(t, names, 1)
	room, err := s.seat(t.Context(), ghost(0))
	require.NoError(t, err)
	require.Empty(t, room)
}

// A presence forgets ghosts, but not who sits and is about to enter.
func TestWhoIsAboutToEnterIsNoGhost(t *testing.T) { eachStore(t, testWhoIsAboutToEnter) }

func testWhoIsAboutToEnter(t *testing.T, g *rig, s store) {
	bob := g.dial("bob")
	bob.join("tea")
	_, names, err := s.people(t.Context(), "tea")
	require.NoError(t, err)
	for id, name := range names {
		_, err := s.sit(t.Context(), id, "attic", name)
		require.NoError(t, err)
	}
	_, err = s.sit(t.Context(), ghost(0), "attic", "ghost")
	require.NoError(t, err)
	_, people := g.dial("ann").join("attic")
	require.Equal(t, []string{"ann"}, people)
	_, names, err = s.people(t.Context(), "attic")
	require.NoError(t, err)
	require.Len(t, names, 2, "ann and bob")
}

// A room with nobody but ghosts is empty when the last of them must have gone, and no seat is kept.
func TestRoomsOfGhosts(t *testing.T) {
	server := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = client.Close() })
	s := &shared{client}
	for i := range maxRooms {
		_, err := s.sit(t.Context(), ghost(i), fmt.Sprint("room-", i), "ghost")
		require.NoError(t, err)
	}
	server.FastForward(lifetime)
	_, err := s.sit(t.Context(), "id", "one-more", "ann")
	require.ErrorIs(t, err, errFull, "somebody may live as long")
	server.FastForward(maxSeat - lifetime)
	_, err = s.sit(t.Context(), "id", "one-more", "ann")
	require.NoError(t, err)
	room, err := s.seat(t.Context(), ghost(0))
	require.NoError(t, err)
	require.Empty(t, room)

	_, err = s.sit(t.Context(), ghost(0), "one-more", "ghost")
	require.NoError(t, err)
	server.FastForward(lifetime)
	_, err = s.sit(t.Context(), "id", "one-more", "ann")
	require.NoError(t, err)
	server.FastForward(maxSeat - lifetime)
	for range 2 {
		_, names, err := s.people(t.Context(), "one-more")
		require.NoError(t, err)
		require.Equal(t, map[string]string{"id": "ann"}, names)
	}
	held, err := client.HLen(t.Context(), prefix+"in:one-more").Result()
	require.NoError(t, err)
	require.EqualValues(t, 1, held)
}

// Who is looked for in a room that there isn't leaves nothing behind.
func TestPeopleOfNoRoom(t *testing.T) {
	client := connect(t)
	n, names, err := (&shared{client}).people(t.Context(), "nowhere")
	require.NoError(t, err)
	require.Zero(t, n)
	require.Empty(t, names)
	keys, err := client.Keys(t.Context(), "*").Result()
	require.NoError(t, err)
	require.Empty(t, keys)
}
