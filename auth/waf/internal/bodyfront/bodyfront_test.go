package bodyfront_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/waf/internal/bodyfront"
)

func TestRead(t *testing.T) {
	text := strings.Repeat("abcdefghij", 5000)
	for _, size := range []int{0, 1, 99, 100, 101, 40_000} {
		for _, length := range []int64{-1, int64(size)} {
			r := httptest.NewRequest("POST", "/", io.NopCloser(iotest.HalfReader(strings.NewReader(text[:size]))))
			r.ContentLength = length
			front, more := bodyfront.Read(r, 100)
			require.Equal(t, text[:min(size, 100)], string(front))
			require.Equal(t, size > 100, more)
			whole, err := io.ReadAll(r.Body)
			require.NoError(t, err)
			require.True(t, text[:size] == string(whole), size)
			require.NoError(t, r.Body.Close())
			_, err = r.Body.Read(make([]byte, 1))
			if size > 0 && size <= 100 {
				require.ErrorIs(t, err, http.ErrBodyReadAfterClose)
			}
		}
	}
	for _, none := range []io.ReadCloser{nil, http.NoBody} {
		r := &http.Request{Body: none}
		front, more := bodyfront.Read(r, 100)
		require.Empty(t, front)
		require.False(t, more)
		require.Equal(t, none, r.Body)
	}
}

// A body that breaks off breaks off at the same place for whoever comes next.
func TestBodyThatBreaksOff(t *testing.T) {
	broken := errors.New("broken")
	for _, rest := range []io.Reader{iotest.ErrReader(broken), iotest.DataErrReader(iotest.ErrReader(broken))} {
		r := httptest.NewRequest("POST", "/", io.MultiReader(strings.NewReader("front"), rest))
		front, more := bodyfront.Read(r, 100)
		require.Equal(t, "front", string(front))
		require.False(t, more)
		whole, err := io.ReadAll(r.Body)
		require.ErrorIs(t, err, broken)
		require.Equal(t, "front", string(whole))
	}
	r := httptest.NewRequest("POST", "/", nothing{})
	_, _ = bodyfront.Read(r, 100)
	_, err := r.Body.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.ErrNoProgress)
}

type nothing struct{}

func (nothing) Read([]byte) (int, error) { return 0, nil }
