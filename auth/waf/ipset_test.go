package waf_test

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/waf"
)

// told is what a logger has been told.
type told struct {
	mu   sync.Mutex
	text []byte
}

func (s *told) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text = append(s.text, b...)
	return len(b), nil
}

func (s *told) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.text)
}

func listLog() (*slog.Logger, *told) {
	s := &told{}
	return slog.New(slog.NewTextHandler(s, nil)), s
}

func listFile(t testing.TB, text string) string {
	path := filepath.Join(t.TempDir(), "list.txt")
	replaceList(t, path, text)
	return path
}

// replaceList writes another file and renames it, as one should.
func replaceList(t testing.TB, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path+".new", []byte(text), 0o600))
	require.NoError(t, os.Rename(path+".new", path))
}

func listed(l *waf.IPList, address string) bool { return l.Contains(netip.MustParseAddr(address)) }

func TestIPListForms(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		len        int
		wantErr    string
	}{
		{name: "lines", text: "192.0.2.1\n\n  10.0.0.0/8 # office\n2001:db8::/32 ; SBL1\r\n# end\n;\n", len: 3},
		{name: "no-newline", text: "192.0.2.1", len: 1},
		{name: "byte-order-mark", text: "\xef\xbb\xbf192.0.2.1\n", len: 1},
		{name: "empty", text: "", len: 0},
		{name: "twice", text: "192.0.2.1\n192.0.2.1/32\n", len: 1},
		{name: "get-ip-set", text: `{"IPSet":{"Name":"a","Id":"b","IPAddressVersion":"IPV4","Addresses":["192.0.2.0/24","10.0.0.0/8"]},"LockToken":"x"}`, len: 2},
		{name: "document", text: ` {"IPAddressVersion":"IPV6","Addresses":["2001:db8::/32"]}`, len: 1},
		{name: "empty-document", text: `{"IPAddressVersion":"IPV6","Addresses":[]}`, len: 0},
		{name: "cloudformation", text: `{"Type":"AWS::WAFv2::IPSet","Properties":{"Scope":"REGIONAL","IPAddressVersion":"IPV4","Addresses":["192.0.2.0/24"]}}`, len: 1},

		{name: "all", text: "192.0.2.1\n0.0.0.0/0\n", wantErr: `line 2: want less than all addresses`},
		{name: "two-a-line", text: "192.0.2.1 192.0.2.2\n", wantErr: `line 1: want a prefix of IPv4 such as 192.0.2.0/24, got "192.0.2.1 192.0.2.2"`},
		{name: "all-wrong-lines", text: "x\n192.0.2.1\ny\n", wantErr: "line 3: want a prefix"},
		{name: "page", text: "<!DOCTYPE html>\n<html>\n", wantErr: "line 1"},
		{name: "broken-document", text: `{"IPAddressVersion":"IPV4","Addresses":["192.0.2.0/24"`, wantErr: "want one JSON object"},
		{name: "two-lists", text: `{"IPAddressVersion":"IPV4","Addresses":["192.0.2.0/24"],"addresses":[]}`, wantErr: "want one JSON object"},
		{name: "no-version", text: `{"Addresses":["192.0.2.0/24"]}`, wantErr: "IPSet.IPAddressVersion: want IPV4 or IPV6"},
		{name: "no-addresses", text: `{"IPAddressVersion":"IPV4"}`, wantErr: "IPSet.Addresses: want a list of prefixes"},
		{name: "number", text: `{"IPAddressVersion":"IPV4","Addresses":[1]}`, wantErr: `Addresses: want text, or a list of texts, got "[1]"`},
		{name: "other-family", text: `{"IPAddressVersion":"IPV6","Addresses":["192.0.2.0/24"]}`, wantErr: "IPSet: Addresses[0]: want a prefix of IPv6"},
		{name: "empty-text-in-document", text: `{"IPAddressVersion":"IPV4","Addresses":[""]}`, wantErr: `got ""`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, err := waf.NewIPList(t.Context(), waf.IPListConfig{File: listFile(t, tt.text)})
			if tt.wantErr != "" {
				require.ErrorContains(t, err, tt.wantErr)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.len, l.Len())
		})
	}
}

func TestIPListConfigRefuses(t *testing.T) {
	for _, tt := range []struct {
		name    string
		config  waf.IPListConfig
		wantErr string
	}{
		{"nothing", waf.IPListConfig{}, `waf: IPListConfig: want either File or URL, got "" and ""`},
		{"both", waf.IPListConfig{File: "a", URL: "https://b.example/?token=secret"}, `got "a" and "https://b.example/"`},
		{"ftp", waf.IPListConfig{URL: "ftp://a.example/"}, "URL: want an http or https URL"},
		{"user", waf.IPListConfig{URL: "https://u:secret@a.example/"}, "URL: want an http or https URL without a user"},
		{"often", waf.IPListConfig{File: "a", Every: time.Millisecond}, "Every: want 0s, or 1s to 24h0m0s"},
		{"long", waf.IPListConfig{File: "a", MaxBytes: 1 << 40}, "MaxBytes: want 0, or 1 to"},
		{"no-file", waf.IPListConfig{File: "/nonexistent/list"}, "waf: read /nonexistent/list: no such file"},
		{"directory", waf.IPListConfig{File: "/"}, "waf: read /: not a file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := waf.NewIPList(t.Context(), tt.config)
			require.ErrorContains(t, err, tt.wantErr)
			require.NotContains(t, err.Error(), "secret")
		})
	}
}

