package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/redistest"
	route "github.com/gatekit-go/gatekit/route/websocket"
	"github.com/gatekit-go/gatekit/route/websocket/redisregistry"
)

// inMemory is a ResponseWriter whose connection is a pipe.
type inMemory struct {
	*httptest.ResponseRecorder
	conn net.Conn
}

func (w inMemory) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return w.conn, bufio.NewReadWriter(bufio.NewReaderSize(w.conn, 16), bufio.NewWriterSize(w.conn, 16)), nil
}

// openPipe opens a connection without descriptors, and returns the client's end.
func openPipe(b *testing.B, h http.Handler, room []byte) net.Conn {
	far, near := net.Pipe()
	r := request("GET", "/", "Upgrade", "websocket", "Connection", "Upgrade", "Sec-Websocket-Version", "13",
		"Sec-Websocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
	done := make(chan struct{})
	go func() {
		h.ServeHTTP(inMemory{httptest.NewRecorder(), near}, r)
		close(done)
	}()
	answer := 0
	for string(room[max(0, answer-4):answer]) != "\r\n\r\n" {
		n, err := far.Read(room[answer:])
		if err != nil {
			b.Fatal(err)
		}
		answer += n
	}
	<-done
	if _, err := far.Write(clientFrame(32)); err != nil {
		b.Fatal(err)
	}
	if _, err := io.ReadFull(far, room[:34]); err != nil { // the echo, so every connection has been used
		b.Fatal(err)
	}
	return far
}

// WebSocketSlope is what an idle connection costs at 10,000 and at 50,000 connections, over pipes in
// memory, as few systems let a process have that many descriptors. The pipe is in the figure.
func BenchmarkWebSocketSlope(b *testing.B) {
	for _, n := range []int{10_000, 50_000} {
		b.Run("connections="+strconv.Itoa(n), func(b *testing.B) {
			for b.Loop() {
				h := routeServer()
				room := make([]byte, 4096)
				conns := make([]net.Conn, 0, n)
				before := memoryInUse()
				for range n {
					conns = append(conns, openPipe(b, h, room))
				}
				b.ReportMetric(float64(memoryInUse()-before)/float64(n), "B/conn")
				goroutines := runtime.NumGoroutine()
				for _, c := range conns {
					_ = c.Close()
				}
				until(b, func() bool { return runtime.NumGoroutine() < goroutines-n/2 })
			}
		})
	}
}

// until waits for what happens soon.
func until(b *testing.B, cond func() bool) {
	for range 200 {
		if cond() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	b.Fatal("it hasn't happened")
}

// WebSocketSlowReaders broadcasts 1 KB a hundred times a second to 100 connections of which ten read
// nothing, and to 100 that all read, in turn; and tells how the 99th percentile of the time in which
// a message reaches the other ninety differs.
func BenchmarkWebSocketSlowReaders(b *testing.B) {
	const readers, slow, rounds, messages = 90, 10, 9, 100
	for b.Loop() {
		var ratios []float64
		for range rounds {
			fast := spreadLatency(b, readers, slow, false, messages)
			slowed := spreadLatency(b, readers, slow, true, messages)
			ratios = append(ratios, slowed/fast)
		}
		slices.Sort(ratios)
		b.ReportMetric(ratios[len(ratios)/2], "p99-ratio")
		b.ReportMetric(ratios[0], "p99-ratio-least")
	}
}

// spreadLatency returns the 99th percentile, in nanoseconds, of the time from a broadcast to its
// arrival at one of the readers.
func spreadLatency(b *testing.B, readers, others int, othersSleep bool, messages int) float64 {
	ids := make(chan string, readers+others)
	api := gatekit.Must(route.New(context.Background(), route.Config{RouteSelection: "$request.body.action", DrainOver: route.Off}))
	api.Handle("$connect", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		ids <- gatekit.From(r.Context()).Connection.ID
	}))
	srv := httptest.NewServer(api)
	defer srv.Close()
	defer func() { _ = api.Shutdown(context.Background()) }()
	start := time.Now()
	var mu sync.Mutex
	var took []time.Duration
	var arrived atomic.Int64
	var all []string
	for i := range readers + others {
		c, br, err := dialWebSocket(srv.Listener.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		all = append(all, <-ids)
		if i >= readers && othersSleep {
			_ = c.(*net.TCPConn).SetReadBuffer(4096)
			continue
		}
		go func() {
			frame := make([]byte, 4+1024)
			for {
				if _, err := io.ReadFull(br, frame); err != nil {
					return
				}
				if i < readers {
					sent, _ := strconv.ParseInt(string(frame[4:20]), 16, 64)
					mu.Lock()
					took = append(took, time.Since(start)-time.Duration(sent))
					mu.Unlock()
					arrived.Add(1)
				}
			}
		}()
	}
	payload := make([]byte, 1024)
	for i := range payload {
		payload[i] = 'x'
	}
	ctx := context.Background()
	send := func() {
		copy(payload, fmt.Sprintf("%016x", time.Since(start).Nanoseconds()))
		if _, err := api.Broadcast(ctx, all, route.Text, payload); err != nil {
			b.Fatal(err)
		}
	}
	// Those that don't read are full before anything is measured.
	for range 700 {
		send()
	}
	until(b, func() bool { return arrived.Load() == int64(700*readers) })
	mu.Lock()
	took = took[:0]
	mu.Unlock()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for range messages {
		<-tick.C
		send()
	}
	until(b, func() bool { return arrived.Load() == int64((700+messages)*readers) })
	mu.Lock()
	defer mu.Unlock()
	slices.Sort(took)
	return float64(took[len(took)*99/100])
}

// WebSocketNode sends to a connection that another node of a fleet holds, and beside it asks the same
// Redis for nothing: one call at a time, and 64 at a time for each core, which tells what Redis takes.
func BenchmarkWebSocketNode(b *testing.B) {
	server := redistest.Start(b)
	client := redisClient(server.Addr)
	defer client.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ids := make(chan string, 1)
	node := func() *route.API {
		fleet := gatekit.Must(redisregistry.New(ctx, redisregistry.Config{Client: client, Name: "bench"}))
		api := gatekit.Must(route.New(ctx, route.Config{
			API: gatekit.API{APIID: "a1b2c3d4e5", Stage: "prod"}, RouteSelection: "$request.body.action",
			Registry: fleet, Transport: fleet, DrainOver: route.Off,
		}))
		api.Handle("$connect", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			ids <- gatekit.From(r.Context()).Connection.ID
		}))
		return api
	}
	here, there := node(), node()
	defer func() { _ = here.Shutdown(ctx); _ = there.Shutdown(ctx) }()
	srv := httptest.NewServer(there)
	defer srv.Close()
	c, br, err := dialWebSocket(srv.Listener.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	go func() { _, _ = io.Copy(io.Discard, br) }()
	id, message := <-ids, []byte(`{"text":"32 bytes of a message"}`)
	fleet := gatekit.Must(redisregistry.New(ctx, redisregistry.Config{Client: client, Name: "bench"}))
	member := gatekit.Must(fleet.Join(ctx, route.Node{
		ID: "records", Scope: "a1b2c3d4e5/prod", Records: func() iter.Seq[route.Record] { return slices.Values([]route.Record(nil)) },
		Fence: func() {}, Orphan: func(context.Context, route.Record) {},
	}))
	defer func() { _ = member.Leave(ctx) }()
	var last atomic.Int64
	state := []byte(`{"sourceIp":"203.0.113.9","userAgent":"Mozilla/5.0","authorizer":{"principalId":"user-123","tenant":"t9"}}`)
	record := func() route.Record {
		return route.Record{ID: fmt.Sprintf("%015d=", last.Add(1)), State: state, Groups: []string{"room"}}
	}
	b.Run("of=memory", func(b *testing.B) {
		const records = 20_000
		for b.Loop() {
			before := info(b, client, "used_memory")
			for range records {
				if err := member.Add(ctx, record()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric((info(b, client, "used_memory")-before)/records, "redis-B/record")
		}
	})
	for _, of := range []struct {
		name string
		call func() error
	}{
		{"send-to-another-node", func() error { return here.Send(ctx, id, route.Text, message) }},
		{"send-on-this-node", func() error { return there.Send(ctx, id, route.Text, message) }},
		{"info-of-another-node", func() error { _, err := here.Info(ctx, id); return err }},
		{"record-and-remove", func() error {
			r := record()
			if err := member.Add(ctx, r); err != nil {
				return err
			}
			_, err := member.Remove(ctx, r.ID)
			return err
		}},
		{"redis-round-trip", func() error { return client.Ping(ctx).Err() }},
	} {
		b.Run("of="+of.name, func(b *testing.B) {
			for b.Loop() {
				if err := of.call(); err != nil {
					b.Fatal(err)
				}
			}
		})
		if of.name == "send-on-this-node" {
			continue // its client would be sent more than it reads
		}
		b.Run("of="+of.name+"/parallel=true", func(b *testing.B) {
			b.SetParallelism(64)
			before := processorTime(b, client)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := of.call(); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric((processorTime(b, client)-before)*1e6/float64(b.N), "redis-cpu-µs/op")
		})
	}
}

// processorTime returns how many seconds a core has worked for a Redis.
func processorTime(b *testing.B, client *redis.Client) float64 {
	return info(b, client, "used_cpu_user") + info(b, client, "used_cpu_sys")
}

// info returns a number that a Redis tells of itself.
func info(b *testing.B, client *redis.Client, name string) float64 {
	text, err := client.Info(context.Background(), "cpu", "memory").Result()
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), name+":"); ok {
			v, err := strconv.ParseFloat(value, 64)
			if err != nil {
				b.Fatal(err)
			}
			return v
		}
	}
	b.Fatalf("Redis doesn't tell %s", name)
	return 0
}
