package auth

import (
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit"
)

// Authorizer decides who is calling and whether they may. It must be safe for concurrent use.
type Authorizer interface {
	// Authorize returns what it learned of the caller, or why it refuses. An error that isn't a
	// *gatekit.Rejection is a fault and becomes a 500; so does a nil Authorization without an
	// error. It leaves r as it was; one that reads the body puts an equal one in its place.
	Authorize(r *http.Request) (*gatekit.Authorization, error)
}

// Scoped is an Authorizer that needs the route's scopes, for its verdict and for its challenge.
type Scoped interface {
	Authorizer
	// WithScopes returns the authorizer of a route that wants at least one of scopes. It replaces
	// scopes given before and leaves its receiver as it was.
	WithScopes(scopes ...string) Authorizer
}

// ErrNoCredentials is what errors.Is finds in an Authorizer's error when the request carries
// nothing that this authorizer could judge: no token at all, or credentials of another scheme.
var ErrNoCredentials = errors.New("auth: no credentials")

// Require returns a middleware that lets those requests in that a admits, and notes what a learned
// in the RequestContext. With scopes, the caller must have at least one of them: a [Scoped]
// authorizer checks that itself, for any other one a caller without is refused with a 403.
// (Developer guide, "Controlling access to HTTP APIs with JWT authorizers", authorization scopes.)
//
// Require panics if a is nil or a scope isn't a scope token (RFC 6749, section 3.3), as both are
// mistakes in the program's own text; [CheckScopes] is for those that come from data.
func Require(a Authorizer, scopes ...string) gatekit.Middleware {
	if isNil(a) {
		panic("auth: Require: want an Authorizer, got nil")
	}
	if len(scopes) > 0 {
		a = withScopes(a, scopes)
	}
	scopes = slices.Clone(scopes)
	_, lean := a.(lean)
	return func(next http.Handler) http.Handler {
		return &required{asked: ask(a), scopes: scopes, lean: lean, next: next}
	}
}

// isNil reports whether a is nil, or holds a nil pointer.
func isNil(a Authorizer) bool {
	v := reflect.ValueOf(a)
	return a == nil || v.Kind() == reflect.Pointer && v.IsNil()
}

// lean authorizers read nothing of the RequestContext that has to be attached for it, so none is
// made only to refuse.
type lean interface{ readsNoContext() }

func (*JWT) readsNoContext()     {}
func (*Cognito) readsNoContext() {}

type required struct {
	asked
	scopes []string
	lean   bool
	next   http.Handler
}

var (
	errNoVerdict = errors.New("auth: the authorizer returned neither an Authorization nor an error")
	errScope     = errors.New("auth: the caller has none of the route's scopes")
)

func (h *required) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !h.lean || len(r.Header["Connection"]) > 0 { // what isn't ours may take a RequestContext for granted
		_, r = gatekit.Attach(r)
	}
	a, err := h.judge("", r)
	if err != nil {
		notesOf(gatekit.From(r.Context()), "", "").unknown(err)
		gatekit.Reject(w, r, err)
		return
	}
	rc, r := gatekit.Attach(r)
	rc.Authorization = a
	rc.SetAuthorizationScopes(&h.scopes)
	h.next.ServeHTTP(w, r)
}

// Station implements [gatekit.Station].
func (h *required) Station() (kind string, next http.Handler) { return "auth", h.next }

// CheckScopes returns nil, or an error for the first scope that [Require] panics for: for scopes
// that come from data.
func CheckScopes(scopes ...string) error {
	for _, s := range scopes {
		ok := s != ""
		for i := range len(s) {
			ok = ok && s[i] > ' ' && s[i] < 0x7f && s[i] != '"' && s[i] != '\\'
		}
		if !ok { // it could match nothing, or would break out of a challenge's quotes
			return errors.New(`auth: scopes: want visible ASCII without blanks, " and \ in each, got ` +
				strings.ToValidUTF8(quoted(s), "?"))
		}
	}
	return nil
}

// checkedScopes returns a copy of scopes, and panics where CheckScopes returns an error.
func checkedScopes(scopes []string) []string {
	if err := CheckScopes(scopes...); err != nil {
		panic(err.Error())
	}
	return append([]string(nil), scopes...)
}

// scopeOf returns the first of scopes that a has, and whether that is enough: it is where the route
// demands none.
func scopeOf(a *gatekit.Authorization, scopes []string) (scope string, ok bool) {
	for _, s := range scopes {
		if a.HasScope(s) {
			return s, true
		}
	}
	return "", len(scopes) == 0
}
