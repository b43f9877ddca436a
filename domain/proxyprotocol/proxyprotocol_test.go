package proxyprotocol_test

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/domain/proxyprotocol"
	"github.com/gatekit-go/gatekit/internal/netconn"
)

func config(t testing.TB) proxyprotocol.Config {
	proxies, err := gatekit.NewTrustedProxies("", "127.0.0.1")
	require.NoError(t, err)
	return proxyprotocol.Config{Proxies: proxies}
}

// serve serves the client's address until the test ends. No goroutine is left over.
func serve(t testing.TB, c proxyprotocol.Config) (*proxyprotocol.Listener, string) {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l, err := proxyprotocol.New(inner, c)
	require.NoError(t, err)
	require.Equal(t, inner.Addr(), l.Addr())
	s := gatekit.HTTP.Limits().HTTPServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s", gatekit.SourceIP(r), r.RemoteAddr)
	}))
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		require.ErrorIs(t, <-done, http.ErrServerClosed)
		require.NoError(t, l.Close(), "twice")
		_, err := l.Accept()
		require.ErrorIs(t, err, net.ErrClosed)
	})
	return l, inner.Addr().String()
}

const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

// play connects from an address, sends pieces, and returns the answer's body, or its status if it
// isn't 200, or "closed".
func play(t testing.TB, from, to string, pieces ...string) string {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	conn, err := d.DialContext(t.Context(), "tcp", to)
	if errors.Is(err, syscall.ECONNRESET) {
		return "closed"
	}
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	for _, piece := range pieces {
		if _, err := io.WriteString(conn, piece); err != nil {
			return "closed"
		}
	}
	w, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		var timeout net.Error
		require.False(t, errors.As(err, &timeout) && timeout.Timeout(), "neither answered nor closed")
		return "closed"
	}
	body, err := io.ReadAll(w.Body)
	require.NoError(t, err)
	if w.StatusCode != 200 {
		return w.Status
	}
	return string(body)
}

// v2 is a header of version 2. The length is that of what follows, unless said otherwise.
func v2(command, family byte, rest string, length ...int) string {
	n := len(rest)
	if len(length) > 0 {
		n = length[0]
	}
	h := append([]byte("\r\n\r\n\x00\r\nQUIT\n"), 0x20|command, family)
	return string(binary.BigEndian.AppendUint16(h, uint16(n))) + rest
}

// addresses are those of a client at 203.0.113.9 or 2001:db8::9, port 4711.
func addresses(from string) string {
	a := netip.MustParseAddr(from)
	both := append(a.AsSlice(), a.AsSlice()...)
	return string(binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(both, 4711), 443))
}

func tlv(kind byte, length int) string {
	return string(binary.BigEndian.AppendUint16([]byte{kind}, uint16(length))) + strings.Repeat("x", length)
}

