package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gatekit-go/gatekit/internal/bench/stacks"
)

const connections = 64

// load is what one stack did over loopback HTTP/1.1, medians of its runs.
type load struct {
	perSecond, cpuMicros float64
	p99                  time.Duration
	ofBare               float64 // requests a second as a share of the bare handler's in the same round
}

// loopback measures every stack in a process of its own, in alternating runs.
func loopback(runs int, length time.Duration) (map[string]load, error) {
	all := map[string][]load{}
	for range runs {
		var bare float64 // the first of each round
		for _, name := range stacks.Names {
			l, err := measure(name, length)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			if name == "bare" {
				bare = l.perSecond
			}
			l.ofBare = l.perSecond / bare
			all[name] = append(all[name], l)
		}
	}
	result := map[string]load{}
	for name, ls := range all {
		pick := func(f func(load) float64) float64 {
			var values []float64
			for _, l := range ls {
				values = append(values, f(l))
			}
			return median(values)
		}
		result[name] = load{
			perSecond: pick(func(l load) float64 { return l.perSecond }),
			cpuMicros: pick(func(l load) float64 { return l.cpuMicros }),
			ofBare:    pick(func(l load) float64 { return l.ofBare }),
			p99:       time.Duration(pick(func(l load) float64 { return float64(l.p99) })),
		}
	}
	return result, nil
}

// serveStack is the child: it says where it listens and what token it takes, serves until its input ends, and says how much processor
// time that took.
func serveStack(name string) error {
	issued, err := stacks.Issue()
	if err != nil {
		return err
	}
	h, err := stacks.Build(name, issued)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }()
	before := processorTime()
	fmt.Println(listener.Addr(), issued.Token)
	_, _ = io.Copy(io.Discard, os.Stdin)
	fmt.Println(int64(processorTime() - before))
	return server.Close()
}

func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func measure(name string, length time.Duration) (load, error) {
	program, err := os.Executable()
	if err != nil {
		return load{}, err
	}
	cmd := exec.Command(program, "-serve", name)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return load{}, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return load{}, err
	}
	if err := cmd.Start(); err != nil {
		return load{}, err
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	out := bufio.NewReader(stdout)
	line, err := out.ReadString('\n')
	if err != nil {
		return load{}, err
	}
	address, token, _ := strings.Cut(strings.TrimSpace(line), " ")
	latencies, err := hammer(address, token, length)
	if err != nil {
		return load{}, err
	}
	if err := stdin.Close(); err != nil {
		return load{}, err
	}
	if line, err = out.ReadString('\n'); err != nil {
		return load{}, err
	}
	var nanos int64
	if _, err := fmt.Sscan(line, &nanos); err != nil {
		return load{}, err
	}
	slices.Sort(latencies)
	n := float64(len(latencies))
	return load{perSecond: n / length.Seconds(), cpuMicros: float64(nanos) / 1000 / n, p99: latencies[len(latencies)*99/100]}, nil
}

// hammer sends requests on 64 connections, one after the other on each, and returns how long each took. It writes and reads bytes
// itself, as http.Client would cost more than the servers.
func hammer(address, token string, length time.Duration) ([]time.Duration, error) {
	request := "GET " + stacks.Path + " HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: Bearer " + token + "\r\n\r\n"
	stop := time.Now().Add(length)
	var mu sync.Mutex
	var all []time.Duration
	var errs []error
	var wg sync.WaitGroup
	for range connections {
		wg.Go(func() {
			took, err := client(address, request, stop)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, took...)
			if err != nil {
				errs = append(errs, err)
			}
		})
	}
	wg.Wait()
	if len(all) == 0 {
		errs = append(errs, errors.New("no answer"))
	}
	return all, errors.Join(errs...)
}

func client(address, request string, stop time.Time) ([]time.Duration, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(stop.Add(5 * time.Second)); err != nil {
		return nil, err
	}
	in := bufio.NewReader(conn)
	var took []time.Duration
	for start := time.Now(); start.Before(stop); {
		if _, err := io.WriteString(conn, request); err != nil {
			return took, err
		}
		if err := answer(in); err != nil {
			return took, err
		}
		now := time.Now()
		took = append(took, now.Sub(start))
		start = now
	}
	return took, nil
}

// answer reads one answer with the body "hello".
func answer(in *bufio.Reader) error {
	status, err := in.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !strings.HasPrefix(string(status), "HTTP/1.1 200") {
		return fmt.Errorf("got %q", status)
	}
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) == 2 {
			_, err := in.Discard(len("hello"))
			return err
		}
	}
}
