package rediscache_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/cache"
	"github.com/gatekit-go/gatekit/route/cache/cachetest"
	"github.com/gatekit-go/gatekit/route/cache/rediscache"
)

func connect(t testing.TB, addr string) *redis.Client {
	client := redis.NewClient(&redis.Options{Addr: addr, ContextTimeoutEnabled: true, MaxRetries: -1, DialerRetries: 1})
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func newStore(t testing.TB, client redis.UniversalClient, name string) *rediscache.Store {
	s, err := rediscache.New(rediscache.Config{Client: client, Name: name, Timeout: 5 * time.Second, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	return s
}

func TestStore(t *testing.T) {
	m := miniredis.RunT(t)
	n := 0
	cachetest.Run(t, func(t *testing.T) cache.Store {
		n++
		return newStore(t, connect(t, m.Addr()), fmt.Sprint("test-", n))
	})
	for _, key := range m.Keys() { // Redis never grows without bound
		require.NotZero(t, m.TTL(key), key)
	}
}

// Two machines of a fleet answer with what one of them was told.
func TestFleet(t *testing.T) {
	m := miniredis.RunT(t)
	calls := 0
	backend := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls++
		w.Header().Set("Cache-Tag", "orders")
		fmt.Fprint(w, calls)
	})
	machine := func() (http.Handler, *cache.Cache) {
		c, err := cache.New(t.Context(), cache.Config{Store: newStore(t, connect(t, m.Addr()), "fleet"), TagHeader: "Cache-Tag"})
		require.NoError(t, err)
		return c.Middleware(backend), c
	}
	one, _ := machine()
	two, second := machine()
	get := func(h http.Handler) string {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/orders?secret=value", nil))
		return w.Body.String()
	}
	require.Equal(t, "1", get(one))
	require.Equal(t, "1", get(two))
	require.NoError(t, second.InvalidateTags(t.Context(), "orders"))
	require.Equal(t, "2", get(one))
	m.FastForward(6 * time.Minute)
	require.Equal(t, "3", get(two))
	for _, key := range m.Keys() {
		require.NotContains(t, key, "secret")
	}

	// Redis away: each answers for itself, and nobody waits.
	m.Close()
	for range 10 {
		require.NotEmpty(t, get(one))
	}
	require.Equal(t, 13, calls)
}

// What isn't ours in Redis is no answer, whatever it is.
func TestNonsenseInRedis(t *testing.T) {
	m := miniredis.RunT(t)
	client := connect(t, m.Addr())
	s := newStore(t, client, "x")
	var key cache.Key
	now := time.Now()
	require.NoError(t, s.Put(t.Context(), key, &cache.Entry{Status: 200, Body: []byte("x"), Stale: now.Add(time.Minute)}, mark(t, s)))
	names := slices.DeleteFunc(m.Keys(), func(name string) bool { return !strings.Contains(name, ":a:") })
	require.Len(t, names, 1)
	name := names[0]
	for _, bad := range []string{"", "\x00", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "\x7f{}", "\x02{}", "\x02[]", "\x04null", "\x08{\"s\":99}", strings.Repeat("\x01", 100)} {
		require.NoError(t, m.Set(name, bad))
		e, _, err := s.Get(t.Context(), key)
		require.Nil(t, e, "%q", bad)
		require.Error(t, err, "%q", bad)
		s = newStore(t, client, "x") // a circuit of its own
	}
}

func mark(t *testing.T, s cache.Store) cache.Mark {
	_, mark, err := s.Get(t.Context(), cache.Key{1})
	require.NoError(t, err)
	return mark
}

func TestConfigurationsThatCannotBe(t *testing.T) {
	_, err := rediscache.New(rediscache.Config{Name: "a b", Timeout: time.Minute, MaxBytes: 1})
	for _, want := range []string{"rediscache: Config.Client: want a connection to Redis, got nil", `Config.Name: want 1 to 64 letters, digits, - or _, got "a b"`, "Config.Timeout: want 0s, or 1ms to 10s, got 1m0s", "Config.MaxBytes: want 0 or at least 65536, got 1"} {
		require.ErrorContains(t, err, want)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("\x09{\"s\":200}body"))
	f.Add([]byte("\x02{}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		k, body, err := rediscache.Decode(b)
		if err != nil {
			return
		}
		again, err := rediscache.Encode(k, body)
		require.NoError(t, err)
		k2, body2, err := rediscache.Decode(again)
		require.NoError(t, err)
		require.Equal(t, string(body), string(body2))
		once, err := rediscache.Encode(k2, body2)
		require.NoError(t, err)
		require.Equal(t, string(again), string(once))
	})
}

// An answer that varies by a header of the request is kept for each of the header's values: what is
// behind the signpost is an answer, and none itself. In this process's memory that made no
// difference; Redis took such an answer for damaged, and after a few of them wasn't asked any more.
func TestAnswersThatVary(t *testing.T) {
	calls := 0
	c, err := cache.New(t.Context(), cache.Config{Store: newStore(t, connect(t, miniredis.RunT(t).Addr()), "vary"), Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	h := c.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls++
		w.Header().Set("Vary", "Accept-Language")
		fmt.Fprint(w, r.Header.Get("Accept-Language"), calls)
	}))
	for range 10 {
		for _, tt := range []struct{ language, want string }{{"de", "de1"}, {"fr", "fr2"}} {
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set("Accept-Language", tt.language)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			require.Equal(t, tt.want, w.Body.String())
		}
	}
	require.EqualValues(t, 18, c.Stats().Hits)
}
