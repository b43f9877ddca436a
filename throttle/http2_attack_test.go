package throttle_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/throttle"
)

// frames is an HTTP/2 client that sends what it likes.
type frames struct {
	*http2.Framer
	conn   net.Conn
	out    *bufio.Writer
	closed chan struct{} // once the server has
	away   chan struct{} // once it has said that it will
	late   atomic.Bool   // it hadn't, when the test's own time was up
	asked  byte          // by answers
	told   atomic.Int64  // the last of what answers asked that was told
	pongs  atomic.Int64  // acknowledged PINGs
	acks   atomic.Int64  // acknowledged SETTINGS
	goAway atomic.Int64  // its error code, or -1
}

// speak opens an HTTP/2 connection. One that isn't deaf reads what the server sends.
func speak(t testing.TB, addr string, deaf bool) *frames {
	t.Helper()
	raw := dial(t, "127.0.0.1", addr)
	conn := tls.Client(raw, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	require.NoError(t, conn.Handshake())
	require.NoError(t, raw.SetDeadline(time.Now().Add(60*time.Second)))
	f := &frames{conn: conn, out: bufio.NewWriterSize(conn, 16<<10), closed: make(chan struct{}), away: make(chan struct{})}
	f.goAway.Store(-1)
	f.Framer = http2.NewFramer(f.out, bufio.NewReader(conn))
	f.AllowIllegalWrites = true
	_, err := io.WriteString(f.out, http2.ClientPreface)
	require.NoError(t, err)
	require.NoError(t, f.WriteSettings())
	require.NoError(t, f.out.Flush())
	if !deaf {
		go f.listen()
	}
	return f
}

func (f *frames) listen() {
	defer close(f.closed)
	away := sync.OnceFunc(func() { close(f.away) })
	defer away()
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			f.late.Store(errors.Is(err, os.ErrDeadlineExceeded))
			return
		}
		switch frame := frame.(type) {
		case *http2.PingFrame:
			f.pongs.Add(1)
			if frame.Data[0] > 0 {
				f.told.Store(int64(frame.Data[0]))
			}
		case *http2.SettingsFrame:
			if frame.IsAck() {
				f.acks.Add(1)
			}
		case *http2.GoAwayFrame:
			f.goAway.Store(int64(frame.ErrCode))
			away()
		}
	}
}

var requestHeaders = func() []byte {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	for _, field := range [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", "gate.example"}, {":path", "/"}} {
		if err := e.WriteField(hpack.HeaderField{Name: field[0], Value: field[1], Sensitive: true}); err != nil {
			panic(err)
		}
	}
	return b.Bytes()
}()

// flood sends until most have been sent, or the server has closed, and returns how many were sent.
func (f *frames) flood(most int, send func(i int) error) (sent int) {
	for sent < most {
		if err := send(sent); err != nil {
			return sent
		}
		sent++
	}
	_ = f.out.Flush()
	return sent
}

// open sends a request that nothing follows.
func (f *frames) open(i int) error {
	return f.WriteHeaders(http2.HeadersFrameParam{StreamID: uint32(2*i + 1), BlockFragment: requestHeaders, EndStream: true, EndHeaders: true})
}

// reset is the rapid reset of CVE-2023-44487.
func (f *frames) reset(i int) error {
	if err := f.open(i); err != nil {
		return err
	}
	return f.WriteRSTStream(uint32(2*i+1), http2.ErrCodeCancel)
}

// answers reports whether the connection still works: the server acknowledges one more PING.
func (f *frames) answers(t testing.TB) bool {
	t.Helper()
	f.asked = max(f.asked+1, 1) // 0 is everybody else's
	if f.WritePing(false, [8]byte{f.asked}) != nil || f.out.Flush() != nil {
		return false
	}
	for {
		select {
		case <-f.closed:
			return false
		case <-time.After(time.Millisecond):
			if f.told.Load() == int64(f.asked) {
				return true
			}
		}
	}
}

// unlimited is Go's server alone: what is left to Connections refuses nothing.
var unlimited = throttle.ConnectionsConfig{
	RequestRate: &throttle.Limit{Rate: 1e9, Burst: 1e9}, OverheadRate: &throttle.Limit{Rate: 1e9, Burst: 1e9}, MinBodyRate: -1, MinAnswerRate: -1,
}

