// Frontdoor serves an API whose connections are limited, on a port of its own and on one behind a
// load balancer that speaks the PROXY protocol, and attacks itself.
//
//	go run ./examples/frontdoor
//
// It prints what to try. The balancer and the attackers are in the program, so that the attacks
// come from addresses that your machine hasn't got.
package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/domain/proxyprotocol"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/throttle"
)

const (
	balancer = "127.0.0.1/32" // passes connections on, and says whose they are
	tlsProxy = "10.0.0.1/32"  // ends TLS, and sends the client's certificate in a header
)

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "address to listen on; port 0 takes a free one")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *addr, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, addr string, out io.Writer) error {
	connections, err := throttle.NewConnections(throttle.ConnectionsConfig{
		MaxPerAddress: 10,
		RequestRate:   &throttle.Limit{Rate: 10, Burst: 20}, // on one connection
		Grace:         500 * time.Millisecond,
	})
	if err != nil {
		return err
	}
	direct, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	behind, err := behindBalancer()
	if err != nil {
		return errors.Join(err, direct.Close())
	}
	a := &attacker{target: behind.Addr().String()}
	if a.certificate, err = certificateOf("alice"); err != nil {
		return errors.Join(err, direct.Close(), behind.Close())
	}
	api, err := gateway(a, connections)
	if err != nil {
		return errors.Join(err, direct.Close(), behind.Close())
	}
	server := gatekit.HTTP.Limits().HTTPServer(api) // its timeouts, and what HTTP/2 may do
	listeners := []net.Listener{connections.Guard(server, direct), connections.Guard(server, behind)}
	printTry(out, direct.Addr().String())
	go func() {
		<-ctx.Done()
		last, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = server.Shutdown(last)
	}()
	go func() { _ = server.Serve(listeners[1]) }()
	if err := server.Serve(listeners[0]); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// behindBalancer is the listener that the load balancer connects to.
func behindBalancer() (net.Listener, error) {
	proxies, err := gatekit.NewTrustedProxies("", balancer)
	if err != nil {
		return nil, err
	}
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return proxyprotocol.New(inner, proxyprotocol.Config{Proxies: proxies})
}

// gateway is the API, and the attacks on it.
func gateway(a *attacker, connections *throttle.Connections) (http.Handler, error) {
	proxies, err := gatekit.NewTrustedProxies("", tlsProxy)
	if err != nil {
		return nil, err
	}
	forwarded, err := gatekit.NewForwardedClientCert(gatekit.ForwardedClientCertConfig{Proxies: proxies})
	if err != nil {
		return nil, err
	}
	api, err := route.New(route.Config{})
	if err != nil {
		return nil, err
	}
	api.Use(gatekit.LogRefusals(nil), forwarded.Middleware) // refusals, and why, on stderr
	api.Handle("GET /hello", http.HandlerFunc(hello))
	api.Handle("POST /hello", http.HandlerFunc(read))
	for name, attack := range map[string]func() string{
		"balancer": a.balancer, "flood": a.flood, "requests": a.requests, "slow-body": a.slowBody,
		"certificate": a.certificates,
	} {
		api.Handle("POST /try/"+name, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintln(w, attack())
		}))
	}
	api.Handle("GET /refused", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c := connections.Counts()
		fmt.Fprintf(w, "%d connections, %d requests, %d slow bodies\n",
			c.TooManyByAddress, c.TooManyRequests, c.SlowBodies)
	}))
	return api, nil
}

func hello(w http.ResponseWriter, r *http.Request) {
	name := "nobody"
	if c := gatekit.From(r.Context()).ClientCert(); c != nil {
		name = c.Subject.CommonName
	}
	fmt.Fprintf(w, "hello %s at %s", name, gatekit.SourceIP(r))
}

func read(w http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); errors.Is(err, os.ErrDeadlineExceeded) {
		gatekit.Reject(w, r, &gatekit.Rejection{
			Type: gatekit.Default4XX, Status: http.StatusRequestTimeout, Cause: err,
		})
	}
}

// attacker is the load balancer, and whoever is behind it.
type attacker struct{ target, certificate string }

