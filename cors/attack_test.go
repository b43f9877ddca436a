package cors_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/cors"
)

var hostile = []string{
	"null", "https://myapp.com.evil.net", "https://evilmyapp.com", "https://myapp.com@evil.net", "https://myapp.com:evil.net", "https://myapp.com\x00.evil.net",
	"https://myapp.com/", "https://myapp.com/x", "https://myapp.com?x", "https://myapp.com#x", "https://myapp.com ", " https://myapp.com", "https://myapp.com,https://evil.net",
	"https://myapp.com https://evil.net", "http://myapp.com", "https://MYAPP.com", "https://myapp.com:443", "https://myapp.com.", "https://sub.myapp.com", "//myapp.com", "myapp.com",
	"https:myapp.com", "https:///myapp.com", "https://myаpp.com", "https://*", "*", "https://myapp.com\r\nX: y", "https://" + strings.Repeat("a", 1<<20),
}

func TestHostileOrigins(t *testing.T) {
	c := gatekit.Must(cors.New(full))
	for _, origin := range hostile {
		w := serve(c, func(w http.ResponseWriter, r *http.Request) {}, actual(origin))
		require.Equal(t, http.Header{"Vary": {"Origin"}}, w.Header(), "%.60q", origin)
		require.Equal(t, refusedPreflight, serve(c, notCalled(t), preflight(origin, "GET", "")).Header(), "%.60q", origin)
	}
}

// "https://*" allows every https origin and nothing that only looks like one.
func TestHostileOriginsUnderAScheme(t *testing.T) {
	c := gatekit.Must(cors.New(cors.Config{AllowOrigins: []string{"https://*"}}))
	for _, origin := range hostile {
		w := serve(c, func(w http.ResponseWriter, r *http.Request) {}, actual(origin))
		switch origin {
		case "https://myapp.com.evil.net", "https://evilmyapp.com", "https://sub.myapp.com":
			require.Equal(t, origin, w.Header().Get("Access-Control-Allow-Origin"))
		default:
			require.Empty(t, w.Header().Get("Access-Control-Allow-Origin"), "%.60q", origin)
		}
	}
}

func TestHugeRequestHeaders(t *testing.T) {
	c := gatekit.Must(cors.New(full))
	for _, headers := range []string{
		strings.Repeat(",", 1<<20), strings.Repeat("authorization,", 10_000), strings.Repeat(" ", 1<<20), "\x00", "authorization\r\n", strings.Repeat("é", 100),
	} {
		require.Equal(t, refusedPreflight, serve(c, notCalled(t), preflight("https://myapp.com", "GET", headers)).Header(), "%.40q", headers)
	}
	many := preflight("https://myapp.com", "GET", "")
	many.Header["Access-Control-Request-Headers"] = slicesOf("authorization", 100_000)
	require.Equal(t, refusedPreflight, serve(c, notCalled(t), many).Header())
}

func slicesOf(s string, n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = s
	}
	return list
}

// A preflight is answered alike with and without credentials: browsers send none.
func TestPreflightDoesNotLookAtCredentials(t *testing.T) {
	c := gatekit.Must(cors.New(full))
	with := preflight("https://myapp.com", "PUT", "authorization")
	with.Header.Set("Authorization", "Bearer x")
	with.Header.Set("Cookie", "a=b")
	require.Equal(t, fullPreflight, serve(c, notCalled(t), with).Header())
}

// obviousOrigin is the grammar as a regular expression.
var obviousOrigin = regexp.MustCompile(`^https://([a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*)(:[1-9][0-9]{0,4})?$`)

// FuzzOrigin: an https origin without brackets is allowed by "https://*" exactly if the expression
// matches it, the port is one and isn't 443, and the name isn't too long; and what is reflected is
// what came.
func FuzzOrigin(f *testing.F) {
	for _, origin := range append(hostile[:len(hostile)-1:len(hostile)-1], "https://a.com:65535", "https://a.com:65536", "https://a", "https://a.b-c._d") {
		f.Add(origin)
	}
	c := gatekit.Must(cors.New(cors.Config{AllowOrigins: []string{"https://*"}}))
	f.Fuzz(func(t *testing.T, origin string) {
		if strings.ContainsAny(origin, "[]") {
			return
		}
		want := ""
		if m := obviousOrigin.FindStringSubmatch(origin); m != nil && len(origin) <= 512 && len(m[1]) <= 253 && m[3] != ":443" && (len(m[3]) < 6 || m[3] <= ":65535") {
			want = origin
		}
		w := serve(c, func(w http.ResponseWriter, r *http.Request) {}, actual(origin))
		if got := w.Header().Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("Origin %q: allowed %q, want %q", origin, got, want)
		}
	})
}

// An outer station's Vary is its own, also where its slice has room; and an address with a zone
// means something on one machine only.
func TestAliasesAndZones(t *testing.T) {
	h := gatekit.Must(cors.New(full)).Middleware(http.NotFoundHandler())
	shared := append(make([]string, 0, 4), "Accept")
	r := httptest.NewRequest("OPTIONS", "/", nil)
	r.Header.Set("Origin", "https://myapp.com")
	r.Header.Set("Access-Control-Request-Method", "GET")
	w := httptest.NewRecorder()
	w.Header()["Vary"] = shared
	h.ServeHTTP(w, r)
	require.Len(t, w.Header()["Vary"], 2)
	require.Empty(t, shared[:2][1], "nobody else's slice is written to")

	_, err := cors.New(cors.Config{AllowOrigins: []string{"http://[fe80::1%eth0]"}})
	require.Error(t, err)
}
