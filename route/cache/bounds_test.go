package cache_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/cache"
)

// An answer with as many tags, or as long ones, as there may be is kept; with one more it can't be
// taken out as its backend means, so it isn't.
func TestTagBounds(t *testing.T) {
	list := func(n int) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprint("t", i))
		}
		return strings.Join(all, ",")
	}
	for tags, kept := range map[string]bool{list(64): true, list(65): false, strings.Repeat("x", 256): true, strings.Repeat("x", 257): false} {
		c := newCache(t, cache.Config{TagHeader: "Cache-Tag"})
		h := c.Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Cache-Tag", tags) }))
		get(h, "/")
		get(h, "/")
		require.Equal(t, kept, c.Stats().Hits == 1, len(tags))
	}
}

// A body that is as long as it may be is kept, whether or not it says so; one byte more isn't.
func TestBodyBounds(t *testing.T) {
	for _, declared := range []bool{true, false} {
		for n, kept := range map[int]bool{10: true, 11: false} {
			c := newCache(t, cache.Config{MaxBodyBytes: 10})
			h := c.Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if declared {
					w.Header().Set("Content-Length", fmt.Sprint(n))
				}
				fmt.Fprint(w, strings.Repeat("x", n))
			}))
			require.Len(t, get(h, "/").Body.String(), n)
			require.Len(t, get(h, "/").Body.String(), n)
			require.Equal(t, kept, c.Stats().Hits == 1, n)
		}
	}
}
