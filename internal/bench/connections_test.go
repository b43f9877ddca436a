package bench

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/throttle"
)

// guardedServer serves h on loopback, bare or behind limits of connections that refuse nothing here, and returns the address.
func guardedServer(b *testing.B, h http.Handler, guarded bool) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	s := gatekit.HTTP.Limits().HTTPServer(h)
	if guarded {
		a := throttle.Limit{Rate: aLot, Burst: aLot}
		c := must[*throttle.Connections](b)(throttle.NewConnections(throttle.ConnectionsConfig{AcceptRate: &a, RequestRate: &a}))
		l = c.Guard(s, l)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Serve(l) }()
	b.Cleanup(func() { _ = s.Close(); <-done })
	return l.Addr().String()
}

// BenchmarkConnections is what the limits of connections cost: a request on a connection that is open, one with a body of 1 KB, a file of 1 MB,
// and a request on a connection of its own.
func BenchmarkConnections(b *testing.B) {
	big := strings.Repeat("a", 1<<20)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/big":
			http.ServeContent(w, r, "a.txt", time.Time{}, strings.NewReader(big))
		case r.ContentLength > 0:
			_, _ = io.Copy(io.Discard, r.Body)
		}
	})
	get := "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
	for _, tt := range []struct{ name, request string }{
		{"request", get},
		{"body-of-1-KB", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1024\r\n\r\n" + strings.Repeat("a", 1024)},
		{"answer-of-1-MB", "GET /big HTTP/1.1\r\nHost: a\r\n\r\n"},
		{"connection", get},
	} {
		for _, guarded := range []bool{false, true} {
			b.Run(fmt.Sprintf("do=%s/guarded=%v", tt.name, guarded), func(b *testing.B) {
				addr := guardedServer(b, h, guarded)
				var conn net.Conn
				var in *bufio.Reader
				b.ReportAllocs()
				for b.Loop() {
					if conn == nil {
						var err error
						if conn, err = net.Dial("tcp", addr); err != nil {
							b.Fatal(err)
						}
						in = bufio.NewReader(conn)
					}
					if _, err := io.WriteString(conn, tt.request); err != nil {
						b.Fatal(err)
					}
					w, err := http.ReadResponse(in, nil)
					if err != nil || w.StatusCode != 200 {
						b.Fatal(err)
					}
					_, _ = io.Copy(io.Discard, w.Body)
					if tt.name == "connection" {
						_ = conn.(*net.TCPConn).SetLinger(0)
						_ = conn.Close()
						conn = nil
					}
				}
				if conn != nil {
					_ = conn.Close()
				}
			})
		}
	}
}
