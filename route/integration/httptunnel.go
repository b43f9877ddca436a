package integration

import (
	"bufio"
	"context"
	"fmt"
	"io"
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
	out := x.w.Header()
	for name, values := range res.Header {
		out[name] = values
	}
	out["Connection"], out["Upgrade"] = []string{"Upgrade"}, []string{x.upgrade}
	control := http.NewResponseController(x.w)
	x.w.WriteHeader(http.StatusSwitchingProtocols)
	client, buffered, err := control.Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // HTTP/2, or a recorder: the 101 can't be followed by anything
	}
	defer client.Close()
	if err := client.SetDeadline(time.Time{}); err != nil { // the server's, of a request
		return
	}
	if err := buffered.Flush(); err != nil {
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
