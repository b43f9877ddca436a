package transform_test

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/transform"
)

// deflated is text in a coding.
func deflated(coding, text string) string {
	var b bytes.Buffer
	var w io.WriteCloser
	switch coding {
	case "gzip":
		w = gzip.NewWriter(&b)
	case "deflate":
		w = zlib.NewWriter(&b)
	case "raw":
		w, _ = flate.NewWriter(&b, flate.DefaultCompression)
	}
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return b.String()
}

// opened is what a coding's text was made of.
func opened(t testing.TB, coding, text string) string {
	t.Helper()
	var r io.Reader = strings.NewReader(text)
	var err error
	switch coding {
	case "gzip":
		r, err = gzip.NewReader(r)
	case "deflate":
		r, err = zlib.NewReader(r)
	}
	require.NoError(t, err)
	out, err := io.ReadAll(r)
	require.NoError(t, err)
	return string(out)
}

func compression(t testing.TB, c transform.CompressionConfig) *transform.Compression {
	t.Helper()
	made, err := transform.NewCompression(c)
	require.NoError(t, err)
	return made
}

// compressedAPI is h behind a Compression, on a server.
func compressedAPI(t testing.TB, c transform.CompressionConfig, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	rest := gatekit.Must(gatekit.Describe(gatekit.API{Flavor: gatekit.REST}))
	s := httptest.NewServer(gatekit.Chain(h, rest, compression(t, c).Middleware))
	t.Cleanup(s.Close)
	return s
}

// get asks without the transport's own way with encodings.
func get(t testing.TB, method, url, accept string, header ...string) (*http.Response, string, error) {
	t.Helper()
	r, err := http.NewRequest(method, url, nil)
	require.NoError(t, err)
	if accept != "" {
		r.Header.Set("Accept-Encoding", accept)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	tr := &http.Transport{DisableCompression: true}
	defer tr.CloseIdleConnections()
	res, err := tr.RoundTrip(r)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res, string(body), err
}

// What a client accepts, as the guide's forms have it, decides.
func TestAcceptEncoding(t *testing.T) {
	text := strings.Repeat("text ", 100)
	s := compressedAPI(t, transform.CompressionConfig{MinimumSize: 10}, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, text) })
	for accept, want := range map[string]string{
		"": "", "gzip": "gzip", "deflate": "deflate", "deflate,gzip": "deflate", "gzip, deflate, br": "gzip", "*": "", "identity": "", "br": "", "x-gzip": "gzip", "GZIP": "gzip",
		"deflate;q=0.5,gzip;q=1.0": "gzip", "gzip;q=1.0,identity;q=0.5,*;q=0": "gzip", "br;q=1.0, gzip;q=0.8": "", "br, gzip": "gzip", "identity;q=1, gzip;q=0.5": "",
		"gzip;q=0": "", "gzip;q=0.0, deflate": "deflate", "identity;q=0": "", "identity;q=0, gzip": "gzip", "gzip ; q=0.9": "gzip", "gzip;Q=0.001": "gzip",
		"gzip;q=1.001": "", "gzip;q=-1": "", "gzip;q=2": "", "gzip;q=": "", "gzip;level=9": "", "gz ip": "", "gzip;q=0.5;q=1": "", "gzip,,": "gzip", ",": "",
		strings.Repeat("x,", 32) + "gzip": "", "*;q=0": "", "*;q=0.5, deflate;q=0.4": "deflate",
	} {
		res, body, err := get(t, "GET", s.URL, accept)
		require.NoError(t, err)
		require.Equal(t, want, res.Header.Get("Content-Encoding"), accept)
		require.Equal(t, "text/plain; charset=utf-8", res.Header.Get("Content-Type"), accept)
		require.Equal(t, "Accept-Encoding", res.Header.Get("Vary"), accept)
		if want == "" {
			require.Equal(t, text, body, accept)
			require.EqualValues(t, len(text), res.ContentLength)
		} else {
			require.Less(t, len(body), len(text))
			require.Equal(t, text, opened(t, want, body), accept)
		}
	}
	r := httptest.NewRequest("GET", "/", nil) // in two lines
	r.Header["Accept-Encoding"] = []string{"br;q=0.1", "gzip"}
	w := httptest.NewRecorder()
	compression(t, transform.CompressionConfig{}).Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) })).ServeHTTP(w, r)
	require.Equal(t, "gzip", w.Header().Get("Content-Encoding"))
}

