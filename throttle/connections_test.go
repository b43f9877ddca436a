package throttle_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"math"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/throttle"
)

func guard(t testing.TB, c throttle.ConnectionsConfig) *throttle.Connections {
	t.Helper()
	connections, err := throttle.NewConnections(c)
	require.NoError(t, err)
	return connections
}

// start serves h behind connections until the test ends, and returns the address. change may edit
// the server. Afterwards no connection is left over.
func start(t testing.TB, c *throttle.Connections, h http.Handler, change func(*http.Server)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := gatekit.HTTP.Limits().HTTPServer(h)
	s.ErrorLog = log.New(io.Discard, "", 0)
	if change != nil {
		change(s)
	}
	l = c.Guard(s, l)
	done := make(chan error, 1)
	go func() {
		if s.TLSConfig != nil {
			done <- s.ServeTLS(l, "", "")
			return
		}
		done <- s.Serve(l)
	}()
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		require.ErrorIs(t, <-done, http.ErrServerClosed)
		eventually(t, func() bool { return c.Counts().Open == 0 })
	})
	return l.Addr().String()
}

var certificate = sync.OnceValue(func() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"gate.example"}, NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
})

func withTLS(s *http.Server) {
	s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate()}}
}

// eventually waits for what another goroutine is about to do.
func eventually(t testing.TB, happens func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !happens(); runtime.Gosched() {
		require.True(t, time.Now().Before(end), "it hasn't happened")
	}
}

// dial connects from an address of the loopback network.
func dial(t testing.TB, from, to string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	conn, err := d.DialContext(t.Context(), "tcp", to)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	return conn
}

// try connects, sends a request, and closes again unless the status is 200.
func try(t testing.TB, from, to string) int {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	conn, err := d.DialContext(t.Context(), "tcp", to)
	if errors.Is(err, syscall.ECONNRESET) { // so soon
		return 0
	}
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	return get(t, conn)
}

// get sends a request and returns the status, or 0 if the connection is closed.
func get(t testing.TB, conn net.Conn) int {
	t.Helper()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		return 0
	}
	return answer(t, conn)
}

func answer(t testing.TB, conn net.Conn) int {
	t.Helper()
	w, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		var timeout net.Error
		require.False(t, errors.As(err, &timeout) && timeout.Timeout(), "neither answered nor closed")
		return 0
	}
	_, _ = io.Copy(io.Discard, w.Body)
	return w.StatusCode
}

func TestConnectionsByAddress(t *testing.T) {
	c := guard(t, throttle.ConnectionsConfig{MaxPerAddress: 2})
	addr := start(t, c, ok, nil)
	var one []net.Conn
	for range 2 {
		conn := dial(t, "127.0.0.1", addr)
		require.Equal(t, 200, get(t, conn))
		one = append(one, conn)
	}
	require.Equal(t, 0, try(t, "127.0.0.1", addr), "a third of one address")
	require.Equal(t, 200, try(t, "127.0.0.2", addr), "another address")
	require.NoError(t, one[0].Close())
	eventually(t, func() bool { return c.Counts().Open == 2 })
	require.Equal(t, 200, try(t, "127.0.0.1", addr), "a place is free again")
	require.Equal(t, throttle.ConnectionCounts{Open: 3, Accepted: 4, TooManyByAddress: 1}, c.Counts())
}

func TestConnectionsInTotal(t *testing.T) {
	c := guard(t, throttle.ConnectionsConfig{MaxConnections: 3})
	addr := start(t, c, ok, nil)
	for i := range 3 {
		require.Equal(t, 200, try(t, fmt.Sprintf("127.0.0.%d", i+1), addr))
	}
	require.Equal(t, 0, try(t, "127.0.0.9", addr))
	require.Equal(t, throttle.ConnectionCounts{Open: 3, Accepted: 3, TooMany: 1}, c.Counts())
}

func TestAcceptRate(t *testing.T) {
	c := guard(t, throttle.ConnectionsConfig{AcceptRate: &throttle.Limit{Rate: 0.001, Burst: 5}})
	addr := start(t, c, ok, nil)
	served := map[string]int{}
	for range 20 {
		for _, from := range []string{"127.0.0.1", "127.0.0.2"} {
			if try(t, from, addr) == 200 {
				served[from]++
			}
		}
	}
	require.Equal(t, map[string]int{"127.0.0.1": 5, "127.0.0.2": 5}, served)
	require.EqualValues(t, 30, c.Counts().TooOften)
}