// An HTTP/2 request whose headers stop coming: ReadHeaderTimeout doesn't hold there, but the server's
// PING can't be answered amid headers.
func TestSlowHeadersOfHTTP2(t *testing.T) {
	inBubble(t, throttle.ConnectionsConfig{}, ok, func(s *http.Server) {
		withTLS(s)
		s.HTTP2 = gatekit.HTTP.Limits().HTTPServer(nil).HTTP2
	}, func(t *testing.T, _ *throttle.Connections, p *pipes) {
		raw, _ := p.dial(context.Background(), "", "")
		defer raw.Close()
		conn := tls.Client(raw, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
		require.NoError(t, conn.Handshake())
		took := make(chan time.Duration)
		go func() { took <- closedAfter(conn) }()
		_, err := io.WriteString(conn, http2.ClientPreface)
		require.NoError(t, err)
		f := http2.NewFramer(conn, nil)
		require.NoError(t, f.WriteSettings())
		require.NoError(t, f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: requestHeaders}))
		require.Equal(t, 45*time.Second, (<-took).Truncate(time.Second))
	})
}

// What Go's server bounds itself, with the settings of Limits.HTTPServer.
func TestFloodsThatGoEnds(t *testing.T) {
	t.Run("rapid-reset-of-slow-handlers", func(t *testing.T) {
		var handlers, most atomic.Int64
		release := make(chan struct{})
		addr := start(t, guard(t, unlimited), http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			n := handlers.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			<-release
			handlers.Add(-1)
		}), withTLS)
		defer close(release)
		f := speak(t, addr, false)
		f.flood(100_000, f.reset)
		<-f.away
		require.EqualValues(t, http2.ErrCodeEnhanceYourCalm, f.goAway.Load())
		require.EqualValues(t, 100, most.Load(), "MaxConcurrentStreams handlers at a time, and four times as many waiting")
	})
	t.Run("pings-whose-answers-nobody-reads", func(t *testing.T) {
		f := speak(t, start(t, guard(t, unlimited), ok, withTLS), true)
		sent := f.flood(20_000_000, func(int) error { return f.WritePing(false, [8]byte{}) })
		require.Less(t, sent, 20_000_000, "10,000 frames in the queue beside what the kernel takes")
		t.Logf("closed after %d PINGs", sent)
	})
	t.Run("continuation", func(t *testing.T) {
		f := speak(t, start(t, guard(t, unlimited), ok, withTLS), false)
		require.NoError(t, f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: requestHeaders}))
		field := append([]byte{0x10, 1, 'x', 100}, bytes.Repeat([]byte("a"), 100)...) // never indexed: x: aaa…
		sent := f.flood(1_000_000, func(int) error { return f.WriteContinuation(1, false, field) })
		<-f.away
		require.False(t, f.late.Load())
		require.Less(t, sent, 1_000_000)
		t.Logf("closed before %d frames were sent", sent)
	})
	t.Run("settings-that-are-many", func(t *testing.T) {
		f := speak(t, start(t, guard(t, unlimited), ok, withTLS), false)
		many := make([]http2.Setting, 101)
		for i := range many {
			many[i] = http2.Setting{ID: http2.SettingID(1000 + i)}
		}
		require.NoError(t, f.WriteSettings(many...))
		require.NoError(t, f.out.Flush())
		<-f.away
		require.False(t, f.late.Load())
	})
}

