package metering_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/metering"
	"github.com/gatekit-go/gatekit/route/websocket"
)

func answer(status, n int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(status)
		_, _ = w.Write(make([]byte, n))
	})
}

func request(method, target string, n int) *http.Request {
	return httptest.NewRequestWithContext(context.Background(), method, target, bytes.NewReader(make([]byte, n)))
}

func send(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func api(t *testing.T, flavor gatekit.Flavor, m *metering.Meter) *route.API {
	t.Helper()
	a := gatekit.Must(route.New(route.Config{API: gatekit.API{Flavor: flavor, APIID: "a1b2c3d4e5", Stage: "prod"}}))
	a.Use(m.Middleware)
	a.Handle("POST /orders", answer(200, 10))
	return a
}

func TestSteps(t *testing.T) {
	const kb = 1 << 10
	for _, tt := range []struct {
		flavor gatekit.Flavor
		bytes  int
		want   int64
	}{
		{gatekit.HTTP, 0, 1}, {gatekit.HTTP, 1, 1}, {gatekit.HTTP, 512 * kb, 1}, {gatekit.HTTP, 512*kb + 1, 2}, {gatekit.HTTP, 513 * kb, 2},
		{gatekit.HTTP, 1024 * kb, 2}, {gatekit.HTTP, 10240 * kb, 20}, {gatekit.REST, 0, 1}, {gatekit.REST, 10240 * kb, 1},
	} {
		for _, chunked := range []bool{false, true} {
			m := gatekit.Must(metering.New(metering.Config{}))
			r := request("POST", "/orders", tt.bytes)
			if chunked {
				r.ContentLength = -1
			}
			require.Equal(t, 200, send(api(t, tt.flavor, m), r).Code)
			rows := m.Report().Rows
			require.Len(t, rows, 1)
			require.Equal(t, tt.want, rows[0].Units, "%v %d", tt.flavor, tt.bytes)
			require.EqualValues(t, tt.bytes, rows[0].BytesIn)
			require.EqualValues(t, 10, rows[0].BytesOut)
			require.Equal(t, "POST /orders", rows[0].Route)
		}
	}
}

func TestWhatIsNotCharged(t *testing.T) {
	all := []gatekit.ResponseType{
		gatekit.Unauthorized, gatekit.InvalidSignature, gatekit.ExpiredToken, gatekit.AuthorizerFailure, gatekit.AuthorizerConfigurationError,
		gatekit.AccessDenied, gatekit.InvalidAPIKey, gatekit.QuotaExceeded, gatekit.Throttled, gatekit.WAFFiltered,
		gatekit.ResourceNotFound, gatekit.MissingAuthenticationToken, gatekit.BadRequestBody, gatekit.IntegrationFailure, gatekit.IntegrationTimeout,
		gatekit.RequestTooLarge, gatekit.Default4XX, gatekit.Default5XX,
	}
	for i, why := range all {
		for name, cfg := range map[string]metering.Config{"default": {}, "all-charged": {Free: []gatekit.ResponseType{}}} {
			m := gatekit.Must(metering.New(cfg))
			send(m.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				gatekit.Reject(w, r, &gatekit.Rejection{Type: why})
			})), request("GET", "/", 0))
			row := m.Report().Rows[0]
			require.EqualValues(t, 1, row.Calls)
			free := i < 10 && name == "default"
			require.Equal(t, free, row.Free == 1, "%v %s", why, name)
			require.Equal(t, free, row.Units == 0, "%v %s", why, name)
		}
	}
	m := gatekit.Must(metering.New(metering.Config{}))
	send(m.Middleware(answer(401, 0)), request("GET", "/", 0))
	require.EqualValues(t, 1, m.Report().Rows[0].Units, "a backend's 401 is an answer")
}

