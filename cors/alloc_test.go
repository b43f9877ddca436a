//go:build !race

package cors_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/cors"
)

type discard struct{ h http.Header }

func (d discard) Header() http.Header         { return d.h }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

func TestAllocations(t *testing.T) {
	h := gatekit.Must(cors.New(full)).Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for name, tt := range map[string]struct {
		r    *http.Request
		want float64
	}{
		"preflight": {preflight("https://myapp.com", "PUT", "authorization,content-type"), 1},
		"actual":    {actual("https://myapp.com"), 1},
		"plain":     {actual(""), 1},
	} {
		d := discard{http.Header{}}
		for _, r := range []*http.Request{tt.r, gatekit.Explained(tt.r)} { // a note costs none
			require.LessOrEqual(t, testing.AllocsPerRun(100, func() {
				clear(d.h)
				h.ServeHTTP(d, r)
			}), tt.want, name)
		}
	}
}
