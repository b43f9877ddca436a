package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	coder "github.com/coder/websocket"
	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"github.com/gorilla/websocket"
	"github.com/lxzan/gws"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/wsconn"
	route "github.com/gatekit-go/gatekit/route/websocket"
)

// webSockets are servers that send back each message that they get, each written as its
// documentation shows. The bare connection copies bytes: it is what the operating system and the
// harness cost.
var webSockets = []struct {
	name   string
	server func() http.Handler
}{
	{"gatekit", func() http.Handler { return engineServer(wsconn.Config{MaxFrameBytes: 128 << 10}, nil) }},
	{"gatekit-route", routeServer},
	{"gws", func() http.Handler { return gwsServer(nil) }},
	{"coder", func() http.Handler { return http.HandlerFunc(serveCoder) }},
	{"gorilla", func() http.Handler { return http.HandlerFunc(serveGorilla) }},
	{"gobwas", func() http.Handler { return http.HandlerFunc(serveGobwas) }},
	{"tcp", func() http.Handler { return http.HandlerFunc(serveBare) }},
}

type engineEcho struct{}

func (engineEcho) Message(c *wsconn.Conn, op wsconn.Opcode, payload []byte) {
	_ = c.TrySend(op, payload)
}
func (engineEcho) End(*wsconn.Conn, wsconn.End) {}

func engineServer(cfg wsconn.Config, opened func(*wsconn.Conn)) http.Handler {
	engine := gatekit.Must(wsconn.New(cfg))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := gatekit.Must(engine.Check(r)).Accept(w, "")
		if err != nil {
			return
		}
		c.Start(engineEcho{})
		if opened != nil {
			opened(c)
		}
	})
}

// routeServer is the same behind a route selection expression and an http.Handler.
func routeServer() http.Handler {
	api := gatekit.Must(route.New(context.Background(), route.Config{
		RouteSelection: "$request.body.action", MaxFrameBytes: 128 << 10,
	}))
	api.Handle("$default", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
	}))
	return api
}

type gwsEcho struct{ gws.BuiltinEventHandler }

func (gwsEcho) OnMessage(c *gws.Conn, m *gws.Message) {
	_ = c.WriteMessage(m.Opcode, m.Bytes())
	_ = m.Close()
}

func gwsServer(opened func(*gws.Conn)) http.Handler {
	upgrader := gws.NewUpgrader(gwsEcho{}, &gws.ServerOption{ReadMaxPayloadSize: 128 << 10})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := upgrader.Upgrade(w, r)
		if err != nil {
			return
		}
		go c.ReadLoop()
		if opened != nil {
			opened(c)
		}
	})
}

func serveCoder(w http.ResponseWriter, r *http.Request) {
	c, err := coder.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer c.CloseNow()
	c.SetReadLimit(128 << 10)
	for {
		op, p, err := c.Read(r.Context())
		if err != nil || c.Write(r.Context(), op, p) != nil {
			return
		}
	}
}

var gorillaUpgrader websocket.Upgrader

func serveGorilla(w http.ResponseWriter, r *http.Request) {
	c, err := gorillaUpgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer c.Close()
	c.SetReadLimit(128 << 10)
	for {
		op, p, err := c.ReadMessage()
		if err != nil || c.WriteMessage(op, p) != nil {
			return
		}
	}
}

func serveGobwas(w http.ResponseWriter, r *http.Request) {
	c, _, _, err := ws.UpgradeHTTP(r, w)
	if err != nil {
		return
	}
	go func() {
		defer c.Close()
		for {
			p, op, err := wsutil.ReadClientData(c)
			if err != nil || wsutil.WriteServerMessage(c, op, p) != nil {
				return
			}
		}
	}()
}

func serveBare(w http.ResponseWriter, r *http.Request) {
	c, _, _, err := ws.UpgradeHTTP(r, w)
	if err != nil {
		return
	}
	go func() {
		defer c.Close()
		p := make([]byte, 4096)
		for {
			n, err := c.Read(p)
			if err != nil {
				return
			}
			if _, err := c.Write(p[:n]); err != nil {
				return
			}
		}
	}()
}

func dialWebSocket(addr string) (net.Conn, *bufio.Reader, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, nil, err
	}
	_, err = io.WriteString(c, "GET / HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	if err != nil {
		return nil, nil, err
	}
	br := bufio.NewReader(c)
	w, err := http.ReadResponse(br, nil)
	if err != nil {
		return nil, nil, err
	}
	if w.StatusCode != http.StatusSwitchingProtocols {
		return nil, nil, fmt.Errorf("status %d", w.StatusCode)
	}
	return c, br, nil
}

// serverFrame is a text as a server sends it, clientFrame as a client does.
func serverFrame(n int) []byte {
	b := []byte{0x81, byte(n)}
	switch {
	case n > 0xffff:
		b = binary.BigEndian.AppendUint64([]byte{0x81, 127}, uint64(n))
	case n > 125:
		b = binary.BigEndian.AppendUint16([]byte{0x81, 126}, uint16(n))
	}
	return append(b, bytes.Repeat([]byte("x"), n)...)
}

func clientFrame(n int) []byte {
	f := serverFrame(n)
	f[1] |= 0x80
	mask := [4]byte{1, 2, 3, 4}
	payload := f[len(f)-n:]
	for i := range payload {
		payload[i] ^= mask[i%4]
	}
	return append(append(append([]byte(nil), f[:len(f)-n]...), mask[:]...), payload...)
}