func TestByKeyAndRoute(t *testing.T) {
	m := gatekit.Must(metering.New(metering.Config{}))
	a := api(t, gatekit.REST, m)
	a.UseMatched(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rc := gatekit.From(r.Context())
			rc.SetAPIKey("value", r.Header.Get("Key"))
			rc.Note(gatekit.Note{Phase: gatekit.PhaseKey}) // as a usage plan does
			next.ServeHTTP(w, r)
		})
	})
	for _, key := range []string{"gold", "gold", "iron"} {
		r := request("POST", "/orders", 0)
		r.Header.Set("Key", key)
		send(a, r)
	}
	send(a, request("POST", "/nothing", 0))
	var got []string
	report := m.Report()
	for _, r := range report.Rows {
		got = append(got, strings.Join([]string{r.Kind.String(), r.API, r.Stage, r.Route, r.Key, r.Cost.String()}, " | "))
		require.NotContains(t, r.Key, "value")
	}
	require.Equal(t, []string{ // four calls are 14 millionths
		"rest-request | a1b2c3d4e5 | prod |  |  | 0.000003",
		"rest-request | a1b2c3d4e5 | prod | POST /orders | gold | 0.000007",
		"rest-request | a1b2c3d4e5 | prod | POST /orders | iron | 0.000004",
	}, got)
	require.Equal(t, []metering.Item{{Kind: metering.RESTRequest, Units: 4, Cost: 14}}, report.There)
}

// A body that breaks off, and a handler that panics, are counted as far as they came.
func TestPanic(t *testing.T) {
	m := gatekit.Must(metering.New(metering.Config{}))
	h := m.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("no") }))
	require.Panics(t, func() { send(h, request("GET", "/", 0)) })
	r := httptest.NewRequest("POST", "/", io.MultiReader(strings.NewReader("abc"), broken{}))
	r.ContentLength = -1
	send(m.Middleware(answer(200, 0)), r)
	row := m.Report().Rows[0]
	require.EqualValues(t, 2, row.Calls)
	require.EqualValues(t, 3, row.BytesIn)
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("broken off") }

func TestMonths(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // it is 2000-01-01
		m := gatekit.Must(metering.New(metering.Config{Months: 3}))
		h := api(t, gatekit.HTTP, m)
		send(h, request("POST", "/orders", 0))
		send(h, request("POST", "/orders", 0))
		time.Sleep(31*24*time.Hour - time.Nanosecond)
		require.EqualValues(t, 2, m.Report().Rows[0].Units)
		time.Sleep(time.Nanosecond)
		require.Empty(t, m.Report().Rows, "a new month")
		send(h, request("POST", "/orders", 0))
		all := m.Reports()
		require.Len(t, all, 2)
		require.Equal(t, "2000-02", all[0].Month.Format("2006-01"))
		require.EqualValues(t, 1, all[0].Rows[0].Units)
		require.Equal(t, "2000-01", all[1].Month.Format("2006-01"))
		require.EqualValues(t, 2, all[1].Rows[0].Units)
		require.Equal(t, all[1].Month.AddDate(0, 1, 0), all[1].To)
		time.Sleep(40 * 24 * time.Hour)
		send(h, request("POST", "/orders", 0))
		time.Sleep(40 * 24 * time.Hour)
		require.Len(t, m.Reports(), 3)
		require.Equal(t, "2000-04", m.Reports()[0].Month.Format("2006-01"))
	})
}

func TestCPU(t *testing.T) {
	p := metering.USEast1()
	p.CPUHour = 3600 * metering.Dollar // a dollar a second
	m := gatekit.Must(metering.New(metering.Config{Prices: &p}))
	for m.Report().CPU < 5*time.Millisecond {
		_ = strings.Repeat("work", 1<<16)
	}
	r := m.Report()
	require.EqualValues(t, (r.CPU+500*time.Nanosecond)/time.Microsecond, r.Here)
}