// A proxy's connections count in total alone, whatever its clients do on one of them.
func TestConnectionsOfAProxy(t *testing.T) {
	proxies, err := gatekit.NewTrustedProxies("", "127.0.0.1")
	require.NoError(t, err)
	c := guard(t, throttle.ConnectionsConfig{Proxies: proxies, MaxConnections: 6, MaxPerAddress: 1,
		AcceptRate: &throttle.Limit{Rate: 0.001, Burst: 1}, RequestRate: &throttle.Limit{Rate: 0.001, Burst: 1}})
	addr := start(t, c, ok, nil)
	for range 5 {
		conn := dial(t, "127.0.0.1", addr)
		require.Equal(t, 200, get(t, conn))
		require.Equal(t, 200, get(t, conn))
	}
	require.Equal(t, 200, try(t, "127.0.0.2", addr))
	require.Equal(t, 0, try(t, "127.0.0.2", addr), "a client's second")
	require.Equal(t, throttle.ConnectionCounts{Open: 6, Accepted: 6, TooMany: 1}, c.Counts(), "of the total")
	require.Equal(t, 0, try(t, "127.0.0.1", addr), "a seventh")
}

// A request beyond the rate is refused and closes the connection; who has more of them under way is
// cut.
func TestRequestsOfAConnection(t *testing.T) {
	c := guard(t, throttle.ConnectionsConfig{RequestRate: &throttle.Limit{Rate: 0.001, Burst: 3}})
	addr := start(t, c, ok, nil)
	conn := dial(t, "127.0.0.1", addr)
	for range 3 {
		require.Equal(t, 200, get(t, conn))
	}
	require.Equal(t, 429, get(t, conn))
	require.Equal(t, 0, get(t, conn))
	require.Equal(t, 200, try(t, "127.0.0.1", addr), "the next connection is another one's")
	require.EqualValues(t, 1, c.Counts().TooManyRequests)
}

// Limit{} refuses all, here without an answer.
func TestNoRequestsAtAll(t *testing.T) {
	c := guard(t, throttle.ConnectionsConfig{RequestRate: &throttle.Limit{}})
	require.Equal(t, 0, try(t, "127.0.0.1", start(t, c, ok, nil)))
	require.EqualValues(t, 1, c.Counts().TooManyRequests)
}

// What requests consist of is no overhead, however long their headers are.
func TestLongHeadersAreNoOverhead(t *testing.T) {
	c := guard(t, throttle.ConnectionsConfig{})
	c.AllowOverhead(32 << 10)
	conn := dial(t, "127.0.0.1", start(t, c, ok, nil))
	for range 100 {
		_, err := fmt.Fprintf(conn, "GET /%s HTTP/1.1\r\nHost: a\r\nA: %s\r\n\r\n", strings.Repeat("a", 1000), strings.Repeat("a", 4000))
		require.NoError(t, err)
		require.Equal(t, 200, answer(t, conn))
	}
}

// Who is upgraded has limits of its own: no minimum, and no rate of bytes.
func TestHijackedConnectionIsLeftAlone(t *testing.T) {
	c := guard(t, throttle.ConnectionsConfig{Grace: time.Millisecond})
	addr := start(t, c, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\n\r\n")
		n, _ := io.Copy(io.Discard, rw)
		_, _ = fmt.Fprint(conn, n)
	}), nil)
	conn := dial(t, "127.0.0.1", addr)
	require.Equal(t, 101, get(t, conn))
	_, err := conn.Write(make([]byte, 6<<20))
	require.NoError(t, err)
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	all, err := io.ReadAll(conn)
	require.NoError(t, err)
	require.Equal(t, fmt.Sprint(6<<20), string(all))
	require.Zero(t, c.Counts().Overhead)
}

// What the server does at its connections comes through: its hooks, closing by halves, files.
func TestGuardedServerIsTheSame(t *testing.T) {
	c := guard(t, throttle.ConnectionsConfig{})
	type key struct{}
	var mu sync.Mutex
	var states []http.ConnState
	file := filepath.Join(t.TempDir(), "file")
	content := strings.Repeat("0123456789", 100_000)
	require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
	addr := start(t, c, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		require.Equal(t, "kept", r.Context().Value(key{}))
		switch r.URL.Path {
		case "/file":
			http.ServeFile(w, r, file)
		case "/copy": // a file that says itself where it ends
			f, err := os.Open(file)
			if err != nil {
				panic(err)
			}
			defer f.Close()
			w.Header().Set("Content-Length", fmt.Sprint(len(content)))
			_, _ = io.Copy(w, f)
		case "/pipe": // no file, and longer than a piece
			w.Header().Set("Content-Length", fmt.Sprint(len(content)))
			_, _ = io.Copy(w, struct{ io.Reader }{strings.NewReader(content)})
		default:
			_, _ = io.WriteString(w, content)
		}
	}), func(s *http.Server) {
		s.ConnContext = func(ctx context.Context, _ net.Conn) context.Context { return context.WithValue(ctx, key{}, "kept") }
		s.ConnState = func(_ net.Conn, state http.ConnState) {
			mu.Lock()
			defer mu.Unlock()
			states = append(states, state)
		}
	})
	for _, path := range []string{"/file", "/copy", "/pipe", "/text"} {
		w, err := http.Get("http://" + addr + path)
		require.NoError(t, err)
		body, err := io.ReadAll(w.Body)
		require.NoError(t, err)
		require.True(t, content == string(body), path)
	}
	require.EqualValues(t, 1, c.Counts().Accepted, "each handler has come to its end, so that one connection served all")
	http.DefaultClient.CloseIdleConnections()
	mu.Lock()
	defer mu.Unlock()
	require.Contains(t, states, http.StateActive)
}

