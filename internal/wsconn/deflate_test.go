package wsconn_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/wsconn"
)

const accepted = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

func TestDeflateNegotiation(t *testing.T) {
	srv := httptest.NewServer(handler(newEngine(t, wsconn.Config{Deflate: true}), newRecorder(echo), nil))
	defer srv.Close()
	for _, tt := range []struct{ name, offer, want string }{
		{"plain", "permessage-deflate", accepted},
		{"as-chrome", "permessage-deflate; client_max_window_bits", accepted},
		{"all-that-we-do-anyway", "permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits=10", accepted},
		{"quoted", `permessage-deflate; client_max_window_bits="10"`, accepted},
		{"server-window-15", "permessage-deflate; server_max_window_bits=15", accepted},
		{"server-window-10", "permessage-deflate; server_max_window_bits=10", ""},
		{"fallback", "permessage-deflate; server_max_window_bits=10, permessage-deflate", accepted},
		{"server-window-without-value", "permessage-deflate; server_max_window_bits", ""},
		{"window-7", "permessage-deflate; client_max_window_bits=7", ""},
		{"window-16", "permessage-deflate; client_max_window_bits=16", ""},
		{"window-leading-zero", "permessage-deflate; client_max_window_bits=08", ""},
		{"takeover-with-value", "permessage-deflate; server_no_context_takeover=1", ""},
		{"unknown-parameter", "permessage-deflate; x=1", ""},
		{"parameter-twice", "permessage-deflate; client_max_window_bits; client_max_window_bits", ""},
		{"another-extension", "x-webkit-deflate-frame", ""},
		{"in-part", "permessage-deflates", ""},
		{"second-of-a-list", "foo; a=\"b\", permessage-deflate", accepted},
		{"none", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := http.NewRequest(http.MethodGet, srv.URL, nil)
			require.NoError(t, err)
			r.Header = http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {sampleKey}}
			if tt.offer != "" {
				r.Header.Set("Sec-WebSocket-Extensions", tt.offer)
			}
			w, err := srv.Client().Do(r)
			require.NoError(t, err)
			defer w.Body.Close()
			require.Equal(t, 101, w.StatusCode)
			require.Equal(t, tt.want, w.Header.Get("Sec-WebSocket-Extensions"))
		})
	}
}

// Off by default, whatever is offered and however it is spelled.
func TestDeflateIsOffByDefault(t *testing.T) {
	srv := httptest.NewServer(handler(newEngine(t, wsconn.Config{}), newRecorder(echo), nil))
	defer srv.Close()
	c := dial(t, srv, "Sec-WebSocket-Extensions: permessage-deflate")
	c.send(masked(fin|rsv1|text, deflated("hi")))
	require.Equal(t, "1002", spell(t, c))
}

// A compressed message that is longer than a frame says so in its first frame only.
func TestDeflateSplits(t *testing.T) {
	e := newEngine(t, wsconn.Config{Deflate: true, MaxFrameBytes: 200})
	srv := httptest.NewServer(handler(e, newRecorder(func(c *wsconn.Conn, op wsconn.Opcode, _ []byte) {
		var b strings.Builder
		for i := range 400 {
			fmt.Fprintf(&b, "%x", i*i*i)
		}
		_ = c.TrySend(op, []byte(b.String()))
	}), nil))
	defer srv.Close()
	c := dial(t, srv, "Sec-WebSocket-Extensions: permessage-deflate")
	c.send(masked(fin|text, "go"))
	f, err := c.readFrame()
	require.NoError(t, err)
	require.Equal(t, byte(rsv1|text), f.first)
	all := f.payload
	for f.first&fin == 0 {
		f, err = c.readFrame()
		require.NoError(t, err)
		require.Equal(t, byte(cont), f.first&^fin)
		require.LessOrEqual(t, len(f.payload), 200)
		all = append(all, f.payload...)
	}
	require.True(t, strings.HasPrefix(inflated(t, all), "0181b407d"))
}

// A long message is sent compressed, a short one isn't, a prepared one is the same bytes each time.
func TestDeflateSends(t *testing.T) {
	e := newEngine(t, wsconn.Config{Deflate: true})
	long := strings.Repeat("compress me ", 1000)
	p := e.Prepare(wsconn.Text, []byte(long))
	srv := httptest.NewServer(handler(e, newRecorder(func(c *wsconn.Conn, op wsconn.Opcode, payload []byte) {
		if string(payload) == "prepared" {
			_ = c.TrySendPrepared(p)
			return
		}
		_ = c.TrySend(op, payload)
	}), nil))
	defer srv.Close()
	c := dial(t, srv, "Sec-WebSocket-Extensions: permessage-deflate")
	c.send(masked(fin|text, "short") + masked(fin|text, long) + masked(fin|text, "prepared"))
	var first []byte
	for _, want := range []byte{fin | text, fin | rsv1 | text, fin | rsv1 | text} {
		f, err := c.readFrame()
		require.NoError(t, err)
		require.Equal(t, want, f.first)
		if want&rsv1 != 0 {
			require.Less(t, len(f.payload), 200)
			require.Equal(t, long, inflated(t, f.payload))
			if first != nil {
				require.Equal(t, first, f.payload)
			}
			first = f.payload
		}
	}
	plain := dial(t, srv)
	plain.send(masked(fin|text, "prepared"))
	f, err := plain.readFrame()
	require.NoError(t, err)
	require.Equal(t, long, string(f.payload))
}
