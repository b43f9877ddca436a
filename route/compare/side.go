package compare

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/gatekit-go/gatekit"
)

// side is one of the two that are asked.
type side struct {
	name     string
	base     url.URL // scheme and host, which connections go to
	host     string  // the Host header
	prefix   string
	header   http.Header
	max      int64
	client   *http.Transport
	inside   *inside // nil for the remote
	server   *http.Server
	failures int // in a row; the run's lock guards it
}

// answer is what a side said.
type answer struct {
	status int
	header http.Header
	body   []byte
	cut    bool   // there was more than max
	route  string // the key, as far as the side tells it
}

func newTransport(c Config) *http.Transport {
	return &http.Transport{
		DisableCompression:     true, // both answer as to clients that accept none
		MaxResponseHeaderBytes: 256 << 10,
		MaxIdleConnsPerHost:    c.Concurrency,
	}
}

func newRemote(c Config, remote *url.URL) *side {
	t := newTransport(c)
	t.Proxy = http.ProxyFromEnvironment
	t.TLSClientConfig = c.TLS
	t.ForceAttemptHTTP2 = true
	if t.TLSClientConfig == nil {
		t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return &side{name: "the remote", base: url.URL{Scheme: remote.Scheme, Host: remote.Host}, host: remote.Host,
		prefix: strings.TrimRight(remote.EscapedPath(), "/"), header: c.Header, max: c.MaxBodyBytes, client: t}
}

// startGateway serves Config.Gateway on a port of the loopback interface: what net/http's server
// adds to an answer, or refuses, is part of what clients would see.
func startGateway(c Config) (*side, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &side{name: "the gateway", base: url.URL{Scheme: "http", Host: c.Host}, host: c.Host, prefix: c.Prefix,
		header: c.GatewayHeader, max: c.MaxBodyBytes, client: newTransport(c), inside: &inside{gateway: c.Gateway}}
	s.client.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, listener.Addr().String())
	}
	// A panic's value may hold anything; what the client sees of it is told.
	s.server = &http.Server{Handler: s.inside, ReadHeaderTimeout: c.Timeout, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = s.server.Serve(listener) }() // until close
	return s, nil
}

func (s *side) close() {
	s.client.CloseIdleConnections()
	if s.server != nil {
		_ = s.server.Close()
	}
}

// ask sends a question. The URL is put together from the parts of what the configuration says, and
// the log's text is its path and query alone: nothing in it can choose another server.
func (s *side) ask(ctx context.Context, q question) (answer, error) {
	path, query, _ := strings.Cut(s.prefix+q.target, "?")
	u := s.base
	u.RawPath, u.RawQuery = path, query
	var err error
	if u.Path, err = url.PathUnescape(path); err != nil {
		return answer{}, err
	}
	r := (&http.Request{Method: q.method, URL: &u, Host: s.host, Header: s.header.Clone()}).WithContext(ctx)
	var route <-chan string
	if s.inside != nil {
		var forget func()
		route, forget = s.inside.expect(r.Header)
		defer forget()
	}
	w, err := s.client.RoundTrip(r) // and not a Client's Do, which follows redirects
	if err != nil {
		return answer{}, err
	}
	defer w.Body.Close()
	a := answer{status: w.StatusCode, header: w.Header}
	if a.body, err = io.ReadAll(io.LimitReader(w.Body, s.max+1)); err != nil {
		return answer{}, err
	}
	if a.cut = int64(len(a.body)) > s.max; a.cut {
		a.body = nil
		return a, nil // the handler may not have ended
	}
	if route != nil {
		select {
		case a.route = <-route:
		case <-ctx.Done():
		}
	}
	return a, nil
}

// marker is the header by which inside knows a request of ours. The gateway doesn't see it.
const marker = "X-Gatekit-Compare"

// inside serves the gateway to those requests that are expected, and to nobody else on this
// machine.
type inside struct {
	gateway http.Handler
	pending sync.Map // of channels for route keys, by the marker's value
}

// expect marks a request's headers. The route that it was served by comes through the channel.
func (h *inside) expect(header http.Header) (route <-chan string, forget func()) {
	c, key := make(chan string, 1), rand.Text()
	header.Set(marker, key)
	h.pending.Store(key, c)
	return c, func() { h.pending.Delete(key) }
}

func (h *inside) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	route, ok := h.pending.Load(r.Header.Get(marker))
	if !ok {
		http.Error(w, "this port compares gateways, and serves nobody", http.StatusForbidden)
		return
	}
	r.Header.Del(marker)
	rc, r := gatekit.Attach(r)
	defer func() {
		select {
		case route.(chan string) <- rc.RouteKey():
		default: // the client's second try, as the first connection broke off
		}
	}()
	h.gateway.ServeHTTP(w, r)
}
