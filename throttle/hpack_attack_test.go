package throttle_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/gatekit-go/gatekit/throttle"
)

// Headers that HPACK sends in a byte each don't pay for PINGs between the requests.
func TestIndexedHeadersDoNotPayForPings(t *testing.T) {
	c := guard(t, throttle.ConnectionsConfig{RequestRate: &throttle.Limit{Rate: 1e6, Burst: 1 << 20}})
	c.AllowOverhead(256 << 10)
	f := speak(t, start(t, c, ok, withTLS), false)
	var block bytes.Buffer
	e := hpack.NewEncoder(&block)
	long := strings.Repeat("a", 2800)
	goesOn := true
	for i := 0; goesOn && i < 200; i++ {
		block.Reset()
		for _, field := range [][2]string{
			{":method", "GET"}, {":scheme", "https"}, {":authority", "gate.example"}, {":path", "/"},
			{"x", long}, {"x", long}, {"x", long},
		} {
			require.NoError(t, e.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]}))
		}
		f.flood(250, func(int) error { return f.WritePing(false, [8]byte{}) }) // 4,250 bytes
		_ = f.WriteHeaders(http2.HeadersFrameParam{
			StreamID: uint32(2*i + 1), BlockFragment: block.Bytes(), EndStream: true, EndHeaders: true,
		})
		goesOn = f.answers(t) // in step with the server, which would end a flood of requests itself
	}
	require.False(t, goesOn)
	require.EqualValues(t, 1, c.Counts().Overhead)
}

// Requests of HTTP/2 with headers as clients send them are no overhead, however many there are.
func TestRequestsOfHTTP2AreNoOverhead(t *testing.T) {
	c := guard(t, throttle.ConnectionsConfig{RequestRate: &throttle.Limit{Rate: 1e6, Burst: 1 << 20}})
	c.AllowOverhead(32 << 10)
	addr := start(t, c, ok, withTLS)
	client := client(t, true)
	for range 300 {
		r, err := http.NewRequest("GET", "https://"+addr, nil)
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+strings.Repeat("a", 900))
		w, err := client.Do(r)
		require.NoError(t, err)
		_ = w.Body.Close()
	}
	require.Equal(t, throttle.ConnectionCounts{Open: 1, Accepted: 1}, c.Counts())
}