// Which answers are compressed, and what their headers say then.
func TestCompressedAnswers(t *testing.T) {
	text := strings.Repeat("text ", 40) // 200 bytes
	write := func(parts ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			for _, part := range parts {
				_, _ = io.WriteString(w, part)
			}
		}
	}
	with := func(h http.HandlerFunc, status int, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			for i := 0; i < len(header); i += 2 {
				w.Header().Add(header[i], header[i+1])
			}
			if status != 0 {
				w.WriteHeader(status)
			}
			h(w, r)
		}
	}
	none := func(http.ResponseWriter, *http.Request) {}
	for _, tt := range []struct {
		name    string
		handler http.HandlerFunc
		want    string // the coding
		body    string
		header  map[string]string
	}{
		{"whole", write(text), "gzip", text, nil},
		{"in-parts", write(text[:10], text[10:150], text[150:]), "gzip", text, nil},
		{"of-the-minimum", write(text[:100]), "gzip", text[:100], nil},
		{"below-the-minimum", write(text[:99]), "", text[:99], map[string]string{"Content-Length": "99"}},
		{"below-in-parts", write(text[:50], text[50:99]), "", text[:99], nil},
		{"length-said", with(write(text), 0, "Content-Length", "200"), "gzip", text, nil},
		{"short-length-said", with(write(text[:99]), 0, "Content-Length", "99"), "", text[:99], map[string]string{"Content-Length": "99"}},
		{"nothing", none, "", "", map[string]string{"Content-Length": "0"}},
		{"empty", with(none, 200, "Content-Length", "0"), "", "", nil},
		{"error", with(write(text), 500), "gzip", text, nil},
		{"encoded-already", with(write(text), 0, "Content-Encoding", "br"), "br", "", nil},
		{"identity-already", with(write(text), 0, "Content-Encoding", "identity"), "identity", "", nil},
		{"no-content", with(none, 204), "", "", map[string]string{"Vary": ""}},
		{"not-modified", with(none, 304, "Etag", `"x"`), "", "", map[string]string{"Etag": `"x"`, "Vary": "Accept-Encoding"}},
		{"part", with(write(text), 206, "Content-Range", "bytes 0-199/1000"), "", text, map[string]string{"Content-Range": "bytes 0-199/1000"}},
		{"parts", with(write(text), 206, "Content-Type", "multipart/byteranges; boundary=x"), "", text, nil},
		{"no-transform", with(write(text), 0, "Cache-Control", "max-age=1, No-Transform"), "", text, nil},
		{"event-stream", with(write(text), 0, "Content-Type", "text/event-stream; charset=utf-8"), "", text, nil},
		{"strong-etag", with(write(text), 0, "Etag", `"x"`), "gzip", text, map[string]string{"Etag": `W/"x"`}},
		{"weak-etag", with(write(text), 0, "Etag", `W/"x"`), "gzip", text, map[string]string{"Etag": `W/"x"`}},
		{"of-bytes", with(write(text), 0, "Accept-Ranges", "bytes", "Content-Md5", "x", "Digest", "x", "Content-Digest", "x"), "gzip", text,
			map[string]string{"Accept-Ranges": "", "Content-Md5": "", "Digest": "", "Content-Digest": ""}},
		{"of-bytes-that-stay", with(write(text[:9]), 0, "Accept-Ranges", "bytes", "Content-Md5", "x", "Etag", `"x"`), "", text[:9],
			map[string]string{"Accept-Ranges": "bytes", "Content-Md5": "x", "Etag": `"x"`}},
		{"type", with(write(`{}`+text), 0, "Content-Type", "application/json"), "gzip", `{}` + text, map[string]string{"Content-Type": "application/json"}},
		{"no-type", write("<html>" + text), "gzip", "<html>" + text, map[string]string{"Content-Type": "text/html; charset=utf-8"}},
		{"no-type-length-said", with(write("<html>"+text), 0, "Content-Length", "206"), "gzip", "<html>" + text, map[string]string{"Content-Type": "text/html; charset=utf-8"}},
		{"vary-more", with(write(text), 0, "Vary", "Origin"), "gzip", text, map[string]string{"Vary": "Origin, Accept-Encoding"}},
		{"vary-same", with(write(text), 0, "Vary", "Origin, accept-encoding"), "gzip", text, map[string]string{"Vary": "Origin, accept-encoding"}},
		{"vary-all", with(write(text), 0, "Vary", "*"), "gzip", text, map[string]string{"Vary": "*"}},
		{"copied", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.Copy(w, strings.NewReader(text)) }, "gzip", text, nil},
		{"refusal", func(w http.ResponseWriter, r *http.Request) {
			gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.Throttled})
		}, "", `{"message":"Too Many Requests"}`, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := compressedAPI(t, transform.CompressionConfig{MinimumSize: 100}, tt.handler)
			res, body, err := get(t, "GET", s.URL, "gzip")
			require.NoError(t, err)
			require.Equal(t, tt.want, res.Header.Get("Content-Encoding"))
			switch tt.want {
			case "gzip":
				require.Equal(t, tt.body, opened(t, "gzip", body))
				require.Contains(t, []int64{-1, int64(len(body))}, res.ContentLength) // never what it was
			case "":
				require.Equal(t, tt.body, body)
			}
			for name, want := range tt.header {
				require.Equal(t, want, strings.Join(res.Header[name], ", "), name)
			}
			head, body, err := get(t, "HEAD", s.URL, "gzip")
			require.NoError(t, err)
			require.Empty(t, body)
			if tt.want == "gzip" || tt.want == "" {
				require.Empty(t, head.Header["Content-Encoding"])
			}
		})
	}
}

