// Package browser holds tests in which a real browser judges what gatekit sends. It is a module of its own, since it needs Chromium,
// which .ci/run installs.
package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/authtest"
	"github.com/gatekit-go/gatekit/cors"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/throttle"
)

// script makes each request of the page's list, and leaves in the document what a page could learn of it: the status and two headers, or
// that the browser kept the answer from it.
const script = `
const results = {};
for (const [name, url, init] of requests) {
  try {
    const w = await fetch(url, init);
    results[name] = w.status + " " + await w.text() + " total=" + w.headers.get("X-Total") + " secret=" + w.headers.get("X-Secret");
  } catch (e) {
    results[name] = "kept from the page";
  }
}
document.body.textContent = JSON.stringify(results);
`

// browse lets Chromium load a page that makes requests, each a name, a URL and fetch's init, and returns what the page learned.
func browse(t *testing.T, chromium, page string) map[string]string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--user-data-dir="+profile(t),
		"--virtual-time-budget=20000", "--dump-dom", page).Output()
	require.NoError(t, err)
	_, body, ok := strings.Cut(string(out), "<body>")
	require.True(t, ok, "%s", out)
	body, _, _ = strings.Cut(body, "</body>")
	var results map[string]string
	require.NoError(t, json.Unmarshal([]byte(html.UnescapeString(strings.TrimSpace(body))), &results), "%s", out)
	return results
}

// profile is a folder for a browser. t.TempDir fails the test where one of the browser's processes writes something while the folder is
// removed.
func profile(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "chromium-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// A page of an allowed origin reads answers and refusals, and sends what needs a preflight; a page of another origin reads nothing.
func TestCORSInABrowser(t *testing.T) {
	chromium, err := exec.LookPath("chromium")
	require.NoError(t, err, "this module's tests need Chromium; .ci/run installs it")
	var api http.Handler
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { api.ServeHTTP(w, r) }))
	defer gateway.Close()
	iss := authtest.NewIssuer(t)
	token := iss.Mint(authtest.Claims{"aud": "orders", "scope": "orders:read"})

	var requests [][]any
	add := func(name, path string, init map[string]any) {
		requests = append(requests, []any{name, gateway.URL + path, init})
	}
	withToken := map[string]string{"Authorization": "Bearer " + token}
	add("get", "/orders/1", map[string]any{"headers": withToken})
	add("put", "/orders/2", map[string]any{"method": "PUT", "headers": map[string]string{"Authorization": "Bearer " + token, "Content-Type": "application/json"}, "body": "{}"})
	add("unauthorized", "/orders/3", map[string]any{})
	add("no-route", "/nowhere", map[string]any{})
	add("bad-path", "/a%5Cb", map[string]any{})
	add("throttled", "/limited", map[string]any{})
	add("failing", "/failing", map[string]any{})
	add("method-not-allowed", "/orders/4", map[string]any{"method": "DELETE", "headers": withToken})
	add("header-not-allowed", "/orders/5", map[string]any{"headers": map[string]string{"X-Other": "1"}})
	add("credentials-not-allowed", "/orders/6", map[string]any{"headers": withToken, "credentials": "include"})
	list, err := json.Marshal(requests)
	require.NoError(t, err)
	document := `<!doctype html><body></body><script type="module">const requests = ` + string(list) + ";\n" + script + "</script>"
	serveDocument := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, document)
	})
	allowed, other := httptest.NewServer(serveDocument), httptest.NewServer(serveDocument)
	defer allowed.Close()
	defer other.Close()
	api = newAPI(t, iss, allowed.URL)

	require.Equal(t, map[string]string{
		"get":                     "200 order total=1 secret=null",
		"put":                     "200 order total=1 secret=null",
		"unauthorized":            `401 {"message":"Unauthorized"} total=null secret=null`,
		"no-route":                `404 {"message":"Not Found"} total=null secret=null`,
		"bad-path":                `400 {"message":"Bad Request"} total=null secret=null`,
		"throttled":               `429 {"message":"Too Many Requests"} total=null secret=null`,
		"failing":                 `500 {"message":"Internal Server Error"} total=null secret=null`,
		"method-not-allowed":      "kept from the page",
		"header-not-allowed":      "kept from the page",
		"credentials-not-allowed": "kept from the page",
	}, browse(t, chromium, allowed.URL))
	for name, result := range browse(t, chromium, other.URL) {
		require.Equal(t, "kept from the page", result, name)
	}
}

func newAPI(t *testing.T, iss *authtest.Issuer, origin string) http.Handler {
	t.Helper()
	jwt, err := auth.NewJWT(t.Context(), auth.JWTConfig{Issuer: iss.URL(), Audience: []string{"orders"}})
	require.NoError(t, err)
	rules, err := cors.New(cors.Config{
		AllowOrigins: []string{origin}, AllowMethods: []string{"GET", "PUT"}, AllowHeaders: []string{"Authorization", "Content-Type"}, ExposeHeaders: []string{"X-Total"},
	})
	require.NoError(t, err)
	order := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*") // the backend's own, which doesn't count
		w.Header().Set("Access-Control-Allow-Credentials", "true")
		w.Header().Set("X-Total", "1")
		w.Header().Set("X-Secret", "2")
		fmt.Fprint(w, "order")
	})
	api := gatekit.Must(route.New(route.Config{}))
	api.Use(rules.Middleware)
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		api.Handle(method+" /orders/{id}", order, auth.Require(jwt, "orders:read"))
	}
	api.Handle("GET /limited", order, gatekit.Must(throttle.New(throttle.Limit{})).Middleware)
	api.Handle("GET /failing", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { gatekit.Reject(w, r, nil) }))
	return api
}
