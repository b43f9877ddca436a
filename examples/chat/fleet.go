package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/gatekit-go/gatekit/auth/authtest"
	"github.com/gatekit-go/gatekit/route/integration"
	"github.com/gatekit-go/gatekit/route/websocket/redisregistry"
)

// processes is how many a fleet has.
const processes = 3

// terms are what each process of a fleet is told on its standard input, once all have an address.
type terms struct {
	Redis, Issuer, Login string
	Nodes                []string // URLs, the process's own first
}

// fleet starts this program three times more, and has beside them what they share: the issuer with
// its login, and a Redis unless there is one.
func fleet(ctx context.Context, addr, redisAddr string) error {
	if strings.HasPrefix(redisAddr, "-") { // -redis alone, and another flag behind it
		return fmt.Errorf("-redis: want an address, or %s, got %s", embedded, redisAddr)
	}
	if redisAddr == embedded {
		own, err := miniredis.Run()
		if err != nil {
			return err
		}
		defer own.Close()
		defer age(own)()
		redisAddr = own.Addr()
	}
	issuer, err := authtest.StartIssuer()
	if err != nil {
		return err
	}
	defer issuer.Close()
	front, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer front.Close()
	go func() { _ = (&http.Server{Handler: login(issuer), ReadHeaderTimeout: 5 * time.Second}).Serve(front) }()

	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	var nodes []*process
	var urls []string
	for range processes {
		p, err := start(ctx, &all, addr)
		if err != nil {
			return err
		}
		nodes, urls = append(nodes, p), append(urls, p.url)
	}
	t := terms{Redis: redisAddr, Issuer: issuer.URL(), Login: "http://" + front.Addr().String() + "/"}
	fmt.Println("three processes are one chat; open each in a window, and end one with kill -9:")
	for i, p := range nodes {
		t.Nodes = append(append([]string{p.url}, urls[:i]...), urls[i+1:]...)
		if err := p.tell(ctx, t); err != nil {
			return err
		}
		fmt.Printf("%s/   process %d\n", p.url, p.cmd.Process.Pid)
	}
	fmt.Println()
	printTry(urls[0], issuer)
	<-ctx.Done()
	return nil
}

// age has keys end when their time is over, which miniredis leaves to others, until stop.
func age(s *miniredis.Miniredis) (stop func()) {
	tick := time.NewTicker(time.Second)
	ended := make(chan struct{})
	go func() {
		for {
			select {
			case <-tick.C:
				s.FastForward(time.Second)
			case <-ended:
				return
			}
		}
	}()
	return func() { tick.Stop(); close(ended) }
}

// process is one of a fleet, as who has started it sees it.
type process struct {
	url string
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// start runs this program again. It ends when its input does, so that none is left behind, however
// this program ends.
func start(ctx context.Context, all *sync.WaitGroup, addr string) (*process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.Command(program, "-member", "-addr", addr)}
	p.cmd.Stderr = os.Stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = p.in.Close() })
	p.out = bufio.NewReader(stdout)
	line, err := p.out.ReadString('\n')
	p.url = strings.TrimSpace(line)
	all.Go(func() {
		<-ctx.Done() // what it prints has been read by then
		_ = p.cmd.Wait()
	})
	if err != nil {
		return nil, fmt.Errorf("a process didn't start: %w", err)
	}
	return p, nil
}

// tell tells a process the terms, and waits until it serves.
func (p *process) tell(ctx context.Context, t terms) error {
	if err := json.NewEncoder(p.in).Encode(t); err != nil {
		return fmt.Errorf("a process has ended: %w", err)
	}
	if _, err := p.out.ReadString('\n'); err != nil {
		return fmt.Errorf("a process doesn't serve: %w", err)
	}
	go func() {
		_, _ = io.Copy(io.Discard, p.out)
		if ctx.Err() == nil {
			log.Printf("process %d has ended", p.cmd.Process.Pid)
		}
	}()
	return nil
}

// member is one process of a fleet.
func member(ctx context.Context, addr string) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fmt.Println("http://" + listener.Addr().String())
	in := json.NewDecoder(os.Stdin)
	var t terms
	if err := in.Decode(&t); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	client := redis.NewClient(&redis.Options{Addr: t.Redis, ContextTimeoutEnabled: true})
	defer client.Close()
	registry, err := redisregistry.New(context.WithoutCancel(ctx), redisregistry.Config{
		Client: client, Name: "chat", Lease: 3 * time.Second, // how long a dead process' people seem to be there
	})
	if err != nil {
		return err
	}
	login, err := integration.NewHTTP(ctx, integration.HTTPConfig{URI: t.Login})
	if err != nil {
		return err
	}
	s := setup{
		issuer: t.Issuer, login: login, store: &shared{client},
		nodes: t.Nodes, tickets: &tickets{client}, fleet: registry,
	}
	return serve(ctx, listener, s, func() { fmt.Println("serving") })
}