// A file that changes is read again within Every; one that can't be read, or was emptied, leaves
// the last good list, and is told of once.
func TestIPListFollowsItsFile(t *testing.T) {
	path := listFile(t, "192.0.2.1\n")
	synctest.Test(t, func(t *testing.T) {
		log, told := listLog()
		l, err := waf.NewIPList(t.Context(), waf.IPListConfig{File: path, Every: 10 * time.Second, Logger: log})
		require.NoError(t, err)
		require.True(t, listed(l, "192.0.2.1"))
		next := func() { time.Sleep(10*time.Second + time.Millisecond); synctest.Wait() }

		replaceList(t, path, "192.0.2.2\n")
		require.False(t, listed(l, "192.0.2.2"))
		next()
		require.True(t, listed(l, "192.0.2.2"))
		require.False(t, listed(l, "192.0.2.1"))
		require.Empty(t, told.String())

		for _, bad := range []string{"192.0.2.3\nnonsense\n", "", "# nothing\n"} {
			replaceList(t, path, bad)
			next()
			require.True(t, listed(l, "192.0.2.2"), "%q", bad)
			require.False(t, listed(l, "192.0.2.3"))
		}
		require.NoError(t, os.Remove(path))
		next()
		require.True(t, listed(l, "192.0.2.2"))
		require.Equal(t, 1, strings.Count(told.String(), "can't be read"), told.String())
		require.Contains(t, told.String(), "line 2")

		replaceList(t, path, "192.0.2.4\n")
		next()
		require.True(t, listed(l, "192.0.2.4"))
		require.Contains(t, told.String(), "it is over")
	}) // a goroutine that is left behind fails the test: the context has ended by then
}

func TestIPListMayBeEmptied(t *testing.T) {
	path := listFile(t, "192.0.2.1\n")
	l, err := waf.NewIPList(t.Context(), waf.IPListConfig{File: path, AllowEmpty: true})
	require.NoError(t, err)
	replaceList(t, path, "")
	require.NoError(t, l.Reload(t.Context()))
	require.Zero(t, l.Len())
	replaceList(t, path, "192.0.2.1\n")
	require.NoError(t, l.Reload(t.Context()))
	require.Equal(t, 1, l.Len())
}

// listServer serves a list, with an entity tag.
type listServer struct {
	text          atomic.Pointer[string]
	status        atomic.Int32
	gets, matches atomic.Int32
}

func (s *listServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.gets.Add(1)
	if code := int(s.status.Load()); code != 0 {
		w.WriteHeader(code)
		return
	}
	text := *s.text.Load()
	tag := fmt.Sprintf(`"%d"`, len(text))
	if r.Header.Get("If-None-Match") == tag {
		s.matches.Add(1)
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("ETag", tag)
	_, _ = io.WriteString(w, text)
}

func (s *listServer) set(text string) { s.text.Store(&text) }

func TestIPListFromAServer(t *testing.T) {
	handler := &listServer{}
	handler.set("192.0.2.1\n")
	server := httptest.NewServer(handler)
	defer server.Close()
	log, told := listLog()
	l, err := waf.NewIPList(t.Context(), waf.IPListConfig{URL: server.URL + "/list?token=secret", Every: time.Hour, Logger: log})
	require.NoError(t, err)
	require.True(t, listed(l, "192.0.2.1"))

	require.NoError(t, l.Reload(t.Context()))
	require.EqualValues(t, 1, handler.matches.Load(), "a conditional GET")
	require.True(t, listed(l, "192.0.2.1"))

	handler.set("192.0.2.22\n")
	require.NoError(t, l.Reload(t.Context()))
	require.True(t, listed(l, "192.0.2.22"))

	handler.set("192.0.2.333 is no address\n")
	for range 2 { // not kept, so it isn't matched either
		require.ErrorContains(t, l.Reload(t.Context()), "line 1")
	}
	require.True(t, listed(l, "192.0.2.22"))
	for _, code := range []int32{500, 404, 204, 206, 304} {
		handler.status.Store(code)
		if code == 304 {
			require.NoError(t, l.Reload(t.Context()))
		} else {
			require.ErrorContains(t, l.Reload(t.Context()), "want 200 OK, got")
		}
		require.True(t, listed(l, "192.0.2.22"))
	}
	server.Close()
	err = l.Reload(t.Context())
	require.Error(t, err)
	require.True(t, listed(l, "192.0.2.22"))
	require.NotContains(t, err.Error()+told.String(), "secret")
	require.Contains(t, err.Error(), "/list")

	_, err = waf.NewIPList(t.Context(), waf.IPListConfig{URL: server.URL})
	require.Error(t, err, "the first list must be there")
}

// roundTrip answers in a bubble, without a network.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A server is asked every so often, and no more once the context has ended, also by what hangs
// then.
func TestIPListEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pass := func(d time.Duration) { time.Sleep(d); synctest.Wait() }
		var asked atomic.Int32
		client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			if asked.Add(1) == 4 || asked.Load() == 6 {
				<-r.Context().Done() // a server that doesn't answer
				return nil, r.Context().Err()
			}
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("192.0.2.1\n"))}, nil
		})}
		ctx, cancel := context.WithCancel(t.Context())
		log, told := listLog()
		_, err := waf.NewIPList(ctx, waf.IPListConfig{URL: "https://lists.example/", Every: 7 * time.Second, HTTPClient: client, Logger: log})
		require.NoError(t, err)
		pass(17 * time.Second)
		require.EqualValues(t, 3, asked.Load())
		pass(30 * time.Second)
		require.EqualValues(t, 4, asked.Load())
		require.Empty(t, told.String())
		pass(5 * time.Second) // 31 seconds after it was asked
		require.EqualValues(t, 5, asked.Load())
		require.Contains(t, told.String(), "deadline exceeded")
		pass(8 * time.Second)
		require.EqualValues(t, 6, asked.Load())
		before := told.String()
		cancel()
		pass(time.Hour)
		require.EqualValues(t, 6, asked.Load())
		require.Equal(t, before, told.String(), "nobody wants to know")
	})
}

