package gatekit_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/requestpath"
)

// station is a middleware that is a function.
func station(f func(w http.ResponseWriter, r *http.Request, next http.Handler)) gatekit.Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f(w, r, next) })
	}
}

var forbidden = &gatekit.Rejection{Type: gatekit.AccessDenied, Cause: errors.New("because")}

type reports struct {
	mu   sync.Mutex
	list []*gatekit.Rejection
}

func (l *reports) add(_ *http.Request, why *gatekit.Rejection) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, why)
}

// A rule that meddles with all that it can reach, and then refuses, leaves no trace.
func TestShadowGoesOnAsTheRequestCame(t *testing.T) {
	var got reports
	var caller gatekit.RequestContext
	fill(reflect.ValueOf(&caller).Elem())
	meddle := station(func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		body, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		require.Equal(t, "the body", string(body))
		require.NoError(t, r.Body.Close())
		rc, r := gatekit.Attach(r)
		to, from := reflect.ValueOf(rc).Elem(), reflect.ValueOf(&caller).Elem()
		for i := range to.NumField() {
			if to.Type().Field(i).IsExported() {
				to.Field(i).Set(from.Field(i))
			}
		}
		rc.SetIntegration(gatekit.Integration{Status: 200})
		rc.SetResponder(func(http.ResponseWriter, *http.Request, *gatekit.Rejection) {
			t.Error("the rule's responder was asked")
		})
		r.Header.Set("X-Own", "changed")
		r.Header.Set("X-New", "x")
		r.URL.Path = "/other"
		r.Method = "PUT"
		r.SetPathValue("id", "8")
		_ = r.ParseForm()
		w.Header().Set("X-Before", "changed")
		w.Header().Set("X-Rule", "x")
		w.Header().Add("Vary", "Cookie")
		gatekit.Reject(w, r, forbidden)
		gatekit.Reject(w, r, errors.New("a second one isn't reported"))
	})
	served := 0
	h := gatekit.Chain(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served++
		rc := gatekit.From(r.Context())
		require.Nil(t, rc.Rejection())
		require.Nil(t, rc.Integration())
		require.Empty(t, rc.RouteKey())
		require.Nil(t, rc.Authorization)
		require.Nil(t, rc.Charge)
		require.Equal(t, &gatekit.API{Stage: "prod"}, rc.API)
		require.Equal(t, "outside", rc.BasePath())
		key, _ := rc.FoundAPIKey()
		require.Empty(t, key)
		body, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		require.Equal(t, "the body", string(body))
		require.Equal(t, []string{"own"}, r.Header["X-Own"])
		require.NotContains(t, r.Header, "X-New")
		require.Equal(t, "POST /a", r.Method+" "+r.URL.Path)
		require.Equal(t, "7", r.PathValue("id"))
		require.Nil(t, r.Form)
		_, _ = io.WriteString(w, "served")
	}), station(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		rc, r := gatekit.Attach(r)
		rc.API = &gatekit.API{Stage: "prod"}
		rc.SetDomain(&gatekit.Domain{BasePath: "outside"})
		r.SetPathValue("id", "7")
		w.Header().Set("X-Before", "set")
		w.Header().Add("Vary", "Origin")
		next.ServeHTTP(w, r)
	}), gatekit.Shadow(meddle, got.add))

	r := httptest.NewRequest("POST", "/a?x=1", strings.NewReader("the body"))
	r.Header.Set("X-Own", "own")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	require.Equal(t, 1, served)
	require.Equal(t, 200, w.Code)
	require.Equal(t, "served", w.Body.String())
	require.Equal(t, http.Header{"X-Before": {"set"}, "Vary": {"Origin"}, "Content-Type": {"text/plain; charset=utf-8"}}, w.Result().Header)
	require.Equal(t, []*gatekit.Rejection{forbidden}, got.list)
}

// fill sets every exported field to something.
func fill(v reflect.Value) {
	for i := range v.NumField() {
		if !v.Type().Field(i).IsExported() {
			continue
		}
		switch f := v.Field(i); {
		case f.Kind() == reflect.Bool:
			f.SetBool(true)
		case f.Kind() == reflect.String:
			f.SetString("rule")
		case f.Type() == reflect.TypeFor[map[string]string]():
			f.Set(reflect.ValueOf(map[string]string{"rule": "rule"}))
		case f.Type() == reflect.TypeFor[time.Time]():
			f.Set(reflect.ValueOf(time.Unix(1, 0)))
		case f.Type() == reflect.TypeFor[*gatekit.Authorization]():
			f.Set(reflect.ValueOf(gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: "rule"})))
		case f.Type() == reflect.TypeFor[*gatekit.StageSettings]():
			f.Set(reflect.ValueOf(&gatekit.StageSettings{}))
		case f.Type() == reflect.TypeFor[gatekit.Charge]():
			f.Set(reflect.ValueOf(free{}))
		case f.Type() == reflect.TypeFor[*gatekit.API]():
			f.Set(reflect.ValueOf(&gatekit.API{Stage: "rule"}))
		case f.Type() == reflect.TypeFor[*gatekit.Route]():
			f.Set(reflect.ValueOf(&gatekit.Route{Key: "rule"}))
		case f.Type() == reflect.TypeFor[*gatekit.Connection]():
			f.Set(reflect.ValueOf(&gatekit.Connection{ID: "rule"}))
		case f.Type() == reflect.TypeFor[[]string]():
			f.Set(reflect.ValueOf([]string{"x"}))
		case f.Type() == reflect.TypeFor[gatekit.Path]():
			f.Set(reflect.ValueOf(requestpath.New("rule", &url.URL{Path: "rule"})))
		case f.Kind() == reflect.Struct:
			fill(f)
		}
	}
}

