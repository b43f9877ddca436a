package domain_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/domain"
	"github.com/gatekit-go/gatekit/route"
)

// api answers with its name and what it sees of the request.
func api(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rc := gatekit.From(r.Context())
		fmt.Fprintf(w, "%s %s base=%s domain=%s received=%s", name, r.URL.EscapedPath(), rc.BasePath(), rc.DomainName(), rc.Path.Received())
	})
}

// one returns a domain of one Name with these mappings: base path → what [api] it is.
func one(t testing.TB, host string, mappings map[string]string) *domain.Domain {
	n := domain.Name{Host: host}
	for basePath, name := range mappings {
		n.Mappings = append(n.Mappings, domain.Mapping{BasePath: basePath, Handler: api(name)})
	}
	d, err := domain.New(t.Context(), domain.Config{Names: []domain.Name{n}})
	require.NoError(t, err)
	return d
}

func get(h http.Handler, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", target, nil))
	return w
}

// The developer guide's worked example, line by line.
func TestMappings(t *testing.T) {
	d := one(t, "api.example.com", map[string]string{
		"": "A1", "orders/v1/items": "A2", "orders/v2/items": "A3", "orders/v2/items/categories": "A4",
	})
	for _, tt := range []struct{ path, api, left, base string }{
		{"/orders/v1/items", "A2", "/", "orders/v1/items"},
		{"/orders/v1/items/123", "A2", "/123", "orders/v1/items"},
		{"/orders/v2/items", "A3", "/", "orders/v2/items"},
		{"/orders/v2/items/categories/5", "A4", "/5", "orders/v2/items/categories"},
		{"/customers", "A1", "/customers", ""},
		{"/orders/v1", "A1", "/orders/v1", ""},
		{"/orders/v1/items/", "A2", "/", "orders/v1/items"},
		{"/orders/v1/itemsX", "A1", "/orders/v1/itemsX", ""},
		// What the guide doesn't show: case counts, nothing is decoded before the comparison, and
		// slashes stay as they are.
		{"/Orders/v1/items", "A1", "/Orders/v1/items", ""},
		{"/%6Frders/v1/items", "A1", "/%6Frders/v1/items", ""},
		{"/orders%2Fv1/items", "A1", "/orders%2Fv1/items", ""},
		{"//orders/v1/items", "A1", "//orders/v1/items", ""},
		{"/orders//v1/items", "A1", "/orders//v1/items", ""},
		{"/orders/v1/items//7", "A2", "//7", "orders/v1/items"},
		{"/orders/v1/items/a%2Fb%20c", "A2", "/a%2Fb%20c", "orders/v1/items"},
		{"/orders/v2/items/categories", "A4", "/", "orders/v2/items/categories"},
		{"/orders/v2/items/categoriesX", "A3", "/categoriesX", "orders/v2/items"},
		{"/", "A1", "/", ""},
	} {
		w := get(d, "https://api.example.com"+tt.path)
		require.Equal(t, 200, w.Code)
		require.Equal(t, fmt.Sprintf("%s %s base=%s domain=api.example.com received=%s", tt.api, tt.left, tt.base, tt.path), w.Body.String(), tt.path)
	}
}

// Without an empty mapping, what no key matches is nobody's.
func TestForbidden(t *testing.T) {
	d := one(t, "api.example.com", map[string]string{"orders": "orders"})
	for _, target := range []string{
		"https://api.example.com/", "https://api.example.com/ordersX", "https://api.example.com/users", "https://other.example.com/orders", "https://10.0.0.1/orders",
	} {
		w := get(d, target)
		require.Equal(t, 403, w.Code, target)
		require.Equal(t, `{"message":"Forbidden"}`, w.Body.String())
		h := w.Result().Header
		require.Regexp(t, `^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$`, h.Get("X-Amzn-Requestid"))
		delete(h, "X-Amzn-Requestid")
		require.Equal(t, http.Header{"Content-Type": {"application/json"}, "Content-Length": {"23"}, "X-Amzn-Errortype": {"ForbiddenException"}}, h)
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, httptest.NewRequest("HEAD", "https://other.example.com/", nil))
	require.Equal(t, 403, w.Code)
	require.Empty(t, w.Body.String())
}