// A stream is sent as it comes: as it is where it flushes before there is enough to compress,
// compressed and flushed behind it.
func TestCompressionOfStreams(t *testing.T) {
	for _, first := range []string{"", "a", strings.Repeat("a", 200)} {
		t.Run(strconv.Itoa(len(first)), func(t *testing.T) {
			more := make(chan struct{})
			s := compressedAPI(t, transform.CompressionConfig{MinimumSize: 100}, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, first)
				_ = http.NewResponseController(w).Flush()
				<-more
				_, _ = io.WriteString(w, "second")
				w.(http.Flusher).Flush()
				<-more
			})
			r, err := http.NewRequest("GET", s.URL, nil)
			require.NoError(t, err)
			r.Header.Set("Accept-Encoding", "gzip")
			res, err := http.DefaultTransport.RoundTrip(r) // the headers are there
			require.NoError(t, err)
			defer res.Body.Close()
			body := io.Reader(res.Body)
			if len(first) >= 100 {
				require.Equal(t, "gzip", res.Header.Get("Content-Encoding"))
				body, err = gzip.NewReader(body)
				require.NoError(t, err)
			} else {
				require.Empty(t, res.Header["Content-Encoding"])
			}
			got := make([]byte, len(first))
			_, err = io.ReadFull(body, got) // before the second was written
			require.NoError(t, err)
			require.Equal(t, first, string(got))
			more <- struct{}{}
			got = make([]byte, 6)
			_, err = io.ReadFull(body, got)
			require.NoError(t, err)
			require.Equal(t, "second", string(got))
			more <- struct{}{}
		})
	}
}