// What a server may do to its readers: send without end, compress, redirect elsewhere.
func TestIPListFromAHostileServer(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "192.0.2.1") }))
	defer elsewhere.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/endless":
			for r.Context().Err() == nil {
				if _, err := io.WriteString(w, strings.Repeat("192.0.2.1\n", 1000)); err != nil {
					return
				}
			}
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			for range 100 {
				if _, err := z.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
			_ = z.Close()
		case "/redirect":
			http.Redirect(w, r, elsewhere.URL, http.StatusFound)
		case "/long-line":
			_, _ = io.WriteString(w, strings.Repeat("1", 1<<19))
		case "/unasked":
			w.WriteHeader(http.StatusNotModified)
		}
	}))
	defer server.Close()
	for path, want := range map[string]string{
		"/endless": "longer than 1048576 bytes", "/bomb": "longer than 1048576 bytes", "/redirect": "refused a redirect to another origin", "/long-line": "line 1",
		"/unasked": "want 200 OK",
	} {
		_, err := waf.NewIPList(t.Context(), waf.IPListConfig{URL: server.URL + path, MaxBytes: 1 << 20})
		require.ErrorContains(t, err, want)
		require.Less(t, len(err.Error()), 500, path)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := waf.NewIPList(gone, waf.IPListConfig{URL: server.URL + "/endless"})
	require.ErrorIs(t, err, context.Canceled)
}

func TestIPListReadsNoAllocations(t *testing.T) {
	l, err := waf.NewIPList(t.Context(), waf.IPListConfig{File: listFile(t, "192.0.2.1\n2001:db8::/32\n")})
	require.NoError(t, err)
	a := netip.MustParseAddr("2001:db8::1")
	require.Zero(t, testing.AllocsPerRun(100, func() { l.Contains(a) }))
}

func ExampleNewIPList() {
	path := filepath.Join(os.TempDir(), "gatekit-example-office.txt")
	_ = os.WriteFile(path, []byte("192.0.2.0/24 # Berlin\n2001:db8::/32 # Zürich\n"), 0o600)
	defer os.Remove(path)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel() // ends the looking for changes

	office, err := waf.NewIPList(ctx, waf.IPListConfig{File: path})
	fmt.Println(err)
	fmt.Println(office.Contains(netip.MustParseAddr("192.0.2.77")), office.Contains(netip.MustParseAddr("198.51.100.1")))
	// Output:
	// <nil>
	// true false
}

// Whatever a list holds, it is read in time and as a whole, or not at all.
func FuzzIPList(f *testing.F) {
	for _, seed := range []string{"192.0.2.1\n10.0.0.0/8 # x\n", `{"IPSet":{"IPAddressVersion":"IPV4","Addresses":["10.0.0.0/8"]}}`, "{", "\xef\xbb\xbf{}", "::/0", "fe80::1%a", ";;#\n\r"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		set, err := waf.ReadIPList(text)
		if err != nil {
			require.Nil(t, set)
			return
		}
		require.LessOrEqual(t, set.Len(), len(text))
		for _, everybody := range []string{"0.0.0.0", "::"} {
			if set.Contains(netip.MustParseAddr(everybody)) {
				require.Positive(t, set.Len())
			}
		}
	})
}