// A responder of a station outside, and what it knows, stay.
func TestForbiddenUnderAResponder(t *testing.T) {
	d := one(t, "api.example.com", map[string]string{"orders": "orders"})
	var why *gatekit.Rejection
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rc, r := gatekit.Attach(r)
		rc.SetResponder(func(w http.ResponseWriter, r *http.Request, rej *gatekit.Rejection) { w.WriteHeader(418) })
		d.ServeHTTP(w, r)
		why = rc.Rejection()
	})
	require.Equal(t, 418, get(h, "https://api.example.com/users").Code)
	require.Equal(t, 403, why.StatusFor(gatekit.HTTP))
}

// Where the program is told outside which API it is, the answers are of that flavor; all but the
// front door's own form.
func TestRefusalsOfAKnownAPI(t *testing.T) {
	describe := gatekit.Must(gatekit.Describe(gatekit.API{Flavor: gatekit.REST}))
	h := describe(one(t, "api.example.com", map[string]string{"orders": "orders"}))
	w := get(h, "https://api.example.com/orders/..")
	require.Equal(t, 400, w.Code)
	require.Equal(t, "BadRequestException", w.Header().Get("X-Amzn-Errortype"))
	w = get(h, "https://api.example.com/users")
	require.Equal(t, 403, w.Code)
	require.Equal(t, `{"message":"Forbidden"}`, w.Body.String())
	require.Equal(t, "ForbiddenException", w.Header().Get("X-Amzn-Errortype"))
}

func TestHosts(t *testing.T) {
	var names []domain.Name
	for _, host := range []string{"*.example.com", "api.example.com", "*.eu.example.com", "localhost"} {
		names = append(names, domain.Name{Host: host, Mappings: []domain.Mapping{{Handler: api(host)}}})
	}
	d := gatekit.Must(domain.New(t.Context(), domain.Config{Names: names}))
	for _, tt := range []struct{ host, name, normal string }{
		{"api.example.com", "api.example.com", "api.example.com"},
		{"API.Example.COM", "api.example.com", "api.example.com"},
		{"api.example.com:8443", "api.example.com", "api.example.com"},
		{"api.example.com:", "api.example.com", "api.example.com"},
		{"api.example.com.", "api.example.com", "api.example.com"},
		{"Api.example.com.:443", "api.example.com", "api.example.com"},
		{"tenant-1.example.com", "*.example.com", "tenant-1.example.com"},
		{"Tenant_2.example.com:443", "*.example.com", "tenant_2.example.com"},
		{"eu.example.com", "*.example.com", "eu.example.com"},
		{"a.eu.example.com", "*.eu.example.com", "a.eu.example.com"},
		{"localhost:8080", "localhost", "localhost"},
		{"a.b.example.com", "", ""}, // one label, not two
		{"example.com", "", ""},
		{".example.com", "", ""},
		{"*.example.com", "", ""},
		{"api.example.com..", "", ""},
		{"api..example.com", "", ""},
		{"api.example.com:443:443", "", ""},
		{"api.example.com:99999", "", ""},
		{"api.example.com:+443", "", ""},
		{"api.example.com:https", "", ""},
		{"user@api.example.com", "", ""}, // what net/http's server refuses itself
		{"api.example.com@x.example.com", "", ""},
		{"api.example.com, x.example.com", "", ""},
		{"api.example.com/x", "", ""},
		{"api.example.com ", "", ""},
		{"\u0430pi.example.com", "", ""},
	} {
		r := httptest.NewRequest("GET", "/x", nil)
		r.Host = tt.host
		s, err := d.Select(r)
		require.Equal(t, tt.name, s.Name, tt.host)
		require.Equal(t, tt.normal, s.Host, tt.host)
		require.Equal(t, tt.name == "", err != nil)
	}
}

