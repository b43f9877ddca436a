package gatekit_test

import (
	"bufio"
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

// onePath is what every reader must make of what was sent: which route, the path that was routed
// and is told, the ARN's end, the greedy variable. The table of package route's doc says the same
// in words.
type onePath struct{ key, routed, arn, proxy string }

const toAdmin, toProxy = "GET /admin", "ANY /{proxy+}"

func toAdminAs(routed, arn string) onePath { return onePath{toAdmin, routed, arn, ""} }

func proxied(routed, arn string) onePath { return onePath{toProxy, routed, arn, routed[1:]} }

// pathMatrix has what was sent, behind stage and base path, what an HTTP API makes of it, and what
// a REST API does, if that is something else.
var pathMatrix = []struct {
	sent       string
	http, rest onePath
}{
	{sent: "/admin", http: toAdminAs("/admin", "admin")},
	{sent: "/%61dmin", http: toAdminAs("/%61dmin", "admin")},
	{sent: "/a//b", http: proxied("/a//b", "a//b")},
	{sent: "/%2Fadmin", http: proxied("/%2Fadmin", "%2Fadmin")},
	{sent: "/files%2Fsecret", http: proxied("/files%2Fsecret", "files%2Fsecret")},
	{sent: "/files%2fsecret", http: proxied("/files%2fsecret", "files%2Fsecret")},
	{sent: "/admin%2f", http: proxied("/admin%2f", "admin%2F")},
	{sent: "/admin;x=1", http: proxied("/admin;x=1", "admin;x=1")},
	{sent: "/admin%3bx", http: proxied("/admin%3bx", "admin;x")},
	{sent: "/a;x/b;..", http: proxied("/a;x/b;..", "a;x/b;..")},
	{sent: "/100%25", http: proxied("/100%25", "100%25")},
	{sent: "/a%252Fb", http: proxied("/a%252Fb", "a%252Fb")},
	{sent: "/%252e%252e/a", http: proxied("/%252e%252e/a", "%252e%252e/a")},
	{sent: "/a%20b", http: proxied("/a%20b", "a%20b")},
	{sent: "/a+b%2B", http: proxied("/a+b%2B", "a+b+")},
	{sent: "/caf%c3%a9", http: proxied("/caf%c3%a9", "caf%C3%A9")},
	{sent: "/a%3Fb%23", http: proxied("/a%3Fb%23", "a%3Fb%23")},
	{sent: "/a(b)!", http: proxied("/a(b)!", "a(b)!")},

	{"/admin/", proxied("/admin/", "admin/"), toAdminAs("/admin/", "admin")},
	{"//admin", proxied("//admin", "/admin"), toAdminAs("/admin", "admin")},
	{"///admin", proxied("///admin", "//admin"), toAdminAs("/admin", "admin")},
	{"//admin/", proxied("//admin/", "/admin/"), toAdminAs("/admin/", "admin")},
	{"//a%2fb", proxied("//a%2fb", "/a%2Fb"), proxied("/a%2fb", "a%2Fb")},
	{"//a//b", proxied("//a//b", "/a//b"), proxied("/a//b", "a//b")},
	{"/a/b/", proxied("/a/b/", "a/b/"), onePath{toProxy, "/a/b/", "a/b", "a/b"}},
	{"//%2Fadmin", proxied("//%2Fadmin", "/%2Fadmin"), proxied("/%2Fadmin", "%2Fadmin")},
}

// refusedPaths are 400 before any authorizer, whatever the flavor.
var refusedPaths = []string{
	"/./admin", "/a/../admin", "/..", "/.", "/a/..", "/a/.", "/%2e/admin", "/%2e%2e/admin", "/.%2e/admin",
	"/%2E./admin", "/a/%2e%2e%2fadmin", "/a%2f..%2fadmin", "/a%2F%2e%2e",
	"/..;/admin", "/a/..;/admin", "/a/..;x=1/b", "/.;/admin", "/..%3b/admin", "/%2e%2e;/admin", "/%2e%2e%3B", "//..//admin",
	"/a%00", "/%00", "/a%5Cb", "/a%5cb", "/..%5Cadmin", `/a\b`, `/..\admin`, "/%", "/%zz", "/a%2", "/a%g0",
}

// front is a way to an API: what stands before the paths, and what the stage in front of them is
// called in events and ARNs.
type front struct {
	name, prefix string
	custom       bool // functions of REST APIs see the prefix
	wrap         func(t *testing.T, api *route.API) http.Handler
}

func stagesOf(t *testing.T, api *route.API) *route.Stages {
	stages, err := route.NewStages(route.Stage{Name: "dev", API: api})
	require.NoError(t, err)
	return stages
}

func underDomain(t *testing.T, basePath string, h http.Handler) http.Handler {
	d, err := domain.New(t.Context(), domain.Config{Names: []domain.Name{
		{Host: "api.example.com", Mappings: []domain.Mapping{{BasePath: basePath, Handler: h}}},
	}})
	require.NoError(t, err)
	return d
}

var fronts = []front{
	{"alone", "", false, func(_ *testing.T, api *route.API) http.Handler { return api }},
	{"stage-in-path", "/dev", false, func(t *testing.T, api *route.API) http.Handler { return stagesOf(t, api) }},
	{"strip-prefix", "/v1", false, func(_ *testing.T, api *route.API) http.Handler {
		return http.StripPrefix("/v1", api)
	}},
	{"base-path", "/orders", true, func(t *testing.T, api *route.API) http.Handler {
		return underDomain(t, "orders", gatekit.Must(stagesOf(t, api).Handler("dev")))
	}},
	{"no-base-path", "", true, func(t *testing.T, api *route.API) http.Handler {
		return underDomain(t, "", gatekit.Must(stagesOf(t, api).Handler("dev")))
	}},
	{"base-path-and-stage", "/orders/dev", true, func(t *testing.T, api *route.API) http.Handler {
		return underDomain(t, "orders", stagesOf(t, api))
	}},
}

// fromWire is the request that a server makes of this target, or nil where it answers 400 by
// itself.
func fromWire(target string) *http.Request {
	head := "GET " + target + " HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: token\r\n\r\n"
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(head)))
	if err != nil {
		return nil
	}
	r.RemoteAddr = "192.0.2.1:1234"
	return r
}

