package domain_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/domain"
)

// Whatever a real connection has as request line and Host lines gets to the API of the host that it
// means, or to none.
func TestHostHeaderAttacks(t *testing.T) {
	d := gatekit.Must(domain.New(t.Context(), domain.Config{Names: []domain.Name{
		{Host: "api.example.com", Mappings: whole("api")}, {Host: "admin.example.com", Mappings: whole("admin")}, {Host: "*.example.org", Mappings: whole("wild")},
	}}))
	server := httptest.NewServer(d)
	defer server.Close()
	for request, want := range map[string]string{
		"GET / HTTP/1.1\r\nHost: api.example.com":                                               "200 api",
		"GET / HTTP/1.1\r\nHost: API.EXAMPLE.COM:80":                                            "200 api",
		"GET / HTTP/1.1\r\nHost:   api.example.com  ":                                           "200 api",
		"GET / HTTP/1.1\r\nHost: api.example.com\r\nX-Forwarded-Host: admin.example.com":        "200 api",
		"GET / HTTP/1.1\r\nHost: api.example.com\r\nForwarded: host=admin.example.com":          "200 api",
		"GET http://admin.example.com/ HTTP/1.1\r\nHost: api.example.com":                       "200 admin", // RFC 9112, section 3.2.2
		"GET http://ADMIN.example.com:80 HTTP/1.1\r\nHost: api.example.com":                     "200 admin",
		"GET http://api.example.com@admin.example.com/ HTTP/1.1\r\nHost: api.example.com":       "403 ",
		"GET http://user:pass@api.example.com/ HTTP/1.1\r\nHost: api.example.com":               "403 ",
		"GET http:///x HTTP/1.1\r\nHost: api.example.com":                                       "200 api",
		"GET http://admin.example.com%2F@api.example.com/ HTTP/1.1\r\nHost: api.example.com":    "403 ",
		"GET / HTTP/1.1\r\nHost: api.example.com\r\nHost: admin.example.com":                    "400 ",
		"GET / HTTP/1.1\r\nHost: api.example.com, admin.example.com":                            "400 ",
		"GET / HTTP/1.1\r\nHost: user@api.example.com":                                          "400 ",
		"GET / HTTP/1.1\r\nHost: api.example.com@admin.example.com":                             "400 ",
		"GET / HTTP/1.1\r\nHost: api.example.com/admin.example.com":                             "400 ",
		"GET / HTTP/1.1\r\nHost: http://api.example.com":                                        "400 ",
		"GET / HTTP/1.1\r\nHost: api.example.com:80@admin.example.com":                          "400 ",
		"GET / HTTP/1.1\r\nHost: api.example.com:80:80":                                         "403 ",
		"GET / HTTP/1.1\r\nHost: api.example.com:-1":                                            "403 ",
		"GET / HTTP/1.1\r\nHost: api.example.com:65536":                                         "403 ",
		"GET / HTTP/1.1\r\nHost: api.example.com..":                                             "403 ",
		"GET / HTTP/1.1\r\nHost: .api.example.com":                                              "403 ",
		"GET / HTTP/1.1\r\nHost: api.example.com.evil.com":                                      "403 ",
		"GET / HTTP/1.1\r\nHost: evil-api.example.com":                                          "403 ",
		"GET / HTTP/1.1\r\nHost: api.example.com#.evil.com":                                     "400 ",
		"GET / HTTP/1.1\r\nHost: api.example.com?x=1":                                           "400 ",
		"GET / HTTP/1.1\r\nHost: api.example.com\\admin":                                        "400 ",
		"GET / HTTP/1.1\r\nHost: api%2Eexample%2Ecom":                                           "403 ",
		"GET / HTTP/1.1\r\nHost: \xe1\xba\x9fpi.example.com":                                    "400 ",
		"GET / HTTP/1.1\r\nHost: \xd0\xb0pi.example.org":                                        "400 ",
		"GET / HTTP/1.1\r\nHost: [::1]":                                                         "403 ",
		"GET / HTTP/1.1\r\nHost: [::1]:80":                                                      "403 ",
		"GET / HTTP/1.1\r\nHost: [api.example.com]":                                             "403 ",
		"GET / HTTP/1.1\r\nHost: 127.0.0.1":                                                     "403 ",
		"GET / HTTP/1.1\r\nHost: *.example.org":                                                 "403 ",
		"GET / HTTP/1.1\r\nHost: a.example.org":                                                 "200 wild",
		"GET / HTTP/1.1\r\nHost: a.b.example.org":                                               "403 ",
		"GET / HTTP/1.1\r\nHost: " + strings.Repeat("a", 64) + ".example.org":                   "403 ",
		"GET / HTTP/1.1\r\nHost: " + strings.Repeat("a", 500_000) + ".example.org":              "403 ",
		"GET / HTTP/1.1\r\nHost: " + strings.Repeat("a.", 100_000) + "example.org":              "403 ",
		"GET / HTTP/1.1\r\nHost:":                                                               "403 ",
		"GET / HTTP/1.1":                                                                        "400 ",
		"GET / HTTP/1.0":                                                                        "403 ",
		"GET / HTTP/1.0\r\nHost: api.example.com":                                               "200 api",
		"GET * HTTP/1.1\r\nHost: api.example.com":                                               "200 api",
		"CONNECT admin.example.com:443 HTTP/1.1\r\nHost: api.example.com":                       "200 admin",
		"GET //admin.example.com/x HTTP/1.1\r\nHost: api.example.com":                           "200 api",
		"GET admin.example.com/ HTTP/1.1\r\nHost: api.example.com":                              "400 ",
		"GET / HTTP/1.1\r\nHost : api.example.com":                                              "400 ",
		"GET / HTTP/1.1\r\n Host: admin.example.com\r\nHost: api.example.com":                   "400 ",
		"GET / HTTP/1.1\r\nHost: api.example.com\r\n\tadmin.example.com":                        "400 ", // an obsolete fold is one line
		"POST / HTTP/1.1\r\nHost: api.example.com\r\nContent-Length: 5\r\nTransfer-Encoding: x": "501 ",
	} {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		require.NoError(t, err)
		fmt.Fprintf(conn, "%s\r\nConnection: close\r\n\r\n", request)
		w, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err, request)
		var name string
		if w.StatusCode == 200 {
			_, err = fmt.Fscan(w.Body, &name)
			require.NoError(t, err)
		}
		require.Equal(t, want, fmt.Sprint(w.StatusCode, " ", name), "%.200q", request)
		w.Body.Close()
		conn.Close()
	}
}

