package wsconn

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/gatekit-go/gatekit/internal/httpword"
)

// ErrProtocol is what [Handshake.Accept] returns for a subprotocol that the client didn't offer.
// Nothing was written; the managed gateway's sheet answers 502.
var ErrProtocol = errors.New("wsconn: subprotocol was not offered")

// ErrHijack is what [Handshake.Accept] returns where the ResponseWriter can't be taken over, as
// under http.TimeoutHandler. Nothing was written; it is a fault of the server's set-up: 500.
var ErrHijack = errors.New("wsconn: the ResponseWriter can't be hijacked")

// Accept writes the 101 (over HTTP/2 a 200) and returns the connection, on which [Conn.Start] must
// be called. Until then nothing is read, and no timer runs.
//
// protocol is one of the client's, or "". The answer has the headers of w, as any answer would, so
// what stations in front have set is in it; those that belong to the handshake or to a body are
// left out. A header that couldn't stand on a line of its own is an error, as is a protocol that
// wasn't offered (ErrProtocol), and a writer that can't be taken over (ErrHijack): then nothing was
// written and the caller can still answer. Any other error is the connection's, which is closed.
//
// Routers and stations that wrap w are passed through their Unwrap or Hijack methods
// (http.ResponseController). What the client sent behind its handshake, before it could know the
// answer, is kept and read as frames. Deadlines of http.Server end with the handshake.
func (h *Handshake) Accept(w http.ResponseWriter, protocol string) (*Conn, error) {
	if protocol != "" && !slices.Contains(h.protocols, protocol) {
		return nil, ErrProtocol
	}
	answer, err := h.answer(w.Header(), protocol)
	if err != nil {
		return nil, err
	}
	if isHTTP2(h.r) {
		return h.acceptStream(w, protocol)
	}
	netConn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrHijack, err)
	}
	var early []byte
	if n := rw.Reader.Buffered(); n > 0 {
		early, _ = rw.Reader.Peek(n)
	}
	// net/http has cleared its deadlines in Hijack, but a wrapper's own needn't.
	err = errors.Join(netConn.SetReadDeadline(time.Time{}),
		netConn.SetWriteDeadline(time.Now().Add(h.engine.cfg.WriteTimeout)))
	if err == nil {
		_, err = netConn.Write(answer)
	}
	if err == nil {
		err = netConn.SetWriteDeadline(time.Time{})
	}
	if err != nil {
		_ = netConn.Close()
		return nil, fmt.Errorf("wsconn: write the 101: %w", err)
	}
	return newConn(h, netConn, early, protocol), nil
}

// acceptStream answers over HTTP/2 (RFC 8441, section 5).
func (h *Handshake) acceptStream(w http.ResponseWriter, protocol string) (*Conn, error) {
	header := w.Header()
	for name := range header {
		if ofTheHandshake(name) {
			header.Del(name)
		}
	}
	if protocol != "" {
		header["Sec-Websocket-Protocol"] = []string{protocol}
	}
	if h.deflate != "" {
		header["Sec-Websocket-Extensions"] = []string{h.deflate}
	}
	rc := http.NewResponseController(w)
	w.WriteHeader(http.StatusOK)
	err := errors.Join(rc.SetReadDeadline(time.Time{}), rc.SetWriteDeadline(time.Time{}), rc.Flush())
	if err != nil {
		return nil, fmt.Errorf("wsconn: open the stream: %w", err)
	}
	return newConn(h, &stream{r: h.r, w: w, rc: rc}, nil, protocol), nil
}

// answer makes the 101. It writes Sec-WebSocket with its capital S, as clients that look for the
// very spelling exist.
func (h *Handshake) answer(header http.Header, protocol string) ([]byte, error) {
	b := make([]byte, 0, 512)
	b = append(b, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"...)
	if !isHTTP2(h.r) {
		b = appendLine(b, "Sec-WebSocket-Accept", acceptKey(h.r.Header["Sec-Websocket-Key"][0]))
	}
	if protocol != "" {
		b = appendLine(b, "Sec-WebSocket-Protocol", protocol)
	}
	if h.deflate != "" {
		b = appendLine(b, "Sec-WebSocket-Extensions", h.deflate)
	}
	for name, values := range header {
		if ofTheHandshake(name) {
			continue
		}
		if !httpword.IsToken(name) {
			return nil, errors.New("wsconn: the answer's headers: a name that is no token")
		}
		for _, value := range values {
			if !httpword.IsFieldValue(value) {
				return nil, fmt.Errorf("wsconn: the answer's header %s: a value with a control character", name)
			}
			b = appendLine(b, name, value)
		}
	}
	return append(b, "\r\n"...), nil
}

func appendLine(b []byte, name, value string) []byte {
	return append(append(append(append(b, name...), ": "...), value...), "\r\n"...)
}

// ofTheHandshake reports whether a header is the engine's own to write, or says something of a
// body, which a 101 has none of.
func ofTheHandshake(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Upgrade", "Connection", "Keep-Alive", "Sec-Websocket-Accept", "Sec-Websocket-Protocol",
		"Sec-Websocket-Extensions", "Sec-Websocket-Version", "Sec-Websocket-Key",
		"Content-Length", "Content-Type", "Content-Encoding", "Transfer-Encoding", "Trailer":
		return true
	}
	return false
}

var _ transport = net.Conn(nil)
