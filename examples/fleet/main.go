// Fleet starts several gateway processes that share one limit through Redis, sends them more than
// it allows, and prints how much they let through together.
//
//	go run ./examples/fleet
//
// It brings a Redis of its own along (miniredis); with -redis it uses a real one:
//
//	go run ./examples/fleet -redis 127.0.0.1:6379 -gateways 4 -leased
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/throttle"
	"github.com/gatekit-go/gatekit/throttle/redisthrottle"
)

// The limits of all gateways together: of the load that this program makes, and of each caller who
// comes by curl.
var (
	ofLoad   = throttle.Limit{Rate: 100, Burst: 200}
	ofCaller = throttle.Limit{Rate: 1.0 / 60, Burst: 4}
)

type options struct {
	addr, redis string
	gateways    int
	leased      bool
}

func main() {
	var o options
	flag.StringVar(&o.addr, "addr", "127.0.0.1:0", "address to listen on; each gateway takes a free port")
	flag.StringVar(&o.redis, "redis", "", "address of a Redis; empty starts one here")
	flag.IntVar(&o.gateways, "gateways", 3, "how many processes")
	flag.BoolVar(&o.leased, "leased", false, "take tokens in advance instead of asking Redis for each request")
	member := flag.Bool("member", false, "be one of the gateways")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	run := fleet
	if *member {
		run = gateway
	}
	if err := run(ctx, o, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// fleet starts the gateways and sends them load until ctx ends.
func fleet(ctx context.Context, o options, out io.Writer) error {
	if o.gateways < 1 || o.gateways > 100 {
		return fmt.Errorf("-gateways: want 1 to 100, got %d", o.gateways)
	}
	if o.redis == "" {
		own, err := miniredis.Run()
		if err != nil {
			return err
		}
		defer own.Close()
		o.redis = own.Addr()
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	var urls []string
	for range o.gateways {
		url, err := start(ctx, &all, o)
		if err != nil {
			return err
		}
		urls = append(urls, url)
	}
	printTry(out, urls)
	return load(ctx, out, urls)
}

// start runs this program again as a gateway, and returns its URL. The gateway ends when its input
// does, so that none is left behind, however this program ends.
func start(ctx context.Context, all *sync.WaitGroup, o options) (string, error) {
	program, err := os.Executable()
	if err != nil {
		return "", err
	}
	cmd := exec.Command(program, "-member", "-addr", o.addr, "-redis", o.redis, fmt.Sprintf("-leased=%v", o.leased))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return "", err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	line, readErr := bufio.NewReader(stdout).ReadString('\n')
	all.Go(func() {
		<-ctx.Done()
		_ = in.Close()
		_ = cmd.Wait()
	})
	if readErr != nil {
		return "", fmt.Errorf("a gateway didn't start: %w", readErr)
	}
	return strings.TrimSpace(line), nil
}

// gateway is one process of the fleet. It prints its URL.
func gateway(ctx context.Context, o options, out io.Writer) error {
	client := redis.NewClient(&redis.Options{Addr: o.redis, ContextTimeoutEnabled: true})
	defer client.Close()
	shared := redisthrottle.BucketsConfig{Client: client, Name: "fleet-load", Timeout: time.Second}
	if o.leased {
		shared.Mode = redisthrottle.Leased
	}
	loadLimit, err := redisthrottle.New(ofLoad, redisthrottle.Config{BucketsConfig: shared, Key: throttle.ByIP})
	if err != nil {
		return err
	}
	shared.Name, shared.Mode = "fleet-callers", redisthrottle.Exact
	callerLimit, err := redisthrottle.New(ofCaller,
		redisthrottle.Config{BucketsConfig: shared, Key: throttle.ByHeader("X-Caller")})
	if err != nil {
		return err
	}
	api, err := route.New(route.Config{})
	if err != nil {
		return err
	}
	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	api.Handle("GET /load", ok, loadLimit.Middleware)
	// Refusals, and why, on stderr; not those of the load, which is refused on purpose.
	api.Handle("GET /pets", ok, gatekit.LogRefusals(nil), callerLimit.Middleware)

	listener, err := net.Listen("tcp", o.addr)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: api, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = server.Close()
	}()
	fmt.Fprintf(out, "http://%s\n", listener.Addr())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// load sends each gateway about 100 requests a second, which is the whole fleet's limit, and prints
// what came through.
func load(ctx context.Context, out io.Writer, urls []string) error {
	admitted := make([]atomic.Int64, len(urls))
	var all sync.WaitGroup
	defer all.Wait()
	for i, url := range urls {
		all.Go(func() {
			tick := time.NewTicker(10 * time.Millisecond)
			defer tick.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
				if get(ctx, url+"/load") == http.StatusOK {
					admitted[i].Add(1)
				}
			}
		})
	}
	second := time.NewTicker(time.Second)
	defer second.Stop()
	before := make([]int64, len(urls))
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-second.C:
		}
		sum := int64(0)
		var each []string
		for i := range admitted {
			now := admitted[i].Load()
			each = append(each, fmt.Sprint(now-before[i]))
			sum += now - before[i]
			before[i] = now
		}
		fmt.Fprintf(out, "admitted in the last second: %d (%s)\n", sum, strings.Join(each, " + "))
	}
}

func get(ctx context.Context, url string) int {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0
	}
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0
	}
	defer w.Body.Close()
	_, _ = io.Copy(io.Discard, w.Body)
	return w.StatusCode
}

// printTry prints commands for one shell, each with what it answers behind the #.
func printTry(out io.Writer, urls []string) {
	fmt.Fprintf(out, "%d gateways let %g requests a second through together, after a first burst of %d\n\n", len(urls),
		ofLoad.Rate, ofLoad.Burst)
	fmt.Fprintf(out, "FIRST=%s\nLAST=%s\n", urls[0], urls[len(urls)-1])
	fmt.Fprint(out, `
# a caller has four requests, whichever gateway they come to
for api in $FIRST $LAST $FIRST $LAST $FIRST $LAST; do curl -so /dev/null -w '%{http_code} ' -H 'X-Caller: ann' $api/pets; done   # 200 200 200 200 429 429
# another caller has four of their own
curl -sw ' %{http_code}\n' -H 'X-Caller: bob' $FIRST/pets   # ok 200

`)
}