// Every reader of a path sees one and the same: the route, the handler, authorizers of every type,
// policies, events of every format, HTTP integrations, mappings, templates and the cache.
func TestEveryReaderSeesOnePath(t *testing.T) {
	for _, flavor := range []gatekit.Flavor{gatekit.HTTP, gatekit.REST} {
		for _, f := range fronts {
			t.Run(fmt.Sprint(flavor, "/", f.name), func(t *testing.T) {
				var want onePath
				probed := ""
				readers := newReaders(t, flavor)
				api := gatekit.Must(route.New(route.Config{API: gatekit.API{Flavor: flavor, Stage: "dev"}}))
				probe := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					probed = gatekit.RouteKey(r)
					readers.check(t, r, f, want)
				})
				api.Handle(toAdmin, probe)
				api.Handle(toProxy, probe)
				h := f.wrap(t, api)
				for _, tt := range pathMatrix {
					if want = tt.http; flavor == gatekit.REST && tt.rest != (onePath{}) {
						want = tt.rest
					}
					probed = ""
					r := fromWire(f.prefix + tt.sent)
					require.NotNil(t, r, tt.sent)
					w := httptest.NewRecorder()
					h.ServeHTTP(w, r)
					require.Equal(t, want.key, probed, "%s is routed to (%d)", tt.sent, w.Code)
					if f.name == "alone" {
						require.Equal(t, want.key, api.Match("GET", tt.sent), tt.sent)
					}
				}
				probed = ""
				for _, path := range refusedPaths {
					if r := fromWire(f.prefix + path); r != nil {
						w := httptest.NewRecorder()
						h.ServeHTTP(w, r)
						require.Equal(t, 400, w.Code, path)
						require.Empty(t, probed, path)
					}
					require.Empty(t, api.Match("GET", path), path)
				}
			})
		}
	}
}