type free struct{}

func (free) Reserved() int64                     { return 0 }
func (free) Settle(context.Context, int64) error { return nil }

// Every exported field of a RequestContext is among those that are undone.
func TestShadowUndoesEveryField(t *testing.T) {
	var filled gatekit.RequestContext
	fill(reflect.ValueOf(&filled).Elem())
	v := reflect.ValueOf(&filled).Elem()
	h := gatekit.Shadow(station(func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		rc := reflect.ValueOf(gatekit.From(r.Context())).Elem()
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				require.False(t, v.Field(i).IsZero(), "fill leaves %s out", v.Type().Field(i).Name)
				rc.Field(i).Set(v.Field(i))
			}
		}
		gatekit.Reject(w, r, forbidden)
	}), func(*http.Request, *gatekit.Rejection) {})(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		rc := reflect.ValueOf(gatekit.From(r.Context())).Elem()
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				require.NotEqual(t, v.Field(i).Interface(), rc.Field(i).Interface(), v.Type().Field(i).Name)
			}
		}
	}))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
}

// What a rule admits goes on as the rule made it, and what refuses behind it answers.
func TestShadowOfAnAdmittingRule(t *testing.T) {
	var got reports
	admit := station(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		rc, r := gatekit.Attach(r)
		rc.Authorization = gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: "ann"})
		w.Header().Set("X-Rule", "x")
		next.ServeHTTP(w, r)
	})
	h := gatekit.Shadow(admit, got.add)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		require.Equal(t, "ann", gatekit.From(r.Context()).Authorization.Principal())
		body, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		require.Equal(t, "the body", string(body))
		require.NoError(t, r.Body.Close())
		gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.Throttled})
		require.Equal(t, gatekit.Throttled, gatekit.From(r.Context()).Rejection().Type)
	}))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("POST", "/", strings.NewReader("the body")))
	require.Equal(t, http.StatusTooManyRequests, w.Code)
	require.Equal(t, "x", w.Header().Get("X-Rule"))
	require.Empty(t, got.list)
}

// An answer that isn't a refusal stands.
func TestShadowOfARuleThatAnswers(t *testing.T) {
	h := gatekit.Shadow(station(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { w.WriteHeader(204) }), unreported(t))(unreached(t))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("OPTIONS", "/", nil))
	require.Equal(t, 204, w.Code)
}

func unreported(t *testing.T) func(*http.Request, *gatekit.Rejection) {
	return func(*http.Request, *gatekit.Rejection) { t.Error("reported") }
}

func unreached(t *testing.T) http.Handler {
	return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the handler was called") })
}

// A rule that refuses once the request went on, or lets go on what it has refused, is reported
// once, and the handler runs once.
func TestShadowOfAnOddRule(t *testing.T) {
	for name, odd := range map[string]gatekit.Middleware{
		"refuses-late": station(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			next.ServeHTTP(w, r)
			gatekit.Reject(w, r, forbidden)
		}),
		"refuses-and-goes-on": station(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			gatekit.Reject(w, r, forbidden)
			next.ServeHTTP(w, r)
		}),
	} {
		t.Run(name, func(t *testing.T) {
			var got reports
			served := 0
			h := gatekit.Shadow(odd, got.add)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { served++; _, _ = io.WriteString(w, "ok") }))
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
			require.Equal(t, 1, served)
			require.Equal(t, "ok", w.Body.String())
			require.Equal(t, []*gatekit.Rejection{forbidden}, got.list)
		})
	}
}

