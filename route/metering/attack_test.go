package metering_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/metering"
	"github.com/gatekit-go/gatekit/route/websocket"
)

// A flood of keys, paths and hosts makes no more rows than there may be, and every call is in one.
func TestFlood(t *testing.T) {
	m := gatekit.Must(metering.New(metering.Config{MaxRows: 50}))
	a := api(t, gatekit.HTTP, m)
	a.UseMatched(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rc := gatekit.From(r.Context())
			rc.SetAPIKey("", r.Header.Get("Key"))
			rc.Note(gatekit.Note{Phase: gatekit.PhaseKey})
			next.ServeHTTP(w, r)
		})
	})
	const each, floods = 5_000, 4
	var all sync.WaitGroup
	for g := range floods {
		all.Go(func() {
			for i := range each {
				path := "/orders"
				if i%2 == 0 {
					path = "/" + strconv.Itoa(i)
				}
				r := request("POST", path, 0)
				r.Host = fmt.Sprintf("%d-%d.example", g, i)
				r.Header.Set("Key", fmt.Sprintf("%d-%d", g, i))
				send(a, r)
				if i%1000 == 0 {
					m.Report()
				}
			}
		})
	}
	all.Wait()
	report := m.Report()
	require.LessOrEqual(t, len(report.Rows), 51)
	var calls int64
	for _, r := range report.Rows {
		calls += r.Calls
	}
	require.EqualValues(t, each*floods, calls)
	require.EqualValues(t, each*floods, report.There[0].Units)
	require.EqualValues(t, each*floods, report.ThereTotal)
}

// A client can't make itself free by what it sends, nor negative by a length that it claims.
func TestLies(t *testing.T) {
	m := gatekit.Must(metering.New(metering.Config{}))
	r := request("POST", "/", 0)
	r.ContentLength = -1 << 62
	r.Body = nil
	h := m.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	send(h, r)
	r = request("POST", "/", 700<<10)
	r.ContentLength = 1 << 40
	send(m.Middleware(answer(200, 0)), r)
	r = request("POST", "/", 0)
	r.ContentLength, r.Body = 1<<40, nil
	send(h, r)
	row := m.Report().Rows[0]
	require.EqualValues(t, 1+2+20, row.Units)
	require.EqualValues(t, 700<<10+10<<20, row.BytesIn)
	require.Zero(t, row.Free)
}

// Messages that there is no row for are charged once, and not again as ones that nobody has seen.
func TestFullTableChargesMessagesOnce(t *testing.T) {
	m := gatekit.Must(metering.New(metering.Config{MaxRows: 1}))
	chat := gatekit.Must(websocket.New(t.Context(), websocket.Config{
		API: gatekit.API{APIID: "chat", Stage: "prod"}, RouteSelection: "$request.body.action",
	}))
	for _, key := range []string{"one", "two", "three"} {
		chat.Handle(key, answer(200, 10))
	}
	chat.UseMessages(m.Middleware)
	m.Observe(chat)
	srv := httptest.NewServer(chat)
	defer srv.Close()
	conn, _, _, err := ws.Dial(t.Context(), "ws"+strings.TrimPrefix(srv.URL, "http"))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	for _, key := range []string{"one", "two", "three"} {
		require.NoError(t, wsutil.WriteClientText(conn, []byte(`{"action":"`+key+`"}`)))
		_, err := wsutil.ReadServerText(conn)
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool { return calls(m) == 3 }, 10*time.Second, time.Millisecond)
	require.EqualValues(t, 6, m.Report().There[0].Units)
}

// calls are all that were counted.
func calls(m *metering.Meter) (n int64) {
	for _, r := range m.Report().Rows {
		n += r.Calls
	}
	return n
}
