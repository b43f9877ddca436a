package transform_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/transform"
)

var quiet = log.New(io.Discard, "", 0)

// bomb inflates to n zeros.
func bomb(coding string, n int) string { return deflated(coding, strings.Repeat("\x00", n)) }

// Bodies that aren't what their header says are refused before anything behind sees them, and inflate to no more than is allowed.
func TestInflation(t *testing.T) {
	gz, zl := deflated("gzip", "hello"), deflated("deflate", "hello")
	wrong := func(text string, at int) string {
		b := []byte(text)
		b[len(b)+at] ^= 1
		return string(b)
	}
	for _, tt := range []struct {
		name, coding, body string
		status             int
		want               string
	}{
		{"gzip", "gzip", gz, 200, "hello"}, {"deflate", "deflate", zl, 200, "hello"}, {"x-gzip", "X-GZip", gz, 200, "hello"}, {"identity", "identity", "hello", 200, "hello"},
		{"none-in-the-list", "gzip, identity", gz, 200, "hello"}, {"empty-list", " , ", "hello", 200, "hello"},
		{"members", "gzip", gz + deflated("gzip", " again"), 200, "hello again"}, {"an-empty-member", "gzip", gz + deflated("gzip", ""), 200, "hello"},
		{"of-nothing", "gzip", deflated("gzip", ""), 200, ""}, {"no-body", "gzip", "", 200, ""}, {"no-body-in-br", "br", "", 200, ""},
		{"br", "br", gz, 415, ""}, {"zstd", "zstd", gz, 415, ""}, {"several", "gzip, gzip", deflated("gzip", gz), 415, ""}, {"mixed", "deflate, gzip", deflated("gzip", zl), 415, ""},
		{"unknown-beside", "gzip, br", gz, 415, ""}, {"odd", "gzip;q=1", gz, 415, ""}, {"star", "*", gz, 415, ""},
		{"plain", "gzip", "hello", 415, ""}, {"plain-deflate", "deflate", "hello", 415, ""}, {"the-other", "gzip", zl, 415, ""}, {"the-other-deflate", "deflate", gz, 415, ""},
		{"raw-deflate", "deflate", deflated("raw", "hello"), 415, ""},
		{"truncated", "gzip", gz[:len(gz)-9], 415, ""}, {"no-checksum", "gzip", gz[:len(gz)-8], 415, ""}, {"half-a-checksum", "gzip", gz[:len(gz)-3], 415, ""}, {"header-alone", "gzip", gz[:10], 415, ""},
		{"one-byte", "gzip", gz[:1], 415, ""}, {"truncated-deflate", "deflate", zl[:len(zl)-4], 415, ""},
		{"wrong-checksum", "gzip", wrong(gz, -8), 415, ""}, {"wrong-length", "gzip", wrong(gz, -1), 415, ""}, {"wrong-checksum-deflate", "deflate", wrong(zl, -1), 415, ""},
		{"wrong-data", "gzip", wrong(gz, -12), 415, ""}, {"garbage-behind", "gzip", gz + "garbage", 415, ""}, {"garbage-behind-deflate", "deflate", zl + "x", 415, ""},
		{"half-a-member-behind", "gzip", gz + gz[:12], 415, ""}, {"zeros-behind", "gzip", gz + strings.Repeat("\x00", 512), 415, ""},
		{"dictionary", "deflate", "\x78\xbb\x00\x00\x00\x00", 415, ""},
		{"at-the-bound", "gzip", bomb("gzip", 1000), 200, strings.Repeat("\x00", 1000)}, {"above-the-bound", "gzip", bomb("gzip", 1001), 413, ""}, {"above-the-bound-deflate", "deflate", bomb("deflate", 1001), 413, ""},
		{"members-above-the-bound", "gzip", bomb("gzip", 600) + bomb("gzip", 600), 413, ""}, {"long-as-it-comes", "gzip", strings.Repeat("x", 1001), 413, ""},
		{"bomb", "gzip", bomb("gzip", 500_000), 413, ""},
	} {
		for _, chunked := range []bool{false, true} {
			t.Run(tt.name+strconv.FormatBool(chunked), func(t *testing.T) {
				served := false
				s := compressedAPI(t, transform.CompressionConfig{MaxBodyBytes: 1000}, func(w http.ResponseWriter, r *http.Request) {
					served = true
					body, err := io.ReadAll(r.Body)
					if err != nil || string(body) != tt.want || tt.body != tt.want && r.Header["Content-Encoding"] != nil || r.ContentLength >= 0 && r.ContentLength != int64(len(body)) {
						t.Errorf("got %q, %v, %v, length %d", body, err, r.Header, r.ContentLength)
					}
					if said := r.Header.Get("Content-Length"); said != "" && said != strconv.Itoa(len(body)) {
						t.Errorf("Content-Length %q of %d", said, len(body))
					}
				})
				var body io.Reader = strings.NewReader(tt.body)
				if chunked {
					body = io.MultiReader(body)
				}
				r, err := http.NewRequest("POST", s.URL, body)
				require.NoError(t, err)
				r.Header.Set("Content-Encoding", tt.coding)
				res, err := http.DefaultClient.Do(r)
				require.NoError(t, err)
				defer res.Body.Close()
				text, _ := io.ReadAll(res.Body)
				if tt.body == "" && chunked && tt.coding == "br" {
					require.Equal(t, 415, res.StatusCode) // a body that nobody has seen yet
					return
				}
				require.Equal(t, tt.status, res.StatusCode, string(text))
				require.Equal(t, tt.status == 200, served)
				if tt.status == 415 {
					require.Equal(t, `{"message":"Unsupported Media Type"}`, string(text))
				}
			})
		}
	}
}