// The request that a station outside sees stays as it was, and its context is the one that is
// filled in.
func TestTheOutsideSeesTheRequestAsReceived(t *testing.T) {
	d := one(t, "api.example.com", map[string]string{"orders": "orders"})
	for _, attached := range []bool{false, true} {
		r := httptest.NewRequest("GET", "https://api.example.com/orders/a%2Fb?q=1", nil)
		var rc *gatekit.RequestContext
		if attached {
			rc, r = gatekit.Attach(r)
		}
		w := httptest.NewRecorder()
		d.ServeHTTP(w, r)
		require.Equal(t, "orders /a%2Fb base=orders domain=api.example.com received=/orders/a%2Fb", w.Body.String())
		require.Equal(t, "/orders/a/b", r.URL.Path)
		require.Equal(t, "/orders/a%2Fb", r.URL.RawPath)
		if attached {
			require.Equal(t, "orders", rc.BasePath())
		}
	}
}

// Handlers know whether they were asked by a custom domain name or by one that was generated.
func TestCustomDomain(t *testing.T) {
	for host, want := range map[string]bool{
		"api.example.com": true, "execute-api.example.com": true, "localhost": true, "a.execute-apis.example.com": true, "*.example.com": true,
		"a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com": false, "*.execute-api.localhost": false,
	} {
		var got bool
		d := gatekit.Must(domain.New(t.Context(), domain.Config{Names: []domain.Name{{Host: host, Mappings: []domain.Mapping{
			{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = gatekit.From(r.Context()).CustomDomain() })},
		}}}}))
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = strings.Replace(host, "*", "x", 1)
		d.ServeHTTP(httptest.NewRecorder(), r)
		require.Equal(t, want, got, host)
	}
}

// RawPath is set where, and only where, net/url would write Path in another way.
func TestRawPath(t *testing.T) {
	var got [2]string
	d := gatekit.Must(domain.New(t.Context(), domain.Config{Names: []domain.Name{{Host: "api.example.com", Mappings: []domain.Mapping{
		{BasePath: "a(b)!*'", Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = [2]string{r.URL.Path, r.URL.RawPath} })},
		{BasePath: "plain", Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = [2]string{r.URL.Path, r.URL.RawPath} })},
	}}}}))
	for path, want := range map[string][2]string{
		"/plain/x":               {"/x", ""},
		"/plain":                 {"/", ""},
		"/plain/x%20y":           {"/x y", ""},
		"/plain/x%2Fy":           {"/x/y", "/x%2Fy"},
		"/plain/(x)":             {"/(x)", "/(x)"},
		"/a(b)!*'/x":             {"/x", ""},
		"/a(b)!*'":               {"/", ""},
		"/a(b)!*'/x%20y":         {"/x y", ""},
		"/a(b)!*'/x%2Fy":         {"/x/y", "/x%2Fy"},
		"/a(b)!*'/(":             {"/(", "/("},
		"/a(b)!*'/%28":           {"/(", ""},
		"/a%28b%29%21%2A%27/x":   {}, // sent escaped: another path than the key
		"/a%28b)!*'/x":           {},
		"/plain%2Fx":             {},
		"/plai%6E/x":             {},
		"/a(b)!*'/caf%C3%A9/%7E": {"/café/~", "/caf%C3%A9/%7E"},
	} {
		got = [2]string{}
		w := get(d, "https://api.example.com"+path)
		require.Equal(t, want, got, path)
		require.Equal(t, want == [2]string{}, w.Code == 403, path)
	}
}

// With a route.API behind a mapping: its routes are relative to the base path, and its 404 stands.
func TestWithRoute(t *testing.T) {
	orders := gatekit.Must(route.New(route.Config{}))
	orders.Handle("GET /{id}", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rc := gatekit.From(r.Context())
		fmt.Fprint(w, rc.RouteKey(), " ", r.PathValue("id"), " ", rc.BasePath(), " ", rc.Path.Received())
	}))
	legacy := gatekit.Must(route.New(route.Config{API: gatekit.API{Flavor: gatekit.REST}}))
	d := gatekit.Must(domain.New(t.Context(), domain.Config{Names: []domain.Name{{Host: "api.example.com", Mappings: []domain.Mapping{
		{BasePath: "orders", Handler: orders}, {BasePath: "legacy", Handler: legacy}, {BasePath: "(none)", Handler: api("rest")},
	}}}}))
	require.Equal(t, "GET /{id} a/b orders /orders/a%2Fb", get(d, "https://api.example.com/orders/a%2Fb").Body.String())
	// A longer mapping that answers 404 isn't left for a shorter one.
	w := get(d, "https://api.example.com/orders/1/2")
	require.Equal(t, 404, w.Code)
	require.Equal(t, `{"message":"Not Found"}`, w.Body.String())
	w = get(d, "https://api.example.com/legacy/x")
	require.Equal(t, 403, w.Code)
	require.Equal(t, `{"message":"Missing Authentication Token"}`, w.Body.String())
	// A route.API keeps the host as it was normalized.
	r := httptest.NewRequest("GET", "https://api.example.com/orders/1", nil)
	r.Host = "API.example.com.:443"
	rc, r := gatekit.Attach(r)
	d.ServeHTTP(httptest.NewRecorder(), r)
	require.Equal(t, "api.example.com", rc.DomainName())
	require.Equal(t, "rest /x base= domain=api.example.com received=/x", get(d, "https://api.example.com/x").Body.String())
}