// What it doesn't: each flood here goes on as long as it likes without Connections, and ends with
// them. What was let through is logged.
func TestFloodsThatGoLetsPass(t *testing.T) {
	const many = 20_000
	type flood struct {
		name  string
		most  int
		begin func(f *frames) error
		send  func(f *frames, i int) error
		end   func(f *frames) error
		why   func(throttle.ConnectionCounts) uint64
	}
	nothing := func(*frames) error { return nil }
	overhead := func(c throttle.ConnectionCounts) uint64 { return c.Overhead }
	for _, tt := range []flood{
		// These two in step with the server: faster ones are those that Go ends.
		{"rapid-reset", 3000, nothing, func(f *frames, i int) error {
			if i%50 == 49 && !f.answers(t) {
				return io.EOF
			}
			return f.reset(i)
		}, nothing, func(c throttle.ConnectionCounts) uint64 { return c.TooManyRequests }},
		{"pings", many, nothing, func(f *frames, i int) error {
			if i%1000 == 999 && !f.answers(t) {
				return io.EOF
			}
			return f.WritePing(false, [8]byte{})
		}, nothing, overhead},
		{"pings-between-requests", many, nothing, func(f *frames, i int) error {
			if i%1000 == 999 {
				if !f.answers(t) {
					return io.EOF
				}
				return f.open(i / 1000)
			}
			return f.WritePing(false, [8]byte{})
		}, nothing, overhead},
		{"pings-between-bytes-of-a-body", many, func(f *frames) error {
			return f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: requestHeaders, EndHeaders: true})
		}, func(f *frames, i int) error {
			if i%1000 == 999 {
				if !f.answers(t) {
					return io.EOF
				}
				return f.WriteData(1, false, []byte("a"))
			}
			return f.WritePing(false, [8]byte{})
		}, nothing, overhead},
		{"settings", many, nothing, func(f *frames, _ int) error {
			return f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 16})
		}, nothing, overhead},
		{"priorities", many, nothing, func(f *frames, _ int) error {
			return f.WritePriority(1, http2.PriorityParam{StreamDep: 3})
		}, nothing, overhead},
		{"window-updates", many, nothing, func(f *frames, _ int) error { return f.WriteWindowUpdate(0, 1) }, nothing, overhead},
		{"unknown-frames", many, nothing, func(f *frames, _ int) error {
			return f.WriteRawFrame(0xfa, 0, 0, []byte("12345678"))
		}, nothing, overhead},
		{"empty-data", 2 * many, func(f *frames) error {
			return f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: requestHeaders, EndHeaders: true})
		}, func(f *frames, _ int) error { return f.WriteData(1, false, nil) }, nothing, overhead},
		{"empty-continuations", 2 * many, func(f *frames) error {
			return f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: requestHeaders, EndStream: true})
		}, func(f *frames, _ int) error { return f.WriteContinuation(1, false, nil) },
			func(f *frames) error { return f.WriteContinuation(1, true, nil) }, overhead},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var served atomic.Int64
			h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				served.Add(1)
				_, _ = io.Copy(io.Discard, r.Body)
			})
			play := func(c *throttle.Connections) (f *frames, goesOn bool) {
				served.Store(0)
				f = speak(t, start(t, c, h, withTLS), false)
				require.NoError(t, tt.begin(f))
				f.flood(tt.most, func(i int) error { return tt.send(f, i) })
				_ = tt.end(f)
				return f, f.answers(t)
			}
			began := time.Now()
			f, goesOn := play(guard(t, unlimited))
			require.True(t, goesOn, "alone")
			t.Logf("alone: %d frames or more in %v, %d acknowledged, %d requests served",
				tt.most, time.Since(began), f.pongs.Load()+f.acks.Load(), served.Load())

			began = time.Now()
			c := guard(t, throttle.ConnectionsConfig{RequestRate: &throttle.Limit{Rate: 1, Burst: 2000}})
			c.AllowOverhead(128 << 10)
			f, _ = play(c)
			<-f.away
			require.False(t, f.late.Load(), "with Connections")
			require.Positive(t, tt.why(c.Counts()))
			require.LessOrEqual(t, served.Load(), int64(2001+time.Since(began)/time.Second))
			t.Logf("with Connections: %d acknowledged, %d requests served", f.pongs.Load()+f.acks.Load(), served.Load())
		})
	}
}

// A client that loads much acknowledges much, and one that sends much sends bodies: neither is a
// flood.
func TestHeavyClientsAreNoFlood(t *testing.T) {
	for name, length := range map[string]int64{"GET": 16 << 20, "POST": 8 << 20} {
		c := guard(t, throttle.ConnectionsConfig{})
		if name == "GET" {
			c.AllowOverhead(32 << 10)
		}
		addr := start(t, c, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == "GET" {
				_, _ = io.CopyN(w, zeros{}, length)
			}
			_, _ = io.Copy(w, r.Body)
		}), withTLS)
		client := &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
		r, err := http.NewRequest(name, "https://"+addr, nil)
		require.NoError(t, err)
		if name == "POST" {
			r.Body = io.NopCloser(io.LimitReader(zeros{}, length))
		}
		w, err := client.Do(r)
		require.NoError(t, err)
		require.Equal(t, 2, w.ProtoMajor)
		n, err := io.Copy(io.Discard, w.Body)
		require.NoError(t, err)
		require.Equal(t, length, n)
		require.Equal(t, throttle.ConnectionCounts{Open: 1, Accepted: 1}, c.Counts())
		client.CloseIdleConnections()
	}
}

// Bodies that handlers refuse unread count, and a few megabytes of them are no flood.
func TestBodiesThatNobodyReads(t *testing.T) {
	c := guard(t, throttle.ConnectionsConfig{})
	addr := start(t, c, ok, withTLS)
	client := &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer client.CloseIdleConnections()
	for range 3 {
		w, err := client.Post("https://"+addr, "text/plain", io.LimitReader(zeros{}, 1<<20))
		require.NoError(t, err)
		_ = w.Body.Close()
		require.Equal(t, 200, w.StatusCode)
	}
	got := c.Counts()
	require.LessOrEqual(t, got.Accepted, uint64(2), "past half of what is let through the client is asked to go elsewhere")
	got.Open, got.Accepted = 0, 0
	require.Equal(t, throttle.ConnectionCounts{}, got)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }
