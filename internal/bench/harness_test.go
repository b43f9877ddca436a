package bench

import (
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"

	"github.com/gatekit-go/gatekit/internal/bench/stacks"
)

func TestMain(m *testing.M) {
	maybeBeMember()
	maybeBeProxy()
	maybeBeClients()
	stacks.Quiet()
	os.Exit(m.Run())
}

var issued = sync.OnceValue(func() *stacks.Issued {
	i, err := stacks.Issue()
	if err != nil {
		panic(err)
	}
	return i
})

// response is a ResponseWriter that is used again: its header is cleared for each request, as the server's would be new.
type response struct {
	h      http.Header
	status int
}

func newResponse() *response                          { return &response{h: http.Header{}} }
func (w *response) Header() http.Header               { return w.h }
func (w *response) WriteHeader(status int)            { w.status = status }
func (w *response) Write(b []byte) (int, error)       { return len(b), nil }
func (w *response) WriteString(s string) (int, error) { return len(s), nil }

func (w *response) serve(h http.Handler, r *http.Request) int {
	clear(w.h)
	w.status = http.StatusOK
	h.ServeHTTP(w, r)
	return w.status
}

func request(method, path string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

// measure serves r again and again, after a check that the answer is the one that is meant.
func measure(b *testing.B, h http.Handler, r *http.Request, want int) {
	b.Helper()
	if got := newResponse().serve(h, r); got != want {
		b.Fatalf("%s %s: got %d, want %d", r.Method, r.URL, got, want)
	}
	w := newResponse()
	b.ReportAllocs()
	for b.Loop() {
		w.serve(h, r)
	}
}

func measureParallel(b *testing.B, h http.Handler, r *http.Request) {
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		w, own := newResponse(), r.Clone(r.Context())
		for pb.Next() {
			w.serve(h, own)
		}
	})
}