func TestDisabledEndpoint(t *testing.T) {
	for flavor, want := range map[gatekit.Flavor]struct {
		code      int
		body      string
		errorType string
		idHeader  string
	}{
		gatekit.HTTP:      {404, `{"message":"Not Found"}`, "", "Apigw-Requestid"},
		gatekit.REST:      {403, `{"message":"Forbidden"}`, "ForbiddenException", "X-Amzn-Requestid"},
		gatekit.WebSocket: {403, `{"message":"Forbidden"}`, "ForbiddenException", "X-Amzn-Requestid"},
	} {
		w := get(domain.DisabledEndpoint(flavor), "/orders")
		require.Equal(t, want.code, w.Code, flavor)
		require.Equal(t, want.body, w.Body.String(), flavor)
		require.Equal(t, want.errorType, w.Header().Get("X-Amzn-Errortype"), flavor)
		require.NotEmpty(t, w.Header().Get(want.idHeader), flavor)
	}
	require.Panics(t, func() { domain.DisabledEndpoint(3) })
}

func TestHandlers(t *testing.T) {
	h := api("x")
	d := gatekit.Must(domain.New(t.Context(), domain.Config{Names: []domain.Name{{
		Host: "api.example.com", RoutingMode: domain.RoutingRuleThenAPIMapping,
		Mappings: []domain.Mapping{{BasePath: "orders", Handler: h}, {Handler: h}}, Rules: []domain.RoutingRule{{Priority: 10, Handler: h}},
	}}}))
	var got []string
	for what, handler := range d.Handlers() {
		require.NotNil(t, handler)
		got = append(got, what)
	}
	require.Equal(t, []string{"api.example.com/orders", "api.example.com/", "api.example.com rule 10"}, got)
	for range d.Handlers() {
		break
	}
}

// OtherHosts has the hosts of nobody, and no others: not those of a Name without a mapping for the path.
func TestOtherHosts(t *testing.T) {
	others := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "other ", r.Host, r.URL.Path) })
	d, err := domain.New(t.Context(), domain.Config{
		Names:      []domain.Name{{Host: "api.example.com", Mappings: []domain.Mapping{{BasePath: "a", Handler: api("A")}}}},
		OtherHosts: others,
	})
	require.NoError(t, err)
	for target, want := range map[string]string{
		"http://api.example.com/a/x": "A", "http://127.0.0.1:8080/x": "other", "http://[::1]/x": "other", "http://else.example/x": "other",
		"http://x_y.example/x": "other",
	} {
		require.Regexp(t, "^"+want+" ", get(d, target).Body.String(), target)
	}
	for _, target := range []string{"http://api.example.com/b", "http://API.example.com./b", "http://user@else.example/x"} {
		require.Equal(t, http.StatusForbidden, get(d, target).Code, target)
	}
	built := &builds{}
	_, err = domain.New(t.Context(), domain.Config{
		Names:      []domain.Name{{Host: "api.example.com", Mappings: []domain.Mapping{{Handler: api("A")}}}},
		OtherHosts: built,
	})
	require.ErrorContains(t, err, "other hosts: not built")
}

// builds can't be built.
type builds struct{ http.Handler }

func (*builds) Build() error                    { return errors.New("not built") }
func (*builds) Station() (string, http.Handler) { return "builds", nil }