// dial opens a connection of a client's, as the balancer would.
func (a *attacker) dial(client string) (net.Conn, error) {
	conn, err := net.Dial("tcp", a.target)
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	_, err = fmt.Fprintf(conn, "PROXY TCP4 %s 192.0.2.1 4711 80\r\n", client)
	return conn, err
}

// send sends a request and returns the answer's status and body, or "closed".
func send(conn net.Conn, request string) (status int, body string) {
	if _, err := io.WriteString(conn, request); err != nil {
		return 0, "closed"
	}
	w, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, "closed"
	}
	all, err := io.ReadAll(w.Body)
	if err != nil {
		return 0, "closed"
	}
	return w.StatusCode, string(all)
}

const get = "GET /hello HTTP/1.1\r\nHost: gate\r\n"

// ask opens a connection for one request, with more headers.
func (a *attacker) ask(client, headers string) string {
	conn, err := a.dial(client)
	if err != nil {
		return "closed"
	}
	defer conn.Close()
	_, body := send(conn, get+headers+"\r\n")
	return body
}

func (a *attacker) balancer() string { return a.ask("203.0.113.9", "") }

func (a *attacker) certificates() string {
	header := "X-Forwarded-Client-Cert: Cert=\"" + a.certificate + "\"\r\n"
	return a.ask("10.0.0.1", header) + ", " + a.ask("203.0.113.9", header)
}

// flood opens 50 connections, and keeps those that are let in.
func (a *attacker) flood() string {
	open := 0
	for range 50 {
		conn, err := a.dial("203.0.113.9")
		if err != nil {
			continue
		}
		defer conn.Close()
		if status, _ := send(conn, get+"\r\n"); status == http.StatusOK {
			open++
		}
	}
	return fmt.Sprintf("%d of 50 let in; another client: %s", open, a.ask("203.0.113.10", ""))
}

// requests sends one request after the other.
func (a *attacker) requests() string {
	conn, err := a.dial("203.0.113.11")
	if err != nil {
		return "closed"
	}
	defer conn.Close()
	for range 300 {
		if status, body := send(conn, get+"\r\n"); status != http.StatusOK {
			_, next := send(conn, get+"\r\n")
			return fmt.Sprintf("%s %d, then %s", body, status, next)
		}
	}
	return "all answered"
}

// slowBody promises a body, and sends a byte of it.
func (a *attacker) slowBody() string {
	conn, err := a.dial("203.0.113.12")
	if err != nil {
		return "closed"
	}
	defer conn.Close()
	status, body := send(conn, "POST /hello HTTP/1.1\r\nHost: gate\r\nContent-Length: 1000\r\n\r\na")
	return fmt.Sprint(body, " ", status)
}

// certificateOf is a client's certificate as a proxy writes it into the header.
func certificateOf(name string) (string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return "", err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return strings.ReplaceAll(url.QueryEscape(string(text)), "+", "%20"), nil
}

// printTry prints commands for one shell, each with what it answers behind the #.
func printTry(out io.Writer, addr string) {
	fmt.Fprintf(out, "listening on %s\n\nAPI=http://%s\n", addr, addr)
	fmt.Fprint(out, `
# a connection of your own, and one that the load balancer passes on
curl -sw ' %{http_code}\n' $API/hello   # hello nobody at 127.0.0.1 200
curl -s -X POST $API/try/balancer   # hello nobody at 203.0.113.9
# 50 connections of one client
curl -s -X POST $API/try/flood   # 10 of 50 let in; another client: hello nobody at 203.0.113.10
# 300 requests on one connection
curl -s -X POST $API/try/requests   # {"message":"Too Many Requests"} 429, then closed
# a body that doesn't come
curl -s -X POST $API/try/slow-body   # {"message":"Request Timeout"} 408
# a certificate in a header, from the proxy that ends TLS, and from a client
curl -s -X POST $API/try/certificate   # hello alice at 10.0.0.1, hello nobody at 203.0.113.9
curl -s $API/refused   # 40 connections, 1 requests, 1 slow bodies
`)
}
