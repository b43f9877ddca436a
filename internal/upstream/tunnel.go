package upstream

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"time"
)

// Tunnel answers an upgraded request with 101 and header, beside what the client's writer has, and
// joins the two connections. It returns when either side ends, when nothing was sent in either
// direction for the idle timeout, or when the Pool's context ends. The error means that the
// client's connection can't be taken over: then nothing was written, and the headers are as before.
func (x *Exchange) Tunnel(server io.ReadWriteCloser, header http.Header) error {
	defer server.Close()
	x.watch.Stop()
	x.pool.answered(x.at)
	client, buffered, err := x.takeOver(header)
	if err != nil {
		return fmt.Errorf("upstream: take the client's connection over: %w", err)
	}
	defer client.Close()
	if err := switchProtocols(client, buffered.Writer, x.W.Header()); err != nil {
		return nil // the client is gone
	}
	closeBoth := func() {
		_ = client.Close()
		_ = server.Close()
	}
	defer context.AfterFunc(x.pool.ctx, closeBoth)()
	wait := x.pool.config.IdleTimeout
	idle := time.AfterFunc(wait, closeBoth)
	defer idle.Stop()
	fromClient := make(chan struct{})
	go func() {
		defer close(fromClient)
		pass(server, ahead(client, buffered.Reader), idle, wait)
		closeBoth()
	}()
	pass(client, server, idle, wait)
	closeBoth()
	<-fromClient
	return nil
}

// takeOver returns the client's connection. Nothing has been written to it: a router's writer may
// keep a status until a body follows, as gin's does, so that one written before would never be
// sent. Stations edit the headers as the connection is taken over; if it can't be (HTTP/2, a
// recorder), the headers are as before.
func (x *Exchange) takeOver(header http.Header) (net.Conn, *bufio.ReadWriter, error) {
	out := x.W.Header()
	before := maps.Clone(out)
	maps.Copy(out, header)
	out["Connection"], out["Upgrade"] = []string{"Upgrade"}, []string{x.Upgrade}
	client, buffered, err := http.NewResponseController(x.W).Hijack()
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
	// It has no body.
	_ = header.WriteSubset(to, map[string]bool{"Content-Length": true, "Transfer-Encoding": true, "Trailer": true})
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

// pass copies until there is an end or an error, and puts off the end of the silence with each
// piece.
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