// A path that selects one API is never read as another's behind it: what could be cleaned into it
// is refused, and what is cut off is only the base path as it was sent.
func TestPathsThatTwoReadersDifferOn(t *testing.T) {
	d := one(t, "api.example.com", map[string]string{"orders": "orders", "users": "users", "orders/admin": "admin", "": "rest"})
	for path, want := range map[string]string{
		"/orders/../users":           "400 ",
		"/orders/%2e%2e/users":       "400 ",
		"/orders/..%2Fusers":         "400 ",
		"/orders/.%2e/users":         "400 ",
		"/orders%2F..%2Fusers":       "400 ",
		"/orders/./admin":            "400 ",
		"/./orders":                  "400 ",
		"/../orders":                 "400 ",
		"/x/../orders":               "400 ",
		"/orders/..":                 "400 ",
		"/orders\\..\\users":         "400 ",
		"/orders%5Cadmin":            "400 ",
		"/orders/%00":                "400 ",
		"/orders/...":                "orders /...",
		"/orders//admin":             "orders //admin",
		"/orders%2Fadmin":            "rest /orders%2Fadmin",
		"/orders/%61dmin":            "orders /%61dmin",
		"/orders/admin;x":            "orders /admin;x",
		"/orders/admin%20":           "orders /admin%20",
		"/orders;x/admin":            "rest /orders;x/admin",
		"/ORDERS/admin":              "rest /ORDERS/admin",
		"/orders/admin%2F..%2Fx":     "400 ",
		"/orders/admin/%252e%252e/x": "admin /%252e%252e/x",
	} {
		w := get(d, "https://api.example.com"+path)
		if code, _, refused := strings.Cut(want, " "); code == "400" && refused {
			require.Equal(t, 400, w.Code, path)
			require.Equal(t, `{"message":"Bad Request"}`, w.Body.String())
			continue
		}
		require.True(t, strings.HasPrefix(w.Body.String(), want+" "), "%s: %s", path, w.Body)
	}
}

// A request that no server has parsed may hold anything.
func TestOddRequests(t *testing.T) {
	d := one(t, "api.example.com", map[string]string{"orders": "orders", "": "rest", "a(b)": "odd"})
	for _, u := range []*url.URL{
		{}, {Path: "orders"}, {Path: "/orders", RawPath: "/%zz"}, {Path: "/orders/x", RawPath: "/y"}, {Path: "/orders", RawPath: "/orders/x"},
		{Path: "/x", RawPath: "/orders"}, {Opaque: "//x"}, {Path: "/orders", Opaque: "//x", User: url.User("u")}, {Path: "/a(b)/c", RawPath: "/a%28b)/c"}, {Path: "/a(b)", RawPath: "/a(b)"},
	} {
		for _, host := range []string{"api.example.com", "", ":", ":80", "[", strings.Repeat("a", 10_000)} {
			for _, state := range []*tls.ConnectionState{nil, {}, {ServerName: "\x00", Version: tls.VersionTLS13}} {
				w := httptest.NewRecorder()
				d.ServeHTTP(w, &http.Request{Method: "GET", URL: u, Host: host, TLS: state})
				require.Less(t, w.Code, 500)
			}
		}
	}
}

// Paths of many slashes cost no more look-ups than there are levels.
func TestManySegments(t *testing.T) {
	d := one(t, "api.example.com", map[string]string{strings.Repeat("a/", 149) + "a": "deep", "a": "a"})
	w := get(d, "https://api.example.com/"+strings.Repeat("a/", 100_000))
	require.Equal(t, 200, w.Code)
	require.True(t, strings.HasPrefix(w.Body.String(), "deep /a/"))
	w = get(d, "https://api.example.com/a/"+strings.Repeat("/", 100_000))
	require.True(t, strings.HasPrefix(w.Body.String(), "a ///"))
}

// Server names that are none get the first Name's certificate, or an alert; the server goes on.
func TestServerNameAttacks(t *testing.T) {
	d := gatekit.Must(domain.New(t.Context(), domain.Config{Names: []domain.Name{{
		Host: "api.example.com", Certificate: domain.Static(newServerCertificate(t, "api.example.com")), Mappings: whole("x"),
	}}}))
	addr := serve(t, d)
	for _, name := range []string{"*.example.com", "api.example.com:443", "api..example.com", strings.Repeat("a", 250) + ".example.com", "127.0.0.1", "a\x00b.example.com", "é.example.com"} {
		conn, err := tls.Dial("tcp", addr, clientTLS(name, func(c *tls.Config) { c.InsecureSkipVerify = true }))
		if err == nil {
			conn.Close()
		}
	}
	code, _ := fetch(t, httpClient(t, addr, clientTLS("api.example.com"), true), "https://api.example.com/", "")
	require.Equal(t, 200, code)
}