func TestHeaders(t *testing.T) {
	const proxy, client, closed = "127.0.0.1", "127.0.0.2", "closed"
	v4, v6 := addresses("203.0.113.9"), addresses("2001:db8::9")
	const line = "PROXY TCP4 203.0.113.9 192.0.2.1 4711 443\r\n"
	const known, known6, bad = "203.0.113.9 203.0.113.9:4711", "2001:db8::9 [2001:db8::9]:4711", "400 Bad Request"
	for _, tt := range []struct {
		name, from string
		direct     bool
		pieces     []string
		want       string // a prefix
	}{
		{"v2", proxy, false, []string{v2(1, 0x11, v4) + get}, known},
		{"v2-ipv6", proxy, false, []string{v2(1, 0x21, v6) + get}, known6},
		{"v2-in-pieces", proxy, false, []string{v2(1, 0x11, v4)[:5], v2(1, 0x11, v4)[5:13], v2(1, 0x11, v4)[13:], get}, known},
		{"v2-with-tlvs", proxy, false, []string{v2(1, 0x11, v4+tlv(1, 2)+tlv(0xea, 3000)) + get}, known},
		{"v2-local", proxy, false, []string{v2(0, 0, "") + get}, "127.0.0.1 127.0.0.1:"},
		{"v2-local-with-an-address", proxy, false, []string{v2(0, 0x11, v4) + get}, "127.0.0.1 127.0.0.1:"},
		{"v1", proxy, false, []string{line + get}, known},
		{"v1-ipv6", proxy, false, []string{"PROXY TCP6 2001:db8::9 2001:db8::1 4711 443\r\n" + get}, known6},
		{"v1-unknown", proxy, false, []string{"PROXY UNKNOWN\r\n" + get}, "127.0.0.1 127.0.0.1:"},
		{"v4-in-v6", proxy, false, []string{v2(1, 0x21, addresses("::ffff:203.0.113.9")) + get}, "203.0.113.9 "},

		{"none", proxy, false, []string{get}, closed},
		{"tlv-beyond-the-limit", proxy, false, []string{v2(1, 0x11, v4+tlv(4, 5000)) + get}, closed},
		{"longest-length", proxy, false, []string{v2(1, 0x11, v4, 65535) + get}, closed},
		{"shorter-than-its-addresses", proxy, false, []string{v2(1, 0x11, v4[:8]) + get}, closed},
		{"ends-amid-the-addresses", proxy, false, []string{v2(1, 0x11, v4[:8], 12)}, closed},
		{"unspecified-family", proxy, false, []string{v2(1, 0, "") + get}, closed},
		{"udp", proxy, false, []string{v2(1, 0x12, v4) + get}, closed},
		{"unix", proxy, false, []string{v2(1, 0x31, strings.Repeat("a", 216)) + get}, closed},
		{"unknown-family", proxy, false, []string{v2(1, 0x41, v4) + get}, closed},
		{"unknown-command", proxy, false, []string{v2(2, 0x11, v4) + get}, closed},
		{"version-3", proxy, false, []string{strings.Replace(v2(1, 0x11, v4), "\x21", "\x31", 1) + get}, closed},
		{"nobody's-address", proxy, false, []string{v2(1, 0x11, addresses("0.0.0.0")) + get}, closed},
		{"nobody's-address-v6", proxy, false, []string{v2(1, 0x21, addresses("::")) + get}, closed},
		{"multicast", proxy, false, []string{v2(1, 0x11, addresses("224.0.0.1")) + get}, closed},
		{"signature-cut", proxy, false, []string{v2(1, 0x11, v4)[:11]}, closed},
		{"v1-split", proxy, false, []string{line[:20]}, closed},
		{"v1-endless", proxy, false, []string{"PROXY TCP4 " + strings.Repeat("1", 10_000)}, closed},
		{"v1-without-cr", proxy, false, []string{strings.Replace(line, "\r", "", 1) + get}, closed},
		{"v1-other-family", proxy, false, []string{strings.Replace(line, "TCP4", "TCP6", 1) + get}, closed},
		{"v1-zone", proxy, false, []string{"PROXY TCP6 fe80::1%eth0 2001:db8::1 4711 443\r\n" + get}, closed},
		{"v1-port", proxy, false, []string{strings.Replace(line, "4711", "70000", 1) + get}, closed},
		{"v1-octal", proxy, false, []string{strings.Replace(line, "203.0.113.9", "0203.0.113.9", 1) + get}, closed},
		{"v1-more-behind", proxy, false, []string{strings.Replace(line, "443", "443 1", 1) + get}, closed},
		{"v1-two-spaces", proxy, false, []string{strings.Replace(line, " TCP4", "  TCP4", 1) + get}, closed},
		{"v1-lower-case", proxy, false, []string{strings.ToLower(line) + get}, closed},
		{"twice", proxy, false, []string{v2(1, 0x11, v4) + line + get}, bad},
		{"twice-v2", proxy, false, []string{v2(1, 0x11, v4) + v2(1, 0x11, addresses("198.51.100.1")) + get}, bad},

		{"stranger", client, false, []string{get}, closed},
		{"stranger-with-a-header", client, false, []string{v2(1, 0x11, v4) + get}, closed},
		{"direct", client, true, []string{get}, "127.0.0.2 127.0.0.2:"},
		{"direct-with-v1", client, true, []string{line + get}, bad},
		{"direct-with-v2", client, true, []string{v2(1, 0x11, v4) + get}, bad},
		{"proxy-none-though-direct", proxy, true, []string{get}, closed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := config(t)
			c.AllowDirect = tt.direct
			if strings.HasPrefix(tt.name, "ends") || strings.HasSuffix(tt.name, "cut") {
				c.HeaderTimeout = 50 * time.Millisecond
			}
			_, addr := serve(t, c)
			got := play(t, tt.from, addr, tt.pieces...)
			require.True(t, strings.HasPrefix(got, tt.want), "got %q, want %q", got, tt.want)
		})
	}
}

// Proxies that send nothing keep nobody waiting, wait no longer than HeaderTimeout, and are no more
// than MaxPending.
func TestSlowHeadersKeepNobodyWaiting(t *testing.T) {
	c := config(t)
	c.MaxPending = 3
	l, addr := serve(t, c)
	var silent []net.Conn
	for range 2 {
		conn, err := net.Dial("tcp", addr)
		require.NoError(t, err)
		defer conn.Close()
		silent = append(silent, conn)
	}
	header := v2(1, 0x11, addresses("203.0.113.9")) + get
	require.Equal(t, "203.0.113.9 203.0.113.9:4711", play(t, "127.0.0.1", addr, header))
	third, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	defer third.Close()
	for end := time.Now().Add(10 * time.Second); l.Counts().Pending == 0; runtime.Gosched() { // until the third waits, too
		require.True(t, time.Now().Before(end))
		play(t, "127.0.0.1", addr, header)
	}
	require.NoError(t, silent[0].Close())
	for end := time.Now().Add(10 * time.Second); play(t, "127.0.0.1", addr, header) == "closed"; {
		require.True(t, time.Now().Before(end), "a place is free again")
	}
	require.Zero(t, l.Counts().Untrusted)
}