// Of a bomb no more is inflated than may be: memory is bounded by the bound, not by the bomb.
func TestBombIsBounded(t *testing.T) {
	c := compression(t, transform.CompressionConfig{MaxBodyBytes: 100 << 10})
	body := bomb("gzip", 20<<20)
	r := httptest.NewRequest("POST", "/", strings.NewReader(body))
	r.Header.Set("Content-Encoding", "gzip")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := c.Request(r)
	runtime.ReadMemStats(&after)
	var rej *gatekit.Rejection
	require.ErrorAs(t, err, &rej)
	require.Equal(t, gatekit.RequestTooLarge, rej.Type)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(2<<20))
}

// What was sent stays as it was for those in front: a log, a signature.
func TestInflationCopies(t *testing.T) {
	c := compression(t, transform.CompressionConfig{})
	gz := deflated("gzip", "hello")
	r := httptest.NewRequest("POST", "/", strings.NewReader(gz))
	r.Header.Set("Content-Encoding", "gzip")
	r.Header.Set("Content-Md5", "x")
	r.Header.Set("Content-Length", strconv.Itoa(len(gz)))
	inflated, err := c.Request(r)
	require.NoError(t, err)
	require.Equal(t, "gzip", r.Header.Get("Content-Encoding"))
	require.Equal(t, strconv.Itoa(len(gz)), r.Header.Get("Content-Length"))
	require.EqualValues(t, len(gz), r.ContentLength)
	require.Equal(t, "5", inflated.Header.Get("Content-Length"))
	require.NotContains(t, inflated.Header, "Content-Md5")
	plain := httptest.NewRequest("POST", "/", strings.NewReader("x"))
	same, err := c.Request(plain)
	require.NoError(t, err)
	require.Same(t, plain, same)
}

// A handler that panics has no end of its answer made up for it, and its compressor isn't used again.
func TestCompressionPanics(t *testing.T) {
	s := compressedAPI(t, transform.CompressionConfig{}, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", 5000))
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	for range 3 {
		_, body, err := get(t, "GET", s.URL, "gzip")
		require.Error(t, err)
		in, err := gzip.NewReader(strings.NewReader(body))
		require.NoError(t, err)
		_, err = io.ReadAll(in)
		require.Error(t, err)
	}
}

// FuzzInflate: an error comes with nothing; without one the body is at most the bound's, and what it inflates to again.
func FuzzInflate(f *testing.F) {
	for _, coding := range []string{"gzip", "deflate"} {
		f.Add(coding, []byte(deflated(coding, "hello")))
		f.Add(coding, []byte(bomb(coding, 5000)))
		f.Add(coding, []byte(deflated(coding, "a")+deflated(coding, "b")))
	}
	f.Add("br, gzip", []byte("x"))
	c, err := transform.NewCompression(transform.CompressionConfig{MaxBodyBytes: 4096})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, coding string, body []byte) {
		r := httptest.NewRequest("POST", "/", bytes.NewReader(body))
		r.Header["Content-Encoding"] = []string{coding}
		inflated, err := c.Request(r)
		if err != nil {
			require.Nil(t, inflated)
			var rej *gatekit.Rejection
			require.ErrorAs(t, err, &rej)
			return
		}
		text, err := io.ReadAll(inflated.Body)
		require.NoError(t, err)
		if len(body) == 0 || inflated == r {
			require.Equal(t, string(body), string(text))
			return
		}
		if name := strings.ToLower(strings.Trim(coding, " \t")); name == "gzip" || name == "deflate" {
			require.LessOrEqual(t, len(text), 4096)
			require.EqualValues(t, len(text), inflated.ContentLength)
			again := httptest.NewRequest("POST", "/", strings.NewReader(deflated(name, string(text))))
			again.Header.Set("Content-Encoding", name)
			back, err := c.Request(again)
			require.NoError(t, err)
			got, _ := io.ReadAll(back.Body)
			require.Equal(t, string(text), string(got))
		}
	})
}

// FuzzCompression: whatever a client accepts and a handler writes, the client gets what was written.
func FuzzCompression(f *testing.F) {
	for _, accept := range []string{"gzip", "deflate;q=0.5, *", "identity;q=0", "gzip;q=0,deflate"} {
		f.Add(accept, "text", uint8(2), uint16(3))
	}
	f.Fuzz(func(t *testing.T, accept, text string, parts uint8, minimum uint16) {
		h := compression(t, transform.CompressionConfig{MinimumSize: int64(minimum)}).Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for range parts {
				_, _ = io.WriteString(w, text)
			}
		}))
		r := httptest.NewRequest("GET", "/", nil)
		r.Header["Accept-Encoding"] = []string{accept}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		coding, want := w.Header().Get("Content-Encoding"), strings.Repeat(text, int(parts))
		if coding != "" {
			require.GreaterOrEqual(t, len(want), int(minimum))
			require.Contains(t, strings.ToLower(accept), strings.TrimPrefix(coding, "x-"))
		}
		require.Equal(t, want, opened(t, coding, w.Body.String()))
	})
}