// A connection may be taken over, with or without a coding to compress in; 1xx pass.
func TestCompressionHijack(t *testing.T) {
	for _, accept := range []string{"gzip", ""} {
		s := compressedAPI(t, transform.CompressionConfig{}, func(w http.ResponseWriter, r *http.Request) {
			conn, rw, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nraw")
			_ = rw.Flush()
		})
		conn, err := net.Dial("tcp", s.Listener.Addr().String())
		require.NoError(t, err)
		defer conn.Close()
		_, _ = fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\nAccept-Encoding: %s\r\n\r\n", accept)
		got, _ := io.ReadAll(bufio.NewReader(conn))
		require.True(t, strings.HasSuffix(string(got), "\r\n\r\nraw"), "%q", got)
	}
}

// What an answer said of its length is held against what came, as net/http does where it knows.
func TestCompressionKeepsLengths(t *testing.T) {
	text := strings.Repeat("x", 100)
	for length, whole := range map[string]bool{"100": true, "101": false, "99": false} {
		s := compressedAPI(t, transform.CompressionConfig{}, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", length)
			w.Header().Set("Content-Type", "text/plain")
			_, err := io.WriteString(w, text)
			if length == "99" && err != http.ErrContentLength {
				t.Errorf("want ErrContentLength, got %v", err)
			}
		})
		s.Config.ErrorLog = quiet
		res, body, err := get(t, "GET", s.URL, "gzip")
		if whole {
			require.NoError(t, err)
			require.Equal(t, "gzip", res.Header.Get("Content-Encoding"))
			require.Equal(t, text, opened(t, "gzip", body))
		} else {
			require.Error(t, err, length)
		}
	}
}

// Off leaves answers alone, and inflates requests all the same.
func TestCompressionOff(t *testing.T) {
	s := compressedAPI(t, transform.CompressionConfig{MinimumSize: transform.Off}, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
	})
	r, err := http.NewRequest("POST", s.URL, strings.NewReader(deflated("gzip", "hello")))
	require.NoError(t, err)
	r.Header.Set("Content-Encoding", "gzip")
	r.Header.Set("Accept-Encoding", "gzip")
	res, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(t, err)
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	require.Equal(t, "hello", string(body))
	require.Empty(t, res.Header["Content-Encoding"])
	require.Empty(t, res.Header["Vary"])
}

func TestCompressionConfigErrors(t *testing.T) {
	for _, size := range []int64{-2, 10485761} {
		_, err := transform.NewCompression(transform.CompressionConfig{MinimumSize: size, MaxBodyBytes: -1})
		require.ErrorContains(t, err, "transform: CompressionConfig.MinimumSize: want 0 to 10485760, or Off, got "+strconv.FormatInt(size, 10))
		require.ErrorContains(t, err, "CompressionConfig.MaxBodyBytes: want 0 or a number of bytes, got -1")
	}
}

// A REST API's method reads what was meant, and answers in the coding that is asked for.
func ExampleNewCompression() {
	compression := gatekit.Must(transform.NewCompression(transform.CompressionConfig{MinimumSize: 1000}))
	h := compression.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(w, "%s, %s", body, strings.Repeat("and again, ", 1000))
	}))
	r := httptest.NewRequest("POST", "/", strings.NewReader(deflated("gzip", "hello")))
	r.Header.Set("Content-Encoding", "gzip")
	r.Header.Set("Accept-Encoding", "gzip, deflate, br")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Header().Get("Content-Encoding"), w.Body.Len() < 200)
	text, _ := gzip.NewReader(w.Body)
	first := make([]byte, 16)
	_, _ = io.ReadFull(text, first)
	fmt.Printf("%s\n", first)

	r = httptest.NewRequest("POST", "/", strings.NewReader("hello")) // which gzip isn't
	r.Header.Set("Content-Encoding", "gzip")
	w = httptest.NewRecorder()
	h.ServeHTTP(w, r)
	fmt.Println(w.Code)
	// Output:
	// 200 gzip true
	// hello, and again
	// 415
}
