package wsconn_test

import (
	"bufio"
	"crypto/tls"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/wsconn"
)

// Over TLS nothing can be written without waiting, so a goroutine writes; what the client sees is
// the same, up to the way in which the server hangs up.
func TestTLS(t *testing.T) {
	h := newRecorder(echo)
	srv := httptest.NewUnstartedServer(handler(newEngine(t, wsconn.Config{}), h, nil))
	srv.TLS = &tls.Config{NextProtos: []string{"http/1.1"}}
	srv.StartTLS()
	defer srv.Close()
	for name, a := range map[string]struct{ send, want string }{
		"close": {masked(fin|text, "one") + masked(fin|ping, "p") + masked(text, long) + masked(fin|cont, "x") + bye,
			"one pong:p " + long + "+x 1000"},
		"fault": {masked(fin|text, "one") + "\x81\x00", "one 1002"},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := tls.Dial("tcp", srv.Listener.Addr().String(), &tls.Config{InsecureSkipVerify: true})
			require.NoError(t, err)
			defer conn.Close()
			c := &client{Conn: conn, br: bufio.NewReader(conn), t: t}
			c.send(lines())
			require.Equal(t, 101, c.response().StatusCode)
			c.send(a.send)
			require.Equal(t, a.want, spell(t, c))
			_ = c.Close()
			h.end(t)
		})
	}
}
