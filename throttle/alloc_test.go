//go:build !race

package throttle_test

import (
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/throttle"
)

type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) WriteHeader(int)             {}

func TestAllocations(t *testing.T) {
	limit := throttle.Limit{Rate: 1e6, Burst: 1e6}
	stage := gatekit.Must(throttle.NewStage(throttle.StageConfig{Account: throttle.NewAccount(), Default: &limit}))
	keyed := func(key throttle.KeyFunc) gatekit.Middleware {
		return gatekit.Must(throttle.NewPerKey(limit, throttle.KeyConfig{Key: key})).Middleware
	}
	r := onRoute("GET /a")
	r.Header.Set("X-Api-Key", "k")
	for name, mw := range map[string]gatekit.Middleware{
		"limiter": gatekit.Must(throttle.New(limit)).Middleware, "stage": stage.Middleware, "by-ip": keyed(throttle.ByIP),
		"by-api-key": keyed(throttle.ByAPIKey), "by-header": keyed(throttle.ByHeader("X-Api-Key")), "by-principal": keyed(throttle.ByPrincipal),
		"concurrency": gatekit.Must(throttle.NewConcurrent(1)).Middleware,
	} {
		h := mw(ok)
		require.Zero(t, testing.AllocsPerRun(100, func() { h.ServeHTTP(discard{}, r) }), name)
		noted := gatekit.Explained(onRoute("GET /a")) // a note costs none either
		require.Zero(t, testing.AllocsPerRun(100, func() { h.ServeHTTP(discard{}, noted) }), name)
	}
	for _, address := range []string{"192.0.2.1:1", "[2001:db8::1]:1"} {
		r, h := from(address), keyed(throttle.ByIP)(ok)
		require.Zero(t, testing.AllocsPerRun(100, func() { h.ServeHTTP(discard{}, r) }), address)
	}
}

// A connection that is let in costs one object, a refused one none, and a request on it none but
// where there is a body.
func TestConnectionAllocations(t *testing.T) {
	inner := &again{conn: &fromAddr{nil, &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1).To4(), Port: 1}}}
	c := gatekit.Must(throttle.NewConnections(throttle.ConnectionsConfig{AcceptRate: &throttle.Limit{Rate: 1e6, Burst: 1e6}}))
	s := &http.Server{Handler: ok}
	l := c.Guard(s, inner)
	admit := func() {
		conn, err := l.Accept()
		require.NoError(t, err)
		conn.Close()
	}
	require.Equal(t, 1.0, testing.AllocsPerRun(100, admit))
	refuses := gatekit.Must(throttle.NewConnections(throttle.ConnectionsConfig{AcceptRate: &throttle.Limit{}})).Guard(&http.Server{}, inner)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		inner.left = 2
		_, err := refuses.Accept()
		require.ErrorIs(t, err, io.EOF)
		inner.left = 0
	}))
	inner.left = 0
	conn, err := l.Accept()
	require.NoError(t, err)
	r := from("192.0.2.1:1")
	r = r.WithContext(s.ConnContext(r.Context(), conn))
	require.Zero(t, testing.AllocsPerRun(100, func() { s.Handler.ServeHTTP(discard{}, r) }))
}

// again is a listener of one connection, over and over, or left times where that isn't 0.
type again struct {
	net.Listener
	conn net.Conn
	left int
}

func (l *again) Accept() (net.Conn, error) {
	if l.left > 0 {
		if l.left--; l.left == 0 {
			l.left = 1
			return nil, io.EOF
		}
	}
	return l.conn, nil
}

// A refusal costs what Reject does, and one Rejection if the wait is longer than a minute. With
// nothing attached none is made.
func TestRefusalAllocations(t *testing.T) {
	for name, limit := range map[string]throttle.Limit{"soon": {Rate: 0.02, Burst: 1}, "late": {Rate: 1e-6, Burst: 1}, "never": {}} {
		one, keyed := gatekit.Must(throttle.New(limit)), gatekit.Must(throttle.NewPerKey(limit, throttle.KeyConfig{Key: throttle.ByIP}))
		stage := gatekit.Must(throttle.NewStage(throttle.StageConfig{Default: &limit}))
		for _, mw := range []gatekit.Middleware{one.Middleware, keyed.Middleware, stage.Middleware, gatekit.Must(throttle.NewConcurrent(0)).Middleware} {
			h, w := mw(ok), &kept{h: http.Header{}}
			for _, r := range []*http.Request{from("192.0.2.1:1"), onRoute("GET /a")} {
				h.ServeHTTP(w, r)
				require.LessOrEqual(t, testing.AllocsPerRun(100, func() { h.ServeHTTP(w, r) }), 3.0, name)
				require.Equal(t, 429, w.status)
			}
		}
	}
}

type kept struct {
	discard
	h      http.Header
	status int
}

func (k *kept) Header() http.Header    { return k.h }
func (k *kept) WriteHeader(status int) { k.status = status }