// WebSocketEcho is the time from sending one or more messages to having all of them back.
func BenchmarkWebSocketEcho(b *testing.B) {
	for _, shape := range []struct {
		name        string
		size, count int
	}{{"in-turn", 32, 1}, {"64-at-once", 32, 64}, {"64KB", 64 << 10, 1}} {
		for _, by := range webSockets {
			b.Run("load="+shape.name+"/by="+by.name, func(b *testing.B) {
				srv := httptest.NewServer(by.server())
				defer srv.Close()
				c, br, err := dialWebSocket(srv.Listener.Addr().String())
				if err != nil {
					b.Fatal(err)
				}
				defer c.Close()
				out := bytes.Repeat(clientFrame(shape.size), shape.count)
				want := bytes.Repeat(serverFrame(shape.size), shape.count)
				if by.name == "tcp" {
					want = out
				}
				in := make([]byte, len(want))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := c.Write(out); err != nil {
						b.Fatal(err)
					}
					if _, err := io.ReadFull(br, in); err != nil {
						b.Fatal(err)
					}
				}
				if !bytes.Equal(in, want) {
					b.Fatal("another echo")
				}
			})
		}
	}
}

const clientsEnv = "GATEKIT_BENCH_WEBSOCKETS"

// maybeBeClients is called first thing in TestMain: a process that opens many connections, reads
// what comes, and ends with its input. Their memory and descriptors aren't the server's.
func maybeBeClients() {
	addr, count, ok := strings.Cut(os.Getenv(clientsEnv), " ")
	if !ok {
		return
	}
	n, err := strconv.Atoi(count)
	if err != nil {
		panic(err)
	}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range n / 16 {
				c, br, err := dialWebSocket(addr)
				if err != nil {
					panic(err)
				}
				if _, err := c.Write(clientFrame(32)); err != nil {
					panic(err)
				}
				if _, err := br.Peek(32); err != nil { // the echo, so every connection has been used
					panic(err)
				}
				go func() { _, _ = io.Copy(io.Discard, struct{ io.Reader }{io.MultiReader(br, c)}) }()
			}
		})
	}
	wg.Wait()
	fmt.Println("connected")
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

// openMany has another process open n connections to srv, and returns when all are open.
func openMany(b *testing.B, srv *httptest.Server, n int) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), clientsEnv+"="+srv.Listener.Addr().String()+" "+strconv.Itoa(n))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	before := runtime.NumGoroutine()
	b.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Wait()
		for range 100 { // the server's ends must have gone, too, before others are measured
			if runtime.NumGoroutine() < before+100 {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
	})
	if _, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
		b.Fatal(err)
	}
}

// many is how many connections the figures of memory and broadcast are of: the 10,000 that the
// budgets are for, or what descriptors allow.
var many = sync.OnceValue(func() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		panic(err)
	}
	return min(10_000, int(limit.Cur)-500)
})

// WebSocketMemory is what an idle connection costs: heap and stacks, with all that net/http keeps
// for it.
func BenchmarkWebSocketMemory(b *testing.B) {
	for _, by := range webSockets {
		b.Run("by="+by.name, func(b *testing.B) {
			for b.Loop() {
				before := memoryInUse()
				srv := httptest.NewServer(by.server())
				openMany(b, srv, many())
				b.ReportMetric(float64(memoryInUse()-before)/float64(many()), "B/conn")
				srv.CloseClientConnections()
			}
		})
	}
}

// memoryInUse returns the bytes of heap and stacks in use once nothing more is to be collected.
func memoryInUse() int64 {
	var m runtime.MemStats
	last := int64(0)
	for range 10 {
		runtime.GC()
		runtime.ReadMemStats(&m)
		now := int64(m.HeapInuse + m.StackInuse)
		if last-now < 1<<18 && now-last < 1<<18 {
			return now
		}
		last = now
		time.Sleep(100 * time.Millisecond)
	}
	return last
}

// WebSocketBroadcast is the time to write 1 KB to each of many connections.
func BenchmarkWebSocketBroadcast(b *testing.B) {
	payload := bytes.Repeat([]byte("x"), 1<<10)
	b.Run("by=gatekit", func(b *testing.B) {
		var mu sync.Mutex
		var conns []*wsconn.Conn
		cfg := wsconn.Config{}
		srv := httptest.NewServer(engineServer(cfg, func(c *wsconn.Conn) {
			mu.Lock()
			defer mu.Unlock()
			conns = append(conns, c)
		}))
		openMany(b, srv, many())
		engine := gatekit.Must(wsconn.New(cfg))
		b.ReportAllocs()
		for b.Loop() {
			p := engine.Prepare(wsconn.Text, payload)
			p.Broadcast(conns, func(_ *wsconn.Conn, err error) { b.Error(err) })
		}
	})
	b.Run("by=gatekit-api", func(b *testing.B) {
		var mu sync.Mutex
		var ids []string
		api := gatekit.Must(route.New(context.Background(), route.Config{RouteSelection: "$request.body.action"}))
		api.Handle("$connect", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			ids = append(ids, gatekit.From(r.Context()).Connection.ID)
		}))
		api.Handle("$default", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }))
		openMany(b, httptest.NewServer(api), many())
		b.ReportAllocs()
		for b.Loop() {
			failed, err := api.Broadcast(context.Background(), ids, route.Text, payload)
			if err != nil || len(failed) > 0 {
				b.Fatal(err, failed)
			}
		}
	})
	b.Run("by=gws", func(b *testing.B) {
		var mu sync.Mutex
		var conns []*gws.Conn
		srv := httptest.NewServer(gwsServer(func(c *gws.Conn) {
			mu.Lock()
			defer mu.Unlock()
			conns = append(conns, c)
		}))
		openMany(b, srv, many())
		b.ReportAllocs()
		for b.Loop() {
			for _, c := range conns {
				if err := c.WriteMessage(gws.OpcodeText, payload); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}