// One server may have two listeners, and is guarded once.
func TestGuardTwice(t *testing.T) {
	c := guard(t, throttle.ConnectionsConfig{})
	s := &http.Server{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	require.Equal(t, l.Addr(), c.Guard(s, l).Addr())
	once := s.Handler
	c.Guard(s, l)
	require.Same(t, once, s.Handler)
	kind, next := s.Handler.(gatekit.Station).Station()
	require.Equal(t, "connections", kind)
	require.Equal(t, http.DefaultServeMux, next)
}

func TestNewConnectionsRefuses(t *testing.T) {
	_, err := throttle.NewConnections(throttle.ConnectionsConfig{
		MaxConnections: -1, MaxPerAddress: -1, MaxAddresses: -1, Grace: -1, MinBodyRate: math.MaxInt32, MinAnswerRate: math.MaxInt32,
		OverheadRate: &throttle.Limit{Rate: 1, Burst: 1},
		AcceptRate:   &throttle.Limit{Rate: 1}, RequestRate: &throttle.Limit{Rate: 1e-9, Burst: 100},
	})
	for _, want := range []string{
		"ConnectionsConfig.MaxConnections: want 0 to", "MaxPerAddress: want 0 to", "MaxAddresses: want 0 or more, got -1", "Grace: want 0s to 1h0m0s",
		"OverheadRate.Burst: want 3145728 or more, got 1", "MinBodyRate: want at most", "MinAnswerRate: want at most",
		"ConnectionsConfig.AcceptRate.Burst: want a Rate and a Burst", "RequestRate: want a bucket that is full again within 100 years",
	} {
		require.ErrorContains(t, err, want)
	}
}

// An IPv6 subscriber has one place for its whole network, and a zone tells nobody apart.
func TestNetworksOfConnections(t *testing.T) {
	c := guard(t, throttle.ConnectionsConfig{MaxPerAddress: 1})
	for _, tt := range []struct{ ip, zone string }{
		{"192.0.2.1", ""}, {"192.0.2.2", ""}, {"2001:db8::1", ""}, {"2001:db8:0:1::1", ""}, {"fe80::1", "eth0"},
	} {
		require.True(t, admits(t, c, tt.ip, tt.zone), tt.ip)
	}
	for _, tt := range []struct{ ip, zone string }{
		{"192.0.2.1", ""}, {"::ffff:192.0.2.1", ""}, {"2001:db8::ffff:2", ""}, {"fe80::2", "eth1"},
	} {
		require.False(t, admits(t, c, tt.ip, tt.zone), tt.ip)
	}
}

// admits reports whether a connection from an address that this machine hasn't got is let in. It
// stays open.
func admits(t *testing.T, c *throttle.Connections, ip, zone string) bool {
	before := c.Counts().Accepted
	l := c.Guard(&http.Server{}, &oneConnection{addr: &net.TCPAddr{IP: net.ParseIP(ip), Zone: zone}})
	_, err := l.Accept()
	if err == nil {
		require.Equal(t, before+1, c.Counts().Accepted)
		return true
	}
	require.ErrorIs(t, err, io.EOF)
	return false
}

// oneConnection is a listener of one connection, from an address of the test's choice.
type oneConnection struct {
	net.Listener
	addr net.Addr
	done bool
}

func (l *oneConnection) Accept() (net.Conn, error) {
	if l.done {
		return nil, io.EOF
	}
	l.done = true
	near, _ := net.Pipe()
	return &fromAddr{near, l.addr}, nil
}

type fromAddr struct {
	net.Conn
	addr net.Addr
}

func (c *fromAddr) RemoteAddr() net.Addr { return c.addr }

func (c *fromAddr) Close() error {
	if c.Conn == nil {
		return nil
	}
	return c.Conn.Close()
}
