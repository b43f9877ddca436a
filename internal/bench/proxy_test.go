package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatekit-go/gatekit/internal/bench/stacks"
)

const proxyEnv = "GATEKIT_BENCH_PROXY"

// proxyMember is a process that serves one stack, or the upstream behind all of them.
type proxyMember struct {
	Stack    string // "" is the upstream
	Upstream string
	JWKS     []byte
}

// maybeBeProxy is called first thing in TestMain. The process ends with its input.
func maybeBeProxy() {
	text := os.Getenv(proxyEnv)
	if text == "" {
		return
	}
	var m proxyMember
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		panic(err)
	}
	stacks.Quiet()
	h := http.Handler(stacks.Hello)
	if m.Stack != "" {
		var err error
		if h, err = stacks.BuildProxy(context.Background(), m.Stack, &stacks.Issued{JWKS: m.JWKS}, m.Upstream); err != nil {
			panic(err)
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }()
	fmt.Println(listener.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

// start runs the member and returns where it listens.
func (m proxyMember) start(b *testing.B) string {
	text, err := json.Marshal(m)
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), proxyEnv+"="+string(text))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(line)
}

var (
	proxyFor    = flag.Duration("proxyfor", 100*time.Millisecond, "how long BenchmarkProxyLoad sends to each stack each round")
	proxyRounds = flag.Int("proxyrounds", 1, "how many rounds BenchmarkProxyLoad makes")
)

// BenchmarkProxyLoad sends requests on 64 connections to each stack in turn, round after round, each stack in a process of its own before one
// upstream in another. It tells the medians of the requests a second, of their share of the bare ReverseProxy's in the same round, and of the 99th
// percentile.
func BenchmarkProxyLoad(b *testing.B) {
	upstream := proxyMember{}.start(b)
	addresses := map[string]string{}
	for _, name := range stacks.ProxyNames {
		addresses[name] = proxyMember{Stack: name, Upstream: upstream, JWKS: issued().JWKS}.start(b)
	}
	perSecond, ofBare, p99 := map[string][]float64{}, map[string][]float64{}, map[string][]float64{}
	measureOnce := sync.OnceFunc(func() {
		for _, name := range stacks.ProxyNames { // warm: connections, caches
			if _, err := hammerProxy(addresses[name], 50*time.Millisecond); err != nil {
				b.Fatalf("%s: %v", name, err)
			}
		}
		for round := range *proxyRounds {
			order := slices.Clone(stacks.ProxyNames)
			if round%2 == 1 {
				slices.Reverse(order)
			}
			got := map[string]float64{}
			for _, name := range order {
				took, err := hammerProxy(addresses[name], *proxyFor)
				if err != nil {
					b.Fatalf("%s: %v", name, err)
				}
				slices.Sort(took)
				got[name] = float64(len(took)) / proxyFor.Seconds()
				p99[name] = append(p99[name], float64(took[len(took)*99/100])/1e6)
			}
			for name, n := range got {
				perSecond[name] = append(perSecond[name], n)
				ofBare[name] = append(ofBare[name], n/got[stacks.ProxyNames[0]])
			}
		}
	})
	middle := func(values []float64) float64 { return slices.Sorted(slices.Values(values))[len(values)/2] }
	for _, name := range stacks.ProxyNames {
		b.Run("by="+name, func(b *testing.B) {
			for b.Loop() {
				measureOnce()
			}
			b.ReportMetric(middle(perSecond[name]), "requests/s")
			b.ReportMetric(middle(ofBare[name]), "of-bare")
			b.ReportMetric(middle(p99[name]), "p99-ms")
		})
	}
}

const proxyConnections = 64

// hammerProxy sends requests one after the other on each connection, and returns how long each took. It writes and reads bytes itself, as
// http.Client would cost more than what is measured.
func hammerProxy(address string, length time.Duration) ([]time.Duration, error) {
	request := []byte("GET " + stacks.Path + " HTTP/1.1\r\nHost: api.example.com\r\nUser-Agent: bench\r\nAuthorization: Bearer " + issued().Token + "\r\n\r\n")
	stop := time.Now().Add(length)
	var mu sync.Mutex
	var all []time.Duration
	var errs []error
	var wg sync.WaitGroup
	for range proxyConnections {
		wg.Go(func() {
			took, err := proxyClient(address, request, stop)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, took...)
			errs = append(errs, err)
		})
	}
	wg.Wait()
	if len(all) == 0 {
		errs = append(errs, errors.New("no answer"))
	}
	return all, errors.Join(errs...)
}

func proxyClient(address string, request []byte, stop time.Time) ([]time.Duration, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(stop.Add(10 * time.Second)); err != nil {
		return nil, err
	}
	in := bufio.NewReader(conn)
	var took []time.Duration
	for start := time.Now(); start.Before(stop); {
		if _, err := conn.Write(request); err != nil {
			return took, err
		}
		status, err := in.ReadSlice('\n')
		if err == nil && !strings.HasPrefix(string(status), "HTTP/1.1 200") {
			err = fmt.Errorf("got %q", status)
		}
		for line := status; err == nil && len(line) != 2; {
			line, err = in.ReadSlice('\n')
		}
		if err == nil {
			_, err = in.Discard(len("hello"))
		}
		if err != nil {
			return took, err
		}
		now := time.Now()
		took = append(took, now.Sub(start))
		start = now
	}
	return took, nil
}

// BenchmarkProxy is one request at a time, with the front's connection left out: what the proxies allocate, and the upstream in this process with
// them.
func BenchmarkProxy(b *testing.B) {
	upstream := httptest.NewServer(stacks.Hello)
	defer upstream.Close()
	for _, name := range stacks.ProxyNames {
		ctx, cancel := context.WithCancel(context.Background())
		h := must[http.Handler](b)(stacks.BuildProxy(ctx, name, issued(), upstream.Listener.Addr().String()))
		b.Run("by="+name, func(b *testing.B) {
			measure(b, h, request("GET", stacks.Path, "Authorization", "Bearer "+issued().Token), 200)
		})
		cancel()
	}
}

func TestProxyStacks(t *testing.T) {
	upstream := httptest.NewServer(stacks.Hello)
	defer upstream.Close()
	for _, name := range stacks.ProxyNames {
		h := must[http.Handler](t)(stacks.BuildProxy(t.Context(), name, issued(), upstream.Listener.Addr().String()))
		for token, want := range map[string]int{issued().Token: 200, "x": 401} {
			if !strings.Contains(name, "+") {
				want = 200
			}
			if got := newResponse().serve(h, request("GET", stacks.Path, "Authorization", "Bearer "+token)); got != want {
				t.Errorf("%s: got %d, want %d", name, got, want)
			}
		}
	}
}
