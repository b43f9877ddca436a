package upstream_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/upstream"
)

func config(servers ...upstream.Server) upstream.Config {
	return upstream.Config{
		Servers: servers, Transport: &http.Transport{}, Scheme: "http",
		Ejection: upstream.Ejection{Failures: 3, For: time.Second}, Retry: upstream.Retry{Ratio: 0.2, Burst: 10},
		MaxConnections: 1_000_000, MaxWaiting: 10, ConnectionWait: time.Second, IdleTimeout: time.Minute,
		Client: func(*http.Request) netip.Addr { return netip.Addr{} },
	}
}

func taken(p *upstream.Pool, times int) map[string]int {
	got := map[string]int{}
	for range times {
		address, release := p.Take()
		got[address]++
		release()
	}
	return got
}

// Whatever the weights are, each server gets exactly its share of as many requests as all weights
// together, and no heavy one gets all of its own in a row.
func TestSharesGoByWeight(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var servers []upstream.Server
		want, total := map[string]int{}, 0
		for i := range 2 + random.IntN(8) {
			s := upstream.Server{Address: fmt.Sprintf("h%d:1", i), Weight: 1 + random.IntN(50)}
			servers, want[s.Address], total = append(servers, s), s.Weight, total+s.Weight
		}
		require.Equal(t, want, taken(upstream.New(t.Context(), config(servers...)), total))
	}
	p := upstream.New(t.Context(), config(upstream.Server{Address: "a:1", Weight: 50}, upstream.Server{Address: "b:1", Weight: 50},
		upstream.Server{Address: "c:1", Weight: 1}))
	row, longest, last := 0, 0, ""
	for range 1000 {
		address, release := p.Take()
		release()
		if row++; address != last {
			row, last = 1, address
		}
		longest = max(longest, row)
	}
	require.LessOrEqual(t, longest, 3)
}

// Every balance fills the servers to their bound before it says that all are full.
func TestAllPlacesAreTaken(t *testing.T) {
	for _, balance := range []upstream.Balance{upstream.RoundRobin, upstream.LeastOutstanding, upstream.PowerOfTwo} {
		c := config(upstream.Server{Address: "a:1", Weight: 7}, upstream.Server{Address: "b:1", Weight: 1}, upstream.Server{Address: "c:1", Weight: 2})
		c.MaxConnections, c.Balance = 4, balance
		p := upstream.New(t.Context(), c)
		got := map[string]int{}
		for range 12 {
			address, _ := p.Take()
			got[address]++
		}
		require.Equal(t, map[string]int{"a:1": 4, "b:1": 4, "c:1": 4}, got, balance)
		none, _ := p.Take()
		require.Empty(t, none, balance)
	}
}

// A server that fails is passed over for a time, longer each time, until it answers.
func TestEjection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := upstream.New(t.Context(), config(upstream.Server{Address: "a:1", Weight: 1}, upstream.Server{Address: "b:1", Weight: 1}))
		p.Fail("a:1")
		p.Fail("a:1")
		p.Answer("a:1")
		p.Fail("a:1")
		p.Fail("a:1")
		require.Equal(t, map[string]int{"a:1": 5, "b:1": 5}, taken(p, 10), "an answer in between starts anew")
		p.Fail("a:1")
		require.Equal(t, map[string]int{"b:1": 10}, taken(p, 10))
		require.Equal(t, time.Now().Add(time.Second).UnixNano(), p.States()[0].EjectedUntil.UnixNano())
		time.Sleep(time.Second)
		require.Equal(t, map[string]int{"a:1": 5, "b:1": 5}, taken(p, 10))
		p.Fail("a:1") // one is enough now, and for twice as long
		time.Sleep(2*time.Second - 1)
		require.Equal(t, map[string]int{"b:1": 10}, taken(p, 10))
		time.Sleep(time.Nanosecond)
		require.Equal(t, map[string]int{"a:1": 5, "b:1": 5}, taken(p, 10))
		for range 9 {
			p.Fail("a:1")
			require.LessOrEqual(t, time.Until(p.States()[0].EjectedUntil), 8*time.Second)
			time.Sleep(8 * time.Second)
		}
	})
}

// A server that stays keeps what is known of it; another weight makes it another one.
func TestSetKeepsWhatIsKnown(t *testing.T) {
	a, b := upstream.Server{Address: "a:1", Weight: 1}, upstream.Server{Address: "b:1", Weight: 1}
	p := upstream.New(t.Context(), config(a, b))
	for range 3 {
		p.Fail("a:1")
	}
	p.Set([]upstream.Server{a, {Address: "c:1", Weight: 1}})
	require.Equal(t, map[string]int{"c:1": 4}, taken(p, 4))
	p.Set([]upstream.Server{{Address: "a:1", Weight: 2}, b})
	require.Equal(t, map[string]int{"a:1": 2, "b:1": 1}, taken(p, 3))
}

// Retries are never more than the burst and the ratio of the requests, whatever the order.
func TestRetryBudget(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	deposit, withdraw := upstream.Budget(upstream.Retry{Ratio: 0.25, Burst: 5})
	left := 5.0 // the obvious model
	for range 10_000 {
		if random.IntN(2) == 0 {
			if deposit(); left < 5 {
				left += 0.25
			}
			continue
		}
		want := left >= 1
		require.Equal(t, want, withdraw())
		if want {
			left--
		}
	}
}

// exchange sends a request to the pool, and passes the answer on.
func exchange(p *upstream.Pool, w http.ResponseWriter, r *http.Request, limit int64) error {
	x := &upstream.Exchange{W: w, In: r, Began: time.Now()}
	x.URL = url.URL{Scheme: "http", Path: r.URL.Path}
	x.Out.Method, x.Out.URL, x.Out.Host, x.Out.Header = r.Method, &x.URL, "host", http.Header{}
	x.Out.Proto, x.Out.ProtoMajor, x.Out.ProtoMinor = "HTTP/1.1", 1, 1
	if r.ContentLength != 0 {
		x.SetBody(p, limit)
	}
	x.Start(p, time.Minute)
	defer x.End()
	res, err := x.Send()
	if err != nil {
		return errors.Join(err, x.Fault())
	}
	defer res.Body.Close()
	w.WriteHeader(res.StatusCode)
	return x.Copy(res.Body, res.ContentLength, false)
}

// Without a gateway around it: a body goes there, an answer comes back, and the place is free again.
func TestExchange(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // a server in HTTP/1.1 reads no more once it answers
		_, _ = w.Write(body)
	}))
	defer s.Close()
	c := config(upstream.Server{Address: strings.TrimPrefix(s.URL, "http://"), Weight: 1})
	c.MaxConnections, c.ConnectionWait = 1, time.Millisecond
	p := upstream.New(t.Context(), c)
	for _, n := range []int{0, 1, 64 << 10, 300 << 10} {
		w := httptest.NewRecorder()
		body := strings.Repeat("x", n)
		require.NoError(t, exchange(p, w, httptest.NewRequest("POST", "/", strings.NewReader(body)), 0), n)
		require.True(t, body == w.Body.String(), n)
		require.Zero(t, p.States()[0].Outstanding)
	}
	unsaid := httptest.NewRequest("POST", "/", io.MultiReader(strings.NewReader("12345")))
	require.ErrorIs(t, exchange(p, httptest.NewRecorder(), unsaid, 4), upstream.ErrTooLong)
	_, release := p.Take()
	require.ErrorIs(t, exchange(p, httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil), 0), upstream.ErrBusy)
	release()
	require.NoError(t, exchange(p, httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil), 0))
}
