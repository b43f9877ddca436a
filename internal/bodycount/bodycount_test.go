package bodycount_test

import (
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/bodycount"
)

func TestBytes(t *testing.T) {
	for _, tt := range []struct {
		name    string
		claimed int64
		body    io.Reader
		want    int64
		watched bool
	}{
		{"none", 0, http.NoBody, 0, false},
		{"known", 5, strings.NewReader("hello"), 5, false},
		{"most", 10 << 20, strings.NewReader("hello"), 10 << 20, false},
		{"too-much", 10<<20 + 1, strings.NewReader("hello"), 5, true},
		{"overflow", math.MaxInt64, strings.NewReader(""), 0, true},
		{"chunked", -1, strings.NewReader("hello"), 5, true},
		{"no-body", math.MaxInt64, nil, 10 << 20, false},
		{"negative", -1 << 62, nil, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest("POST", "/", tt.body)
			if r.ContentLength = tt.claimed; tt.body == nil {
				r.Body = nil
			}
			b := bodycount.Watch(r)
			require.Equal(t, tt.watched, b != nil)
			if r.Body != nil {
				_, _ = io.Copy(io.Discard, r.Body)
			}
			require.Equal(t, tt.want, b.Bytes(r))
		})
	}
}
