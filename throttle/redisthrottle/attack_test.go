package redisthrottle_test

import (
	"bufio"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/throttle"
	"github.com/gatekit-go/gatekit/throttle/redisthrottle"
	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

// What stands behind an address that was given for Redis may be anything.
func TestWhatIsNoRedis(t *testing.T) {
	for name, answer := range map[string]string{
		"silent": "", "http": "HTTP/1.1 400 Bad Request\r\n\r\n", "garbage": "\x00\xff\x00\xff\r\n", "huge": "$999999999999\r\n", "nested": strings.Repeat("*1\r\n", 1000),
		"wrong-types": "*4\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\nd\r\n", "too-few": "*1\r\n:1\r\n", "too-many-granted": "*4\r\n:99\r\n:0\r\n:0\r\n:0\r\n", "negative": "*4\r\n:1\r\n:-5\r\n:-5\r\n:0\r\n", "nil": "*-1\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			defer listener.Close()
			go func() {
				for {
					c, err := listener.Accept()
					if err != nil {
						return
					}
					go func() {
						defer c.Close()
						for in := bufio.NewScanner(c); in.Scan(); {
							if strings.HasPrefix(in.Text(), "*") && answer != "" {
								_, _ = c.Write([]byte(answer))
							}
						}
					}()
				}
			}()
			client := redis.NewClient(&redis.Options{Addr: listener.Addr().String(), ContextTimeoutEnabled: true, MaxRetries: -1, Protocol: 2, DisableIdentity: true})
			defer client.Close()
			c := quiet(client, "x")
			c.Timeout = 20 * time.Millisecond
			l := newLimiter(t, throttle.Limit{Rate: 1, Burst: 1}, c)
			for range 10 {
				require.ErrorIs(t, l.Check(get("a")), redisthrottle.ErrAway)
			}
			store, err := redisthrottle.NewStore(redisthrottle.StoreConfig{Client: client, Name: "x", Timeout: 20 * time.Millisecond})
			require.NoError(t, err)
			_, _, err = store.Reserve(t.Context(), usageplan.Counter{Plan: "p", Key: "k", From: 1, To: 2}, 1, 1, 1, 1)
			require.Error(t, err)
		})
	}
}

// Redis' clock may be set back and forth, and no more comes of it than the time that it went forth.
func TestClockThatIsSet(t *testing.T) {
	m := newMini(t)
	l := newLimiter(t, throttle.Limit{Rate: 1, Burst: 5}, quiet(connect(t, m.Addr()), "clock"))
	count := func() (n int) {
		for l.Check(get("a")) == nil {
			n++
		}
		return n
	}
	require.Equal(t, 5, count())
	m.SetTime(m.now.Add(-500 * time.Millisecond))
	require.Zero(t, count())
	m.SetTime(m.now.Add(499 * time.Millisecond))
	require.Zero(t, count(), "less than a second later")
	m.SetTime(m.now.Add(500 * time.Millisecond))
	require.Equal(t, 1, count())
	m.SetTime(m.now.Add(-time.Hour))
	require.Zero(t, count())
	m.SetTime(m.now.Add(-time.Hour + 999*time.Millisecond))
	require.Zero(t, count())
	m.SetTime(m.now.Add(-time.Hour + time.Second))
	require.Equal(t, 1, count(), "an hour back: the bucket fills from there")
	m.SetTime(m.now.Add(24 * time.Hour))
	require.Equal(t, 5, count())
}

// What somebody else has written where a bucket should be is an error, and not a full bucket.
func TestForeignValues(t *testing.T) {
	m := newMini(t)
	client := connect(t, m.Addr())
	l := newLimiter(t, throttle.Limit{Rate: 1, Burst: 5}, quiet(client, "foreign"))
	require.NoError(t, l.Check(get("a")))
	keys := m.Keys()
	require.Len(t, keys, 1)
	for _, text := range []string{"", "x", "1 x", "nan", "x 1", "1 2 3"} {
		require.NoError(t, client.Set(t.Context(), keys[0], text, 0).Err())
		fresh := newLimiter(t, throttle.Limit{Rate: 1, Burst: 5}, quiet(client, "foreign"))
		require.ErrorIs(t, fresh.Check(get("a")), redisthrottle.ErrAway, "%q", text)
	}
	for _, text := range []string{"9000000000000000", "9000000000000000000"} { // a bucket that would never be full is an empty one
		require.NoError(t, client.Set(t.Context(), keys[0], text, 0).Err())
		err := l.Check(get("a"))
		var why *gatekit.Rejection
		require.ErrorAs(t, err, &why)
		require.Equal(t, gatekit.Throttled, why.Type)
		require.Equal(t, time.Second, why.RetryAfter)
		require.Positive(t, m.TTL(keys[0]))
	}
}

// Nothing that Redis holds names a caller, and everything goes when it is full again.
func TestWhatRedisKeeps(t *testing.T) {
	m := newMini(t)
	secret := quiet(connect(t, m.Addr()), "with-secret")
	secret.Secret = []byte("pepper")
	for _, c := range []redisthrottle.BucketsConfig{quiet(connect(t, m.Addr()), "plain"), secret} {
		l := newLimiter(t, throttle.Limit{Rate: 1, Burst: 5}, c)
		for range 7 {
			_ = l.Check(get("203.0.113.7"))
		}
	}
	keys := m.Keys()
	require.Len(t, keys, 2)
	require.NotEqual(t, keys[0][len("gatekit:b:plain:"):], keys[1][len("gatekit:b:with-secret:"):])
	for _, key := range keys {
		require.NotContains(t, key, "203.0.113")
		require.NotContains(t, gatekit.Must(m.Get(key)), "203.0.113")
		require.Positive(t, m.TTL(key))
		require.LessOrEqual(t, m.TTL(key), 7*time.Second)
	}
	m.Advance(7 * time.Second)
	require.Empty(t, m.Keys())
}
