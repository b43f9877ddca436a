package wholebody_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/wholebody"
)

// A body that is slower than the server's ReadTimeout is answered: net/http has ended the request's
// context by then, at which the answer was an empty 200.
func TestSlowBodyIsAnswered(t *testing.T) {
	for name, attach := range map[string]bool{"attached": true, "alone": false} {
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if attach {
				_, r = gatekit.Attach(r)
			}
			_, err := wholebody.Read("x", r, 1000)
			gatekit.Reject(w, r, err)
		})
		s := httptest.NewUnstartedServer(h)
		s.Config.ReadTimeout = 20 * time.Millisecond
		s.Start()
		defer s.Close()
		conn, err := net.Dial("tcp", s.Listener.Addr().String())
		require.NoError(t, err)
		defer conn.Close()
		require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
		_, err = fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\na")
		require.NoError(t, err)
		w, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err, name)
		require.Equal(t, http.StatusRequestTimeout, w.StatusCode, name)
	}
}
