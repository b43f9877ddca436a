package latewriter_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A copy of nothing is no answer, as with net/http itself: the handler may name a status behind it.
// A copy of something is one, however it is read.
func TestCopies(t *testing.T) {
	for _, size := range []int{0, 1, 511, 512, 513, 100_000} {
		for _, hold := range []int{0, 1, 512, 513} {
			one := func(around bool) (status int, body string) {
				server := httptest.NewServer(http.HandlerFunc(func(to http.ResponseWriter, _ *http.Request) {
					w := &all{hold: hold}
					w.Init(to, w)
					var own http.ResponseWriter = w
					if !around {
						own = to
					}
					n, err := io.Copy(own, struct{ io.Reader }{strings.NewReader(strings.Repeat("A", size))})
					if err != nil || n != int64(size) {
						t.Errorf("copied %d of %d: %v", n, size, err)
					}
					if size == 0 {
						own.WriteHeader(http.StatusBadGateway)
					}
					if around {
						w.Finish()
					}
				}))
				defer server.Close()
				resp, err := server.Client().Get(server.URL)
				require.NoError(t, err)
				got, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				return resp.StatusCode, string(got)
			}
			status, body := one(true)
			wantStatus, wantBody := one(false)
			require.Equal(t, wantStatus, status, "%d bytes, %d held", size, hold)
			require.Equal(t, wantBody, body, "%d bytes, %d held", size, hold)
		}
	}
}