// Each Shadow reports its own rule, in whatever way they are put together.
func TestShadowsWithinShadows(t *testing.T) {
	refuse := station(func(w http.ResponseWriter, r *http.Request, _ http.Handler) { gatekit.Reject(w, r, forbidden) })
	pass := station(func(w http.ResponseWriter, r *http.Request, next http.Handler) { next.ServeHTTP(w, r) })
	ok := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "ok") })
	for name, tt := range map[string]struct {
		build        func(outer, inner func(*http.Request, *gatekit.Rejection)) http.Handler
		outer, inner int
		code         int
	}{
		"inner-refuses": {func(outer, inner func(*http.Request, *gatekit.Rejection)) http.Handler {
			return gatekit.Shadow(func(next http.Handler) http.Handler { return pass(gatekit.Shadow(refuse, inner)(next)) }, outer)(ok)
		}, 0, 1, 200},
		"outer-refuses-behind-the-inner": {func(outer, inner func(*http.Request, *gatekit.Rejection)) http.Handler {
			return gatekit.Shadow(func(next http.Handler) http.Handler { return gatekit.Shadow(pass, inner)(refuse(next)) }, outer)(ok)
		}, 1, 0, 200},
		"both-in-a-row": {func(outer, inner func(*http.Request, *gatekit.Rejection)) http.Handler {
			return gatekit.Chain(ok, gatekit.Shadow(refuse, outer), gatekit.Shadow(refuse, inner))
		}, 1, 1, 200},
		"a-real-rule-behind": {func(outer, inner func(*http.Request, *gatekit.Rejection)) http.Handler {
			return gatekit.Chain(ok, gatekit.Shadow(refuse, outer), gatekit.Shadow(pass, inner), refuse)
		}, 1, 0, 403},
	} {
		t.Run(name, func(t *testing.T) {
			var outer, inner reports
			w := httptest.NewRecorder()
			tt.build(outer.add, inner.add).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
			require.Equal(t, tt.code, w.Code)
			require.Len(t, outer.list, tt.outer, "outer")
			require.Len(t, inner.list, tt.inner, "inner")
		})
	}
}

// A rule on trial that reads without end is stopped, and the body is whole for the handler.
func TestShadowBoundsTheBodyItKeeps(t *testing.T) {
	const size = 11 << 20
	h := gatekit.Shadow(station(func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		n, err := io.Copy(io.Discard, r.Body)
		require.ErrorContains(t, err, "10 MiB")
		require.EqualValues(t, 10<<20, n)
		gatekit.Reject(w, r, err)
	}), func(*http.Request, *gatekit.Rejection) {})(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		require.True(t, bytes.Equal(bytes.Repeat([]byte{'x'}, size), body))
	}))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/", bytes.NewReader(bytes.Repeat([]byte{'x'}, size))))
}

// http.TimeoutHandler within the rule runs the rest in a goroutine that may outlive the request.
// (For the race detector.)
func TestShadowOfATimeout(t *testing.T) {
	late := make(chan struct{})
	var ended sync.WaitGroup
	ended.Add(1)
	h := gatekit.Shadow(func(next http.Handler) http.Handler { return http.TimeoutHandler(next, time.Millisecond, "late") }, unreported(t))(
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer ended.Done()
			<-late
			gatekit.Reject(w, r, forbidden)
		}))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("POST", "/", strings.NewReader("x")))
	close(late)
	ended.Wait()
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
}

func TestShadowCanBeWalked(t *testing.T) {
	h := gatekit.Shadow(func(next http.Handler) http.Handler { return next }, unreported(t))(http.NotFoundHandler())
	var kinds []string
	for s, ok := h.(gatekit.Station); ok; s, ok = h.(gatekit.Station) {
		var kind string
		kind, h = s.Station()
		kinds = append(kinds, kind)
	}
	require.Equal(t, []string{"shadow", "admitted"}, kinds)
}

func TestShadowWantsARuleAndAReport(t *testing.T) {
	require.Panics(t, func() { gatekit.Shadow(nil, unreported(t)) })
	require.Panics(t, func() { gatekit.Shadow(func(h http.Handler) http.Handler { return h }, nil) })
}

// A panic goes through a rule on trial, and whoever catches it can still refuse the request.
func TestShadowLetsPanicsThrough(t *testing.T) {
	panics := func(http.ResponseWriter, *http.Request) { panic("broken") }
	admits := func(next http.Handler) http.Handler { return next }
	for name, h := range map[string]http.Handler{
		"rule":           gatekit.Shadow(func(http.Handler) http.Handler { return http.HandlerFunc(panics) }, unreported(t))(unreached(t)),
		"handler":        gatekit.Shadow(admits, unreported(t))(http.HandlerFunc(panics)),
		"within-another": gatekit.Shadow(gatekit.Shadow(admits, unreported(t)), unreported(t))(http.HandlerFunc(panics)),
	} {
		t.Run(name, func(t *testing.T) {
			recovers := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, r = gatekit.Attach(r)
				defer func() {
					require.Equal(t, "broken", recover())
					gatekit.Reject(w, r, nil)
				}()
				h.ServeHTTP(w, r)
			})
			w := httptest.NewRecorder()
			recovers.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
			require.Equal(t, 500, w.Code)
		})
	}
}
