package throttle_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/throttle"
)

func TestSpoofedAddressesHaveNoEffect(t *testing.T) {
	h := gatekit.Must(throttle.NewPerKey(throttle.Limit{Rate: 0.001, Burst: 1}, throttle.KeyConfig{Key: throttle.ByIP})).Middleware(ok)
	served := 0
	for i := range 100 {
		r := from("192.0.2.1:" + fmt.Sprint(1000+i))
		r.Header.Set("X-Forwarded-For", fmt.Sprintf("10.0.0.%d", i))
		r.Header.Set("X-Real-Ip", fmt.Sprintf("10.0.0.%d", i))
		r.Header.Set("Forwarded", fmt.Sprintf("for=10.0.0.%d", i))
		if serve(h, r).Code == 200 {
			served++
		}
	}
	require.Equal(t, 1, served)
}

func TestAddressesOfOneIPv6Subscriber(t *testing.T) {
	h := gatekit.Must(throttle.NewPerKey(throttle.Limit{Rate: 0.001, Burst: 1}, throttle.KeyConfig{Key: throttle.ByIP})).Middleware(ok)
	require.Equal(t, 200, serve(h, from("[2001:db8::1]:1")).Code)
	require.Equal(t, 429, serve(h, from("[2001:db8::ffff:2]:1")).Code)
	require.Equal(t, 200, serve(h, from("[2001:db8:0:1::1]:1")).Code)
}

// No two lists of values join to one key, whatever is in them.
func TestJoinIsUnambiguous(t *testing.T) {
	values := []string{"", "a", "b", "ab", "a,b", ",", "\x01a", "a\x00", "\x00", strings.Repeat("a", 200)}
	seen := map[string]string{}
	for _, x := range values {
		for _, y := range values {
			r := from("192.0.2.1:1")
			r.Header["X"], r.Header["Y"] = []string{x}, []string{y}
			key, err := throttle.Join(throttle.ByHeader("X"), throttle.ByHeader("Y"))(r)
			require.NoError(t, err)
			pair := fmt.Sprintf("%q %q", x, y)
			require.Empty(t, seen[key], pair)
			seen[key] = pair
		}
	}
}

func TestHugeAndOddKeys(t *testing.T) {
	k := gatekit.Must(throttle.NewPerKey(throttle.Limit{Rate: 0.001, Burst: 1}, throttle.KeyConfig{Key: throttle.ByHeader("K")}))
	for _, key := range []string{strings.Repeat("x", 1<<20), "\x00", "\xff\xfe", "a\r\nb"} {
		r := from("192.0.2.1:1")
		r.Header["K"] = []string{key}
		require.NoError(t, k.Check(r))
		require.Error(t, k.Check(r))
	}
}

// A million callers in a table for a thousand: all are served, memory stays, and the one at the
// limit stays there.
func TestFloodOfCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := gatekit.Must(throttle.NewPerKey(throttle.Limit{Rate: 0.001, Burst: 3}, throttle.KeyConfig{Key: throttle.ByHeader("K"), MaxKeys: 1024}))
		caller := func(key string) error {
			return k.Check(&http.Request{Header: http.Header{"K": {key}}, RemoteAddr: "192.0.2.1:1"})
		}
		for range 3 {
			require.NoError(t, caller("hot"))
		}
		for i := range 100_000 {
			require.NoError(t, caller(fmt.Sprint(i)))
			if i%500 == 0 {
				require.Error(t, caller("hot"))
			}
		}
	})
}

// However the requests come, no more get through than the burst and what the rate gave.
func TestHammer(t *testing.T) {
	const burst = 50
	start := time.Now()
	k := gatekit.Must(throttle.NewPerKey(throttle.Limit{Rate: 100, Burst: burst}, throttle.KeyConfig{Key: throttle.ByIP}))
	l := gatekit.Must(throttle.New(throttle.Limit{Rate: 100, Burst: burst}))
	h := gatekit.Chain(ok, k.Middleware, l.Middleware)
	var admitted atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 2000 {
				if serve(h, from("192.0.2.1:1")).Code == 200 {
					admitted.Add(1)
				}
			}
		})
	}
	wg.Wait()
	require.LessOrEqual(t, float64(admitted.Load()), burst+100*time.Since(start).Seconds()+1)
	require.GreaterOrEqual(t, admitted.Load(), int64(burst))
}
