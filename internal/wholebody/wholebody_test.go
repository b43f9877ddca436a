package wholebody_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/wholebody"
)

func request(body io.Reader, length int64) *http.Request {
	r := httptest.NewRequest("POST", "/", body)
	r.ContentLength = length
	return r
}

func TestRead(t *testing.T) {
	long := strings.Repeat("x", 200<<10)
	for _, body := range []string{"", "x", long} {
		for _, length := range []int64{-1, int64(len(body))} {
			r := request(strings.NewReader(body), length)
			got, err := wholebody.Read("x", r, 1<<20)
			require.NoError(t, err)
			require.True(t, body == string(got))
			again, err := io.ReadAll(r.Body)
			require.NoError(t, err)
			require.True(t, body == string(again))
		}
	}
	r := request(nil, 0)
	r.Body = nil
	got, err := wholebody.Read("x", r, 1)
	require.NoError(t, err)
	require.Empty(t, got)
}

// bounded is r behind an http.MaxBytesReader of somebody in front.
func bounded(r *http.Request) *http.Request {
	r.Body = http.MaxBytesReader(httptest.NewRecorder(), r.Body, 4)
	return r
}

func TestRefused(t *testing.T) {
	broken := errors.New("broken")
	for name, tt := range map[string]struct {
		r     *http.Request
		kind  gatekit.ResponseType
		cause error
	}{
		"announced":  {request(iotest.ErrReader(broken), 11), gatekit.RequestTooLarge, wholebody.ErrTooLarge},
		"chunked":    {request(strings.NewReader("12345678901"), -1), gatekit.RequestTooLarge, wholebody.ErrTooLarge},
		"bounded":    {bounded(request(strings.NewReader("12345"), -1)), gatekit.RequestTooLarge, wholebody.ErrTooLarge},
		"broken":     {request(iotest.ErrReader(broken), -1), gatekit.Default4XX, broken},
		"cut-short":  {request(strings.NewReader("123"), 5), gatekit.Default4XX, io.ErrUnexpectedEOF},
		"longer":     {request(strings.NewReader("12345"), 4), gatekit.Default4XX, nil},
		"cut-at-all": {request(strings.NewReader(""), 5), gatekit.Default4XX, io.ErrUnexpectedEOF},
	} {
		_, err := wholebody.Read("x", tt.r, 10)
		var rej *gatekit.Rejection
		require.ErrorAs(t, err, &rej, name)
		require.Equal(t, tt.kind, rej.Type, name)
		if tt.cause != nil {
			require.ErrorIs(t, err, tt.cause, name)
		}
	}
	_, err := wholebody.Read("auth", request(strings.NewReader("123"), 5), 10)
	require.EqualError(t, err, "gatekit: DEFAULT_4XX: auth: read the body: unexpected EOF")
}
