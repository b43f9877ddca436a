package integration

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
)

// tunnel joins the two connections of an upgraded request. It returns when either side ends, when nothing was sent in either direction for the
// idle timeout, or when the Proxy's context ends.
func (x *exchange) tunnel(res *http.Response) {
	p := x.proxy
	x.watch.Stop()
	upstream, ok := res.Body.(io.ReadWriteCloser)
	if got := res.Header.Get("Upgrade"); !ok || x.upgrade == "" || !strings.EqualFold(got, x.upgrade) {
		x.reject(&gatekit.Rejection{Type: gatekit.IntegrationFailure, Cause: fmt.Errorf("integration: the upstream changed to the protocol %q, asked for was %q", got, x.upgrade)})
		return
	}
	defer upstream.Close()
	dropHopByHop(res.Header, nil)
	delete(res.Header, "Apigw-Requestid")
	client, buffered, err := x.takeOver(res.Header)
	if err != nil {
		x.reject(&gatekit.Rejection{Type: gatekit.IntegrationFailure, Cause: fmt.Errorf("integration: take the client's connection over: %w", err)})
		return
	}
	defer client.Close()
	if err := switchProtocols(client, buffered.Writer, x.w.Header()); err != nil {
		return
	}
	closeBoth := func() {
		_ = client.Close()
		_ = upstream.Close()
	}
	defer context.AfterFunc(p.ctx, closeBoth)()
	idle := time.AfterFunc(p.idle, closeBoth)
	defer idle.Stop()
	fromClient := make(chan struct{})
	go func() {
		defer close(fromClient)
		pass(upstream, ahead(client, buffered.Reader), idle, p.idle)
		closeBoth()
	}()
	pass(client, upstream, idle, p.idle)
	closeBoth()
	<-fromClient
}

// takeOver returns the client's connection. Nothing has been written to it: a router's writer may keep a status until a body follows, as gin's does, so
// that one written before would never be sent. Stations edit the headers as the connection is taken over; if it can't be (HTTP/2, a recorder), the
// headers are as before.
func (x *exchange) takeOver(header http.Header) (net.Conn, *bufio.ReadWriter, error) {
	out := x.w.Header()
	before := maps.Clone(out)
	maps.Copy(out, header)
	out["Connection"], out["Upgrade"] = []string{"Upgrade"}, []string{x.upgrade}
	client, buffered, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		clear(out)
		maps.Copy(out, before)
	}
	return client, buffered, err
}

// switchProtocols writes the answer that ends HTTP on the connection.
func switchProtocols(client net.Conn, to *bufio.Writer, header http.Header) error {
	if err := client.SetDeadline(time.Time{}); err != nil { // the server's, of a request
		return err
	}
	_, _ = io.WriteString(to, "HTTP/1.1 101 Switching Protocols\r\n")
	_ = header.WriteSubset(to, map[string]bool{"Content-Length": true, "Transfer-Encoding": true, "Trailer": true}) // it has no body
	_, _ = io.WriteString(to, "\r\n")
	return to.Flush() // which tells of what went wrong before, too
}

// ahead returns what the client sent before it saw the answer, and then the rest.
func ahead(client net.Conn, buffered *bufio.Reader) io.Reader {
	n := buffered.Buffered()
	if n == 0 {
		return client
	}
	return io.MultiReader(io.LimitReader(buffered, int64(n)), client)
}

// pass copies until there is an end or an error, and puts off the end of the silence with each piece.
func pass(to io.Writer, from io.Reader, idle *time.Timer, wait time.Duration) {
	b := buffers.Get().(*[copyBytes]byte)
	defer buffers.Put(b)
	for {
		n, err := from.Read(b[:])
		if n > 0 {
			idle.Reset(wait)
			if _, writeErr := to.Write(b[:n]); writeErr != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
