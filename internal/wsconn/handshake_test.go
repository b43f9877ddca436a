package wsconn_test

import (
	"bufio"
	"net"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/wsconn"
)

// lines is a handshake of which some lines are others: "Name" without a colon takes the header out,
// "Name: value" puts it in its place, "+Name: value" adds it, and what starts with "GET " or the
// like is the request line.
func lines(change ...string) string {
	out := strings.Split(strings.TrimSuffix(request, "\r\n"), "\r\n")
	for _, ch := range change {
		name, _, valued := strings.Cut(ch, ":")
		switch {
		case strings.HasPrefix(ch, "+"):
			out = append(out, ch[1:])
		case strings.HasSuffix(ch, "HTTP/1.1") || strings.HasSuffix(ch, "HTTP/1.0"):
			out[0] = ch
		default:
			for i := 1; i < len(out); i++ {
				if strings.HasPrefix(out[i], name+":") {
					out[i] = ch
					if !valued {
						out = append(out[:i], out[i+1:]...)
					}
				}
			}
		}
	}
	return strings.Join(out, "\r\n") + "\r\n\r\n"
}

const (
	sampleKey    = "dGhlIHNhbXBsZSBub25jZQ=="
	sampleAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" // RFC 6455, section 1.3
)

// TestHandshakeAttacks runs on a real server, so what net/http itself refuses (400) is refused as
// well.
func TestHandshakeAttacks(t *testing.T) {
	h := newRecorder(echo)
	srv := httptest.NewServer(handler(newEngine(t, wsconn.Config{Deflate: true}), h, nil))
	t.Cleanup(srv.Close)
	for _, tt := range []struct {
		name, send string
		want       int
	}{
		{"as-it-should-be", lines(), 101},
		{"plain-get", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 426},
		{"http-1.0", lines("GET / HTTP/1.0"), 426},
		{"no-upgrade", lines("Upgrade"), 426},
		{"no-connection", lines("Connection"), 426},
		{"upgrade-to-another", lines("Upgrade: h2c"), 426},
		{"upgrade-with-a-version", lines("Upgrade: websocket/13"), 426},
		{"upgrade-in-part", lines("Upgrade: websockets"), 426},
		{"upgrade-quoted", lines(`Upgrade: "websocket"`), 426},
		{"upgrade-in-a-list", lines("Upgrade: h2c, websocket"), 101},
		{"upgrade-in-lines", lines("Upgrade: h2c", "+Upgrade: websocket"), 101},
		{"upgrade-in-capitals", lines("Upgrade: WebSocket"), 101},
		{"connection-keep-alive", lines("Connection: keep-alive"), 426},
		{"connection-in-a-list", lines("Connection: keep-alive, Upgrade"), 101},
		{"connection-in-lines", lines("Connection: keep-alive", "+Connection: ,upgrade ,"), 101},
		{"connection-close", lines("Connection: close"), 426},
		{"connection-by-spaces", lines("Connection: keep-alive Upgrade"), 426},
		{"connection-in-part", lines("Connection: Upgraded"), 426},
		{"post", lines("POST / HTTP/1.1"), 405},
		{"head", lines("HEAD / HTTP/1.1"), 405},
		{"put", lines("PUT / HTTP/1.1"), 405},
		{"lower-case-get", lines("get / HTTP/1.1"), 405},
		{"connect", lines("CONNECT a:80 HTTP/1.1"), 405},
		{"post-without-upgrade", lines("POST / HTTP/1.1", "Upgrade"), 426},
		{"no-version", lines("Sec-WebSocket-Version"), 426},
		{"version-8", lines("Sec-WebSocket-Version: 8"), 426},
		{"version-0", lines("Sec-WebSocket-Version: 0"), 426},
		{"version-14", lines("Sec-WebSocket-Version: 14"), 426},
		{"version-013", lines("Sec-WebSocket-Version: 013"), 426},
		{"version-plus", lines("Sec-WebSocket-Version: +13"), 426},
		{"version-list", lines("Sec-WebSocket-Version: 13, 8"), 426},
		{"version-text", lines("Sec-WebSocket-Version: thirteen"), 426},
		{"version-empty", lines("Sec-WebSocket-Version: "), 426},
		{"version-twice", lines("+Sec-WebSocket-Version: 13"), 400},
		{"versions", lines("+Sec-WebSocket-Version: 8"), 400},
		{"no-key", lines("Sec-WebSocket-Key"), 400},
		{"key-empty", lines("Sec-WebSocket-Key: "), 400},
		{"key-text", lines("Sec-WebSocket-Key: secret"), 400},
		{"key-of-15-bytes", lines("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j"), 400},
		{"key-of-17-bytes", lines("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZTE="), 400},
		{"key-of-18-bytes", lines("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZTEx"), 400},
		{"key-of-32-bytes", lines("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZXRoZSBzYW1wbGUgbm9uY2U="), 400},
		{"key-unpadded", lines("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ"), 400},
		{"key-with-loose-bits", lines("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR=="), 400},
		{"key-of-url-alphabet", lines("Sec-WebSocket-Key: __________________-_-w=="), 400},
		{"key-of-slashes", lines("Sec-WebSocket-Key: //////////////////+/+w=="), 101},
		{"key-with-space", lines("Sec-WebSocket-Key: dGhlIHNhbXBs ZSBub25jZQ=="), 400},
		{"key-twice", lines("+Sec-WebSocket-Key: " + sampleKey), 400},
		{"keys", lines("+Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="), 400},
		{"key-list", lines("Sec-WebSocket-Key: " + sampleKey + ", " + sampleKey), 400},
		{"accept", lines("+Sec-WebSocket-Accept: x"), 400},
		{"no-host", lines("Host"), 400},
		{"host-empty", lines("Host: "), 400},
		{"host-twice", lines("+Host: b"), 400},
		{"origin-twice", lines("+Origin: https://a.example", "+Origin: https://b.example"), 400},
		{"body", lines("+Content-Length: 5") + "hello", 400},
		{"body-chunked", lines("+Transfer-Encoding: chunked") + "0\r\n\r\n", 400},
		{"no-body", lines("+Content-Length: 0"), 101},
		{"both-lengths", lines("+Content-Length: 5", "+Transfer-Encoding: chunked") + "0\r\n\r\n", 400},
		{"url-of-4096", lines("GET /" + strings.Repeat("a", 4095) + " HTTP/1.1"), 101},
		{"url-of-4097", lines("GET /" + strings.Repeat("a", 4096) + " HTTP/1.1"), 414},
		{"protocol", lines("+Sec-WebSocket-Protocol: a, b"), 101},
		{"protocol-lines", lines("+Sec-WebSocket-Protocol: a", "+Sec-WebSocket-Protocol: b"), 101},
		{"protocol-empty-elements", lines("+Sec-WebSocket-Protocol: a,, b,"), 101},
		{"protocol-empty", lines("+Sec-WebSocket-Protocol: "), 400},
		{"protocol-commas", lines("+Sec-WebSocket-Protocol: ,,"), 400},
		{"protocol-twice", lines("+Sec-WebSocket-Protocol: a, a"), 400},
		{"protocol-twice-in-lines", lines("+Sec-WebSocket-Protocol: a", "+Sec-WebSocket-Protocol: a"), 400},
		{"protocol-with-space", lines("+Sec-WebSocket-Protocol: a b"), 400},
		{"protocol-quoted", lines(`+Sec-WebSocket-Protocol: "a"`), 400},
		{"protocol-slash", lines("+Sec-WebSocket-Protocol: a/b"), 400},
		{"protocol-utf8", lines("+Sec-WebSocket-Protocol: é"), 400},
		{"protocols-too-many", lines("+Sec-WebSocket-Protocol: a" + strings.Repeat(",b", 70)), 400},
		{"header-folded", lines("+X: a\r\n Upgrade: h2c"), 101}, // net/http makes it part of X
		{"header-with-space-before-colon", lines("+Upgrade : websocket"), 400},
		{"header-with-cr", lines("+X: a\rSec-WebSocket-Key: b"), 400},
		{"header-with-nul", lines("+X: a\x00b"), 400},
		{"extensions-malformed", lines("+Sec-WebSocket-Extensions: ;"), 400},
		{"extensions-malformed-value", lines(`+Sec-WebSocket-Extensions: permessage-deflate; a="b`), 400},
		{"extensions-unknown", lines("+Sec-WebSocket-Extensions: x-other; a=1; b"), 101},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := net.Dial("tcp", srv.Listener.Addr().String())
			require.NoError(t, err)
			defer c.Close()
			cl := &client{Conn: c, br: bufio.NewReader(c), t: t}
			cl.send(tt.send)
			w := cl.response()
			require.Equal(t, tt.want, w.StatusCode)
			switch w.StatusCode {
			case 101:
				require.Equal(t, "websocket", w.Header.Get("Upgrade"))
				require.Equal(t, "Upgrade", w.Header.Get("Connection"))
				if strings.Contains(tt.send, sampleKey) {
					require.Equal(t, sampleAccept, w.Header.Get("Sec-WebSocket-Accept"))
				}
				require.Empty(t, w.Header.Get("Sec-WebSocket-Protocol"))
				require.Empty(t, w.Header.Get("Sec-WebSocket-Extensions"))
			case 426:
				require.Equal(t, "websocket", w.Header.Get("Upgrade"))
				if strings.HasPrefix(tt.name, "version-") || tt.name == "no-version" {
					require.Equal(t, []string{"13"}, w.Header["Sec-Websocket-Version"])
				}
			case 405:
				require.Equal(t, "GET", w.Header.Get("Allow"))
			}
		})
	}
}