func TestExports(t *testing.T) {
	m := gatekit.Must(metering.New(metering.Config{}))
	a := api(t, gatekit.HTTP, m)
	a.Handle("$default", answer(200, 0))
	send(a, request("POST", "/orders", 600<<10))
	odd := gatekit.Must(gatekit.Describe(gatekit.API{APIID: "-x"}))
	send(gatekit.Chain(answer(200, 0), odd, m.Middleware), request("GET", "/", 0))
	h := m.Handler()
	w := send(h, request("GET", "/costs?format=csv", 0))
	require.Equal(t, "text/csv; charset=utf-8", w.Header().Get("Content-Type"))
	lines, err := csv.NewReader(w.Body).ReadAll()
	require.NoError(t, err)
	month := time.Now().UTC().Format("2006-01")
	require.Equal(t, [][]string{
		{"month", "kind", "apiId", "stage", "routeKey", "apiKeyId", "calls", "free", "units", "bytesIn", "bytesOut", "cost"},
		{month, "http-request", "'-x", "", "", "", "1", "0", "1", "0", "0", "0.000001"},
		{month, "http-request", "a1b2c3d4e5", "prod", "POST /orders", "", "1", "0", "2", "614400", "10", "0.000002"},
	}, lines)

	w = send(h, request("GET", "/costs?month="+month, 0))
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	var got struct {
		Rows []struct {
			Kind, APIID, Stage, RouteKey, Cost string
			Units                              int64
		}
		There []struct {
			Kind, Cost string
			Units      int64
		}
		ThereTotal, Here string
		CPUNanoseconds   int64
	}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
	require.Equal(t, "POST /orders", got.Rows[1].RouteKey)
	require.Equal(t, "0.000003", got.ThereTotal)
	require.Equal(t, "http-request", got.There[0].Kind)
	require.Equal(t, "0.000000", got.Here)
	require.Equal(t, 404, send(h, request("GET", "/costs?month=1999-01", 0)).Code)
	require.Equal(t, 404, send(h, request("GET", "/costs?month=x", 0)).Code)
	require.Equal(t, 400, send(h, request("GET", "/costs?format=xml", 0)).Code)
	require.Error(t, m.Report().WriteJSON(failing{}))
	require.Error(t, m.Report().WriteCSV(failing{}))
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestWebSocket(t *testing.T) {
	m := gatekit.Must(metering.New(metering.Config{}))
	chat := gatekit.Must(websocket.New(t.Context(), websocket.Config{
		API: gatekit.API{APIID: "chat", Stage: "prod"}, RouteSelection: "$request.body.action", MaxFrameBytes: websocket.Off,
	}))
	ids := make(chan string, 1)
	chat.Handle("$connect", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { ids <- gatekit.From(r.Context()).ConnectionID() }))
	chat.Handle("echo", answer(200, 40<<10)) // two units
	chat.Handle("quiet", answer(200, 0))
	chat.UseMessages(m.Middleware)
	m.Observe(chat)
	srv := httptest.NewServer(m.Middleware(chat))
	defer srv.Close()
	conn, _, _, err := ws.Dial(t.Context(), "ws"+strings.TrimPrefix(srv.URL, "http"))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	say := func(text string) { require.NoError(t, wsutil.WriteClientText(conn, []byte(text))) }
	hear := func() int {
		b, err := wsutil.ReadServerText(conn)
		require.NoError(t, err)
		return len(b)
	}
	say(`{"action":"echo"}`)
	require.Equal(t, 40<<10, hear())
	say(`{"action":"echo","pad":"` + strings.Repeat("x", 33<<10) + `"}`)
	require.Equal(t, 40<<10, hear())
	say(`{"action":"quiet"}`)
	say(`{"action":"nothing"}`)
	require.Positive(t, hear(), "an error frame")
	require.NoError(t, chat.Send(t.Context(), <-ids, websocket.Text, bytes.Repeat([]byte("x"), 70<<10)))
	require.Equal(t, 70<<10, hear())
	require.EventuallyWithT(t, func(t *assert.CollectT) { // a message is counted once it is sent, when it may have been heard
		units := map[string]int64{}
		for _, r := range m.Report().Rows {
			require.Equal(t, "chat", r.API)
			units[r.Kind.String()+" "+r.Route] += r.Units
		}
		require.Equal(t, map[string]int64{
			"websocket-message echo":  1 + 2 + 2 + 2,
			"websocket-message quiet": 1,
			"websocket-message ":      1 + 1 + 3, // what no route is for and its error frame, and what was pushed
			"connection-minute ":      1,
		}, units)
	}, 10*time.Second, time.Millisecond)
}

func TestTimeoutHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the time is over when the handler waits
		m := gatekit.Must(metering.New(metering.Config{}))
		release, left := make(chan struct{}), make(chan struct{})
		a := gatekit.Must(route.New(route.Config{API: gatekit.API{APIID: "a", Stage: "s"}}))
		a.Handle("POST /a", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			defer close(left)
			<-release
			gatekit.From(r.Context()).SetAPIKey("a", "b")
			_, _ = io.Copy(io.Discard, r.Body)
		}))
		r := request("POST", "/a", 10)
		r.ContentLength = -1
		require.Equal(t, 503, send(m.Middleware(http.TimeoutHandler(a, time.Millisecond, "")), r).Code)
		close(release)
		<-left
		require.Equal(t, "POST /a", m.Report().Rows[0].Route)
	})
}
