// Serve serves the API that you have, with its functions, on this machine: a CDK app, a
// CloudFormation or SAM template, or an OpenAPI document, as it is.
//
//	go run ./examples/serve
//	go run ./examples/serve -template cdk.out/manifest.json -watch
//	go run ./examples/serve -template openapi.yaml -function orders=./orders
//
// Without -template it serves the app in its folder: app/app.js is a program of the CDK, cdk.out
// what the CDK has made of it. It prints what of the document isn't served, or not alike, the
// routes with their authorizers and limits, and lines to try.
//
// Functions run as processes, without containers: bootstrap programs and Go source, Node and Python
// where node and python3 are there. They have the template's environment, and instead of your
// credentials a key of this gateway's own. Where the template says the address of one of its APIs
// they are told the one here; AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI, which SDKs heed, is where
// messages to the connections of its WebSocket API go.
//
// options.go is the flags, bindings.go what stands in for AWS, try.go what is printed to try.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth/authtest"
	"github.com/gatekit-go/gatekit/route/definition"
	"github.com/gatekit-go/gatekit/route/definition/functions"
	"github.com/gatekit-go/gatekit/route/definition/source"
)

func main() {
	o := defineFlags(flag.CommandLine)
	flag.Parse()
	// Processes of functions would outlive this one.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		log.Fatal(err)
	}
}

// server is what is served: an address for each API, and behind them one gateway.
type server struct {
	*options
	changes   *source.Watcher
	doc       *definition.Document
	issuer    *authtest.Issuer
	listeners []net.Listener
	urls      map[string]string // of APIs, by ID; "" mints tokens
	key       [3]string         // what functions sign with, an ID and a secret, and what API keys end in
	code      *functions.Functions
	gateway   *definition.Gateway
}

func run(ctx context.Context, o *options) error {
	s := &server{options: o, urls: map[string]string{}}
	err := o.find()
	if err == nil {
		s.changes = source.NewWatcher(o.template)
		s.doc, err = o.read()
	}
	switch {
	case err != nil:
		return err
	case o.export != "":
		return export(s.doc)
	}
	if s.issuer, err = authtest.StartIssuer(); err != nil {
		return err
	}
	defer s.issuer.Close()
	if err = s.listen(); err == nil {
		err = s.build(ctx)
	}
	if err != nil {
		return err
	}
	defer func() { _, _ = s.gateway.Close(), s.code.Close() }()
	switch {
	case o.remote != "":
		return s.compareLog(ctx)
	case o.report != "":
		out := json.NewEncoder(os.Stdout)
		out.SetIndent("", " ")
		return out.Encode(s.gateway.Report())
	}
	return s.serve(ctx)
}

// read reads the file. An API without stages, as in an OpenAPI document, gets the usual one.
func (o *options) read() (*definition.Document, error) {
	s := source.Options{}
	s.CloudFormation.Parameters = o.parameters
	doc, err := source.Read(o.template, s)
	if err != nil {
		return nil, err
	}
	for _, api := range doc.APIs {
		if len(api.Stages) == 0 && api.Flavor == definition.FlavorHTTP {
			api.Stages = map[string]*definition.Stage{"$default": {}}
		} else if len(api.Stages) == 0 {
			api.Stages = map[string]*definition.Stage{"prod": {}}
		}
	}
	return doc, nil
}

// listen takes an address for each API, as functions are told them before anything is served, and
// one for tokens, which is always a loopback one.
func (s *server) listen() error {
	addr := s.addr
	for i := range len(s.doc.APIs) + 1 {
		id := ""
		if i < len(s.doc.APIs) {
			id = s.doc.APIs[i].ID
		} else {
			addr = "127.0.0.1:0"
		}
		listener, err := net.Listen("tcp", addr)
		if err != nil {
			return err
		}
		s.listeners = append(s.listeners, listener)
		at := *listener.Addr().(*net.TCPAddr)
		addr = net.JoinHostPort(at.IP.String(), "0")
		if at.IP.IsUnspecified() { // nobody can ask for that
			at.IP = net.IPv4(127, 0, 0, 1)
		}
		s.urls[id] = "http://" + at.String()
	}
	return nil
}

// build makes the functions and the gateway.
func (s *server) build(ctx context.Context) (err error) {
	s.key = [3]string{"AKIA" + rand.Text()[:16], rand.Text(), rand.Text()}
	s.code, err = functions.New(s.doc, functions.Config{
		Root: s.root(), Code: s.functions, APIs: s.urls, Environment: s.environment, Reload: true,
	})
	if err != nil {
		return err
	}
	s.doc.Findings = append(s.doc.Findings, s.code.Findings()...)
	if s.gateway, err = definition.Build(ctx, s.doc, s.bindings()); err != nil {
		_ = s.code.Close()
	}
	return err
}

// update serves the document as it is now, or goes on as before. It has no listeners for APIs that
// are new: they are found by their hosts.
func (s *server) update(ctx context.Context) {
	doc, err := s.read()
	if err == nil {
		err = s.code.Update(doc)
	}
	if err == nil {
		doc.Findings = append(doc.Findings, s.code.Findings()...)
		if err = s.gateway.Update(ctx, doc); err != nil {
			err = errors.Join(err, s.code.Update(s.doc)) // with the functions that its document has
		}
	}
	if err != nil {
		log.Printf("%s isn't served as it is now: %v", s.template, err)
		return
	}
	s.doc = doc
	fmt.Printf("\n%s is served as it is now: %s", s.template, s.gateway.Report())
}

// serve serves until ctx ends.
func (s *server) serve(ctx context.Context) error {
	failed := make(chan error, len(s.listeners))
	servers := make([]*http.Server, len(s.listeners))
	for i, listener := range s.listeners {
		handler, flavor := http.Handler(http.HandlerFunc(s.issuer.ServeTokens)), gatekit.HTTP
		if i < len(s.doc.APIs) {
			api, err := s.gateway.Stage(s.doc.APIs[i].ID, "")
			if err != nil {
				return err
			}
			handler = s.byHost(api)
		}
		servers[i] = flavor.Limits().HTTPServer(handler)
		go func() { failed <- servers[i].Serve(listener) }()
	}
	s.print()
	if s.watch {
		go s.changes.Watch(ctx, time.Second/2, func() { s.update(ctx) })
	}
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	_ = s.gateway.Close() // WebSocket connections, too, which servers don't know of
	last, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	for _, server := range servers {
		_ = server.Shutdown(last)
	}
	return err
}

// compareLog compares this gateway with another.
func (s *server) compareLog(ctx context.Context) error {
	file, err := os.Open(s.log)
	if err != nil {
		return err
	}
	defer file.Close()
	return compareMain(ctx, s.gateway, s.remote, file, *s.compare, os.Stdout)
}

// byHost serves an API to whoever asks this machine, and others by the names of their hosts. On a
// loopback address no other names are served: a web page may have its own lead here (DNS
// rebinding), and would read what functions answer.
func (s *server) byHost(api http.Handler) http.Handler {
	loopback := s.listeners[0].Addr().(*net.TCPAddr).IP.IsLoopback()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		if net.ParseIP(strings.Trim(host, "[]")) != nil || strings.EqualFold(host, "localhost") {
			api.ServeHTTP(w, r)
			return
		}
		if d := s.gateway.Domains(); loopback && d != nil { // without any the gateway refuses
			if _, err := d.Select(r); err != nil {
				gatekit.Reject(w, r, err)
				return
			}
		}
		s.gateway.ServeHTTP(w, r)
	})
}