func TestHeaderTimeout(t *testing.T) {
	c := config(t)
	c.HeaderTimeout = 20 * time.Millisecond
	l, addr := serve(t, c)
	require.Equal(t, "closed", play(t, "127.0.0.1", addr, "PR"))
	require.Equal(t, "closed", play(t, "127.0.0.1", addr, "\r\n\r\n\x00"))
	require.EqualValues(t, 2, l.Counts().Headers)
}

// Close ends what waits, for a header or for Accept, and can come before the first Accept.
func TestClose(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l, err := proxyprotocol.New(inner, config(t))
	require.NoError(t, err)
	require.NoError(t, l.Close())
	_, err = l.Accept()
	require.ErrorIs(t, err, net.ErrClosed)

	before := runtime.NumGoroutine()
	inner, err = net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l, err = proxyprotocol.New(inner, config(t))
	require.NoError(t, err)
	send := func() net.Conn {
		conn, err := net.Dial("tcp", inner.Addr().String())
		require.NoError(t, err)
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	_, err = io.WriteString(send(), v2(1, 0x11, addresses("203.0.113.9")))
	require.NoError(t, err)
	conn, err := l.Accept()
	require.NoError(t, err)
	defer conn.Close()
	silent, known := send(), send()
	_, err = io.WriteString(known, v2(1, 0x11, addresses("203.0.113.9")))
	require.NoError(t, err)
	require.NoError(t, l.Close())
	for _, c := range []net.Conn{silent, known} {
		require.NoError(t, c.SetDeadline(time.Now().Add(20*time.Second)))
		_, err = c.Read(make([]byte, 1))
		var timeout net.Error
		require.False(t, errors.As(err, &timeout) && timeout.Timeout())
		require.Error(t, err)
	}
	require.LessOrEqual(t, runtime.NumGoroutine(), before)
}

// A listener whose inner one is closed under it says so as often as it is asked.
func TestInnerListenerCloses(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l, err := proxyprotocol.New(inner, config(t))
	require.NoError(t, err)
	require.NoError(t, inner.Close())
	for range 3 {
		_, err = l.Accept()
		require.ErrorIs(t, err, net.ErrClosed)
	}
	require.ErrorIs(t, l.Close(), net.ErrClosed)
}

// What is below stays within reach, and closes by halves where it can.
func TestWhatIsBelow(t *testing.T) {
	for _, hidden := range []bool{false, true} {
		inner, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		var below net.Listener = inner
		if hidden {
			below = plain{inner}
		}
		l, err := proxyprotocol.New(below, config(t))
		require.NoError(t, err)
		client, err := net.Dial("tcp", inner.Addr().String())
		require.NoError(t, err)
		defer client.Close()
		_, err = io.WriteString(client, v2(1, 0x11, addresses("203.0.113.9")))
		require.NoError(t, err)
		conn, err := l.Accept()
		require.NoError(t, err)
		defer conn.Close()
		_, known := netconn.Find[*net.TCPConn](conn)
		require.Equal(t, !hidden, known)
		require.True(t, conn != netconn.WritesTo(conn), "what is written has no header")
		err = conn.(interface{ CloseWrite() error }).CloseWrite()
		require.Equal(t, hidden, errors.Is(err, errors.ErrUnsupported))
		if !hidden {
			require.NoError(t, err)
			_, err = client.Read(make([]byte, 1))
			require.ErrorIs(t, err, io.EOF)
		}
		require.NoError(t, l.Close())
	}
}

// plain hides what its connections are.
type plain struct{ net.Listener }

func (l plain) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return struct{ net.Conn }{c}, err
}

func TestNewRefuses(t *testing.T) {
	nobody, err := gatekit.NewTrustedProxies("")
	require.NoError(t, err)
	_, err = proxyprotocol.New(nil, proxyprotocol.Config{Proxies: nobody, HeaderTimeout: time.Hour, MaxPending: -1})
	for _, want := range []string{"inner: want a listener", "Config.Proxies: want at least one", "HeaderTimeout: want 0s to 1m0s", "MaxPending: want 0 to"} {
		require.ErrorContains(t, err, want)
	}
}

func ExampleNew() {
	proxies := gatekit.Must(gatekit.NewTrustedProxies("", "127.0.0.1"))
	inner := gatekit.Must(net.Listen("tcp", "127.0.0.1:0"))
	listener := gatekit.Must(proxyprotocol.New(inner, proxyprotocol.Config{Proxies: proxies}))
	server := gatekit.HTTP.Limits().HTTPServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "hello", gatekit.SourceIP(r))
	}))
	go server.Serve(listener)
	defer server.Close()

	conn := gatekit.Must(net.Dial("tcp", inner.Addr().String()))
	fmt.Fprint(conn, "PROXY TCP4 203.0.113.9 192.0.2.1 4711 443\r\n"+"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	w := gatekit.Must(http.ReadResponse(bufio.NewReader(conn), nil))
	body, _ := io.ReadAll(w.Body)
	fmt.Print(string(body))
	// Output: hello 203.0.113.9
}
