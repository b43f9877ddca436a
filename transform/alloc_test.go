//go:build !race

package transform_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

type discard struct{ h http.Header }

func (d discard) Header() http.Header         { return d.h }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

// A mapped request is one object and a header map, whatever the number of mappings, up to eight.
func TestAllocations(t *testing.T) {
	next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	for name, tt := range map[string]struct {
		request  map[string]string
		response map[int]map[string]string
		want     float64
	}{
		"none":      {want: 0},
		"headers":   {request: map[string]string{"append:header.x-a": "static", "overwrite:header.x-one": "$request.header.x-old", "append:header.x-e": "$stageVariables.env", "remove:header.x-two": ""}, want: 3},
		"unmatched": {response: map[int]map[string]string{500: {"append:header.x": "v"}}, want: 1},
		"answer":    {response: map[int]map[string]string{200: {"append:header.x-a": "static", "remove:header.server": ""}}, want: 2},
	} {
		h, r, d := parameters(t, tt.request, tt.response).Middleware(next), orders(t, ""), discard{http.Header{}}
		require.LessOrEqual(t, testing.AllocsPerRun(100, func() {
			clear(d.h)
			h.ServeHTTP(d, r)
		}), tt.want, name)
	}
}
