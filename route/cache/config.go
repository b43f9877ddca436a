package cache

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/routetree"
	"github.com/gatekit-go/gatekit/internal/selector"
)

// Config configures a [Cache]. The zero value keeps the answers to GET for 300 seconds, up to 64
// MiB of them.
type Config struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Route is how the answers of routes are kept that have no [Cache.Keep] of their own. Where the
	// request's stage has settings (gatekit.MethodSettings), they decide if and for how long a
	// method's answers are kept.
	Route

	// MaxBodyBytes is the longest body that is kept; 0 is the managed gateway's 1,048,576 bytes.
	// Longer ones pass.
	MaxBodyBytes int
	// MaxBytes bounds what is kept in memory, bodies, headers and a share for the bookkeeping; 0 is
	// 64 MiB. A Store bounds itself. As much again may be taken by bodies that are being copied,
	// with a Store too; what would take more isn't kept.
	MaxBytes int64
	// Store keeps the answers, such as rediscache's for a fleet; nil is this process's memory.
	Store Store

	// MayInvalidate says whether the request's caller may replace an answer with Cache-Control:
	// max-age=0: on the managed gateway, whether the caller's policy allows
	// execute-api:InvalidateCache (auth.SigV4.MayInvalidateCache). nil lets nobody, unless Open is
	// set.
	MayInvalidate func(*http.Request) bool
	// Open lets every client do so.
	Open bool
	// Unauthorized is what a client gets that may not, and asks for it.
	Unauthorized gatekit.CacheControlStrategy

	// TagHeader is the response header in which the backend tags its answer ("Cache-Tag": names
	// separated by commas or blanks, 64 at most of 256 bytes). It isn't sent to clients. Empty: no
	// tags.
	TagHeader string
	// CacheStatus adds the header Cache-Status (RFC 9211) to answers.
	CacheStatus bool
	// RefreshTimeout bounds the making of a new answer in the background, where stale ones are
	// served; 0 is 30 seconds.
	RefreshTimeout time.Duration
	// Logger gets what goes wrong with the store, or in the background. nil means slog.Default().
	Logger *slog.Logger
}

// Off is [gatekit.Off]: it says of a [Route.TTL] that no answer is kept.
const Off = gatekit.Off

// Route is how the answers of a route are kept.
type Route struct {
	_ struct{} // keyed literals only, so that fields can be added

	// TTL is how long they are kept: 0 is 300 seconds, Off not at all, at most one hour.
	TTL time.Duration
	// StaleWhileRevalidate is how much longer they are served after that, while one request, in the
	// background, asks for a new one. At most one hour; 0 is not at all.
	StaleWhileRevalidate time.Duration
	// Methods are those whose answers are kept; nil is GET.
	Methods []string
	// Key lists what of the request is part of the key, as "method.request.header.X-Tenant",
	// "method.request.querystring.page", "method.request.path.id". nil is the whole path and query.
	Key []string
	// Namespace takes the resource's place in the key, so that resources can share answers. Empty
	// is the resource's path.
	Namespace string
	// Public answers are the same for every caller.
	Public bool
}

const (
	defaultTTL            = 300 * time.Second
	maxStale              = time.Hour
	defaultMaxBody        = 1 << 20
	defaultMaxBytes       = 64 << 20
	defaultRefreshTimeout = 30 * time.Second
	maxKeyParameters      = 64
)

// check adds every mistake in c to m.
func (c *Config) check(m *mistakes.Mistakes) {
	c.Route.check(m)
	mistakes.Range(m, "MaxBodyBytes", c.MaxBodyBytes, 0, 1<<30)
	mistakes.AtLeast(m, "MaxBytes", c.MaxBytes, 0)
	m.Require(c.Unauthorized <= gatekit.FailWith403,
		"Unauthorized", "want one of its constants, got %d", c.Unauthorized)
	m.Require(!c.Open || c.MayInvalidate == nil, "Open", "want Open or MayInvalidate, got both")
	m.Require(c.TagHeader == "" || httpword.IsToken(c.TagHeader),
		"TagHeader", "want the name of a header, got %q", c.TagHeader)
	mistakes.AtLeast(m, "RefreshTimeout", c.RefreshTimeout, 0)
}

func (r *Route) check(m *mistakes.Mistakes) {
	m.Require(r.TTL == Off || r.TTL >= 0 && r.TTL <= gatekit.MaxCacheTTL,
		"TTL", "want 0 to %v, or Off, got %v", gatekit.MaxCacheTTL, r.TTL)
	mistakes.Range(m, "StaleWhileRevalidate", r.StaleWhileRevalidate, 0, maxStale)
	for _, method := range r.Methods {
		m.Require(method != "" && strings.Trim(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "",
			"Methods", "want methods such as GET, got %q", method)
	}
	m.Require(len(r.Key) <= maxKeyParameters, "Key", "want at most %d, got %d", maxKeyParameters, len(r.Key))
	for _, p := range r.Key {
		if _, err := parameters.Parse(p); err != nil {
			m.Add("Key", "%w", err)
		}
	}
}

// checkRoute refuses to take a path parameter into the key that the route doesn't have: all of its
// paths would share one answer.
func (u *rule) checkRoute(routeKey string) error {
	key, err := routetree.ParseKey(routeKey)
	if err != nil {
		return err
	}
	for _, p := range u.key {
		if p.Kind == selector.PathVariable && !slices.Contains(key.Variables(), p.Name) {
			return fmt.Errorf(`cache: Route.Key: want a path variable of the route, got "method.request.path.%s"`, p.Name)
		}
	}
	return nil
}

// rule is a Route that has been checked.
type rule struct {
	ttl, stale time.Duration
	methods    []string
	wholeURL   bool
	key        []selector.Selector
	namespace  string
	public     bool
	// authorizationKeyed and cookieKeyed say that Key lists the header.
	authorizationKeyed, cookieKeyed bool
}

func newRule(r Route) *rule {
	out := &rule{
		ttl: max(cmp.Or(r.TTL, defaultTTL), 0), stale: r.StaleWhileRevalidate, // Off is negative
		methods: slices.Clone(r.Methods), wholeURL: r.Key == nil, namespace: r.Namespace, public: r.Public,
	}
	if r.Methods == nil {
		out.methods = []string{http.MethodGet}
	}
	for _, p := range r.Key {
		parsed, _ := parameters.Parse(p) // has been checked
		out.key = append(out.key, parsed)
		if parsed.Kind == selector.Header {
			out.authorizationKeyed = out.authorizationKeyed || parsed.Name == "Authorization"
			out.cookieKeyed = out.cookieKeyed || parsed.Name == "Cookie"
		}
	}
	return out
}
