package metering_test

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/metering"
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
