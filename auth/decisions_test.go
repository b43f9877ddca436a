package auth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/policy"
)

// status serves a request for a path with a token.
func status(mw gatekit.Middleware, path, token string) int {
	return serve(mw, request("GET", path, token)).Code
}

// TestDecisionsKeepPolicies: what is kept is the policy, evaluated for each request.
func TestDecisionsKeepPolicies(t *testing.T) {
	one, all := statement("Allow", testARN+"GET/1"), statement("Allow", testARN+"*")
	for name, tt := range map[string]struct {
		answer   string
		on1, on2 int
	}{
		"allow one": {policyAnswer(one), 200, 403}, "allow all": {policyAnswer(all), 200, 200}, "deny one": {policyAnswer(all, statement("Deny", testARN+"GET/2")), 200, 403},
		"deny first": {policyAnswer(statement("Deny", testARN+"GET/2"), all), 200, 403}, "not action": {policyAnswer(`{"Effect":"Allow","NotAction":"s3:*","Resource":"*"}`), 200, 200},
		"not resource": {policyAnswer(`{"Effect":"Allow","Action":"*","NotResource":"` + testARN + `GET/2"}`), 200, 403}, "one statement": {strings.NewReplacer("[", "", "]", "").Replace(policyAnswer(all)), 200, 200},
		"other api": {policyAnswer(statement("Allow", "arn:aws:execute-api:us-east-1:111122223333:other/*")), 403, 403}, "other stage": {policyAnswer(statement("Allow", "arn:aws:execute-api:us-east-1:111122223333:abc123/test/*")), 403, 403},
		"other account": {policyAnswer(statement("Allow", "arn:aws:execute-api:us-east-1:444455556666:abc123/*")), 403, 403},
		"condition":     {policyAnswer(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}}`), 200, 200},
	} {
		f := &answering{text: tt.answer}
		l := newLambda(t, f, auth.LambdaConfig{})
		mw := behind(t, testAPI, l)
		for range 2 {
			require.Equal(t, tt.on1, status(mw, "/1", "t"), name)
			require.Equal(t, tt.on2, status(mw, "/2", "t"), name)
		}
		require.EqualValues(t, 1, f.calls.Load(), name)
		require.Equal(t, auth.CacheStats{Hits: 3, Misses: 1, Entries: 1}, l.Stats())
	}
}

func TestDecisionsExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &answering{text: allowAll}
		mw := behind(t, testAPI, newLambda(t, f, auth.LambdaConfig{}))
		require.Equal(t, 200, status(mw, "/", "t"))
		time.Sleep(5*time.Minute - time.Nanosecond)
		require.Equal(t, 200, status(mw, "/", "t"))
		require.EqualValues(t, 1, f.calls.Load())
		time.Sleep(time.Nanosecond)
		require.Equal(t, 200, status(mw, "/", "t"))
		require.EqualValues(t, 2, f.calls.Load(), "five minutes if nothing is said")

		off := newLambda(t, f, auth.LambdaConfig{CacheConfig: auth.CacheConfig{TTL: auth.Off, IdentitySource: []string{"$request.header.Authorization"}}})
		for range 2 {
			require.Equal(t, 200, status(behind(t, testAPI, off), "/", "t"))
		}
		require.EqualValues(t, 4, f.calls.Load())
		require.Zero(t, off.Stats().Entries)

		refusing := &answering{text: policyAnswer(statement("Allow", testARN+"GET/1"))}
		mw = behind(t, testAPI, newLambda(t, refusing, auth.LambdaConfig{CacheConfig: auth.CacheConfig{TTL: time.Minute, NegativeTTL: time.Second}}))
		require.Equal(t, 403, status(mw, "/2", "t"))
		require.Equal(t, 403, status(mw, "/2", "t"))
		require.EqualValues(t, 1, refusing.calls.Load())
		time.Sleep(time.Second)
		require.Equal(t, 200, status(mw, "/1", "t"))
		time.Sleep(time.Second)
		require.Equal(t, 403, status(mw, "/2", "t"))
		require.EqualValues(t, 2, refusing.calls.Load(), "made for a request that it allows, it is kept for its TTL")

		never := newLambda(t, refusing, auth.LambdaConfig{CacheConfig: auth.CacheConfig{NegativeTTL: auth.Off}})
		for range 2 {
			require.Equal(t, 403, status(behind(t, testAPI, never), "/2", "t"))
		}
		require.EqualValues(t, 4, refusing.calls.Load())
	})
}

// TestDecisionsStale: faults may be bridged by what was known before, refusals may not.
func TestDecisionsStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &answering{text: allowAll}
		l := newLambda(t, f, auth.LambdaConfig{CacheConfig: auth.CacheConfig{TTL: time.Minute, StaleIfError: time.Hour}})
		mw := behind(t, testAPI, l)
		require.Equal(t, 200, status(mw, "/", "t"))
		f.text = "error:broken"
		time.Sleep(time.Hour)
		require.Equal(t, 200, status(mw, "/", "t"))
		require.EqualValues(t, 1, l.Stats().Stale)
		require.Equal(t, 500, status(mw, "/", "unknown"))
		f.text = "error:Unauthorized"
		require.Equal(t, 401, status(mw, "/", "t"))
		f.text = "error:broken"
		time.Sleep(time.Minute)
		require.Equal(t, 500, status(mw, "/", "t"))
	})
}

// TestDecisionKeys: nothing that differs shares a decision.
func TestDecisionKeys(t *testing.T) {
	f := &answering{text: allowAll}
	two := newLambda(t, f, auth.LambdaConfig{CacheConfig: auth.CacheConfig{IdentitySource: []string{"$request.header.A", "$request.header.B"}}})
	send := func(l *auth.Lambda, api gatekit.API, a, b string) {
		r := request("GET", "/", "")
		r.Header["A"], r.Header["B"] = []string{a}, []string{b}
		require.Equal(t, 200, serve(behind(t, api, l), r).Code)
	}
	stage, api, flavor := testAPI, testAPI, testAPI
	stage.Stage, api.APIID, flavor.Flavor = "test", "other", gatekit.REST
	different := []func(){
		func() { send(two, testAPI, "a,b", "c") }, func() { send(two, testAPI, "a", "b,c") }, func() { send(two, testAPI, "c", "a,b") }, func() { send(two, testAPI, "A,b", "c") },
		func() { send(two, stage, "a,b", "c") }, func() { send(two, api, "a,b", "c") }, func() { send(two, flavor, "a,b", "c") },
		func() {
			send(newLambda(t, f, auth.LambdaConfig{CacheConfig: auth.CacheConfig{IdentitySource: []string{"$request.header.A", "$request.header.B"}}}), testAPI, "a,b", "c")
		},
	}
	for i, ask := range different {
		ask()
		require.EqualValues(t, i+1, f.calls.Load())
	}
	for _, ask := range different[:7] {
		ask()
	}
	require.EqualValues(t, len(different), f.calls.Load())
}

// TestDecisionsCoalesce: one call for a hundred first requests; who leaves doesn't take the others along.
func TestDecisionsCoalesce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &answering{text: allowAll}
		f.during(func(ctx context.Context) {
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
			}
		})
		l := newLambda(t, f, auth.LambdaConfig{})
		mw := behind(t, testAPI, l)
		leaver, leave := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { serve(mw, request("GET", "/", "t").WithContext(leaver)) })
		synctest.Wait()
		for range 99 {
			wg.Go(func() {
				if got := status(mw, "/", "t"); got != 200 {
					t.Errorf("got %d", got)
				}
			})
		}
		synctest.Wait()
		leave()
		wg.Wait()
		require.EqualValues(t, 1, f.calls.Load())
		s := l.Stats()
		require.Equal(t, uint64(1), s.Misses)
		require.Equal(t, uint64(99), s.Coalesced)

		leaver, leave = context.WithCancel(t.Context())
		ended := make(chan error, 1)
		f.during(func(ctx context.Context) { <-ctx.Done(); ended <- ctx.Err() })
		wg.Go(func() { serve(mw, request("GET", "/", "alone").WithContext(leaver)) })
		synctest.Wait()
		leave()
		require.ErrorIs(t, <-ended, context.Canceled, "a call that nobody waits for is ended")
		wg.Wait()
		f.during(nil)
		require.Equal(t, 200, status(mw, "/", "alone"))
	})
}

// However the first requests lie to the end of the first call, there is one.
func TestDecisionsCoalesceQuickCalls(t *testing.T) {
	for range 200 {
		f := &answering{text: allowAll}
		mw := behind(t, testAPI, newLambda(t, f, auth.LambdaConfig{}))
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() { serve(mw, request("GET", "/", "t")) })
		}
		wg.Wait()
		require.EqualValues(t, 1, f.calls.Load())
	}
}

// A decision that was invalidated isn't brought back by a call that then fails.
func TestDecisionsStaleAfterInvalidate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &answering{text: allowAll}
		l := newLambda(t, f, auth.LambdaConfig{CacheConfig: auth.CacheConfig{TTL: time.Minute, StaleIfError: time.Hour}})
		mw := behind(t, testAPI, l)
		require.Equal(t, 200, status(mw, "/", "t"))
		time.Sleep(time.Minute)
		f.text = "error:broken"
		f.during(func(context.Context) { l.Invalidate("u7") })
		require.Equal(t, 500, status(mw, "/", "t"))
	})
}

func TestDecisionsTimeOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		f := &answering{text: allowAll}
		f.during(func(context.Context) { <-release }) // it doesn't heed its context
		mw := behind(t, testAPI, newLambda(t, f, auth.LambdaConfig{}))
		start := time.Now()
		require.Equal(t, 500, status(mw, "/", "t"))
		require.Equal(t, 10*time.Second, time.Since(start))
		f.during(nil)
		require.Equal(t, 200, status(mw, "/", "t"), "the next one doesn't wait for it")
		close(release)
		synctest.Wait()
		f.during(func(context.Context) { panic("secret") })
		w := serve(mw, request("GET", "/", "u"))
		require.Equal(t, "500 "+internalHTTP, fmt.Sprint(w.Code, " ", w.Body))
	})
}

func TestDecisionsForget(t *testing.T) {
	f := &answering{text: allowAll}
	l := newLambda(t, f, auth.LambdaConfig{CacheConfig: auth.CacheConfig{MaxEntries: 100}})
	mw := behind(t, testAPI, l)
	for i := range 1000 {
		require.Equal(t, 200, status(mw, "/", fmt.Sprint("t", i)))
	}
	s := l.Stats()
	require.LessOrEqual(t, s.Entries, 100)
	require.EqualValues(t, 1000, s.Misses)
	require.EqualValues(t, 1000-s.Entries, s.Evicted)
	require.Equal(t, 200, status(mw, "/", "t999"))
	require.Zero(t, l.Invalidate("nobody"))
	require.Equal(t, s.Entries, l.Invalidate("u7"))
	require.Equal(t, 200, status(mw, "/", "t999"))
	require.EqualValues(t, 1001, f.calls.Load())
	l.Flush()
	require.Zero(t, l.Stats().Entries)

	f.during(func(context.Context) { l.Invalidate("u7") }) // while the call is under way
	require.Equal(t, 200, status(mw, "/", "late"))
	require.Zero(t, l.Stats().Entries)
	f.during(func(context.Context) { l.Flush() })
	require.Equal(t, 200, status(mw, "/", "late"))
	require.Zero(t, l.Stats().Entries)
}

// TestLambdaPaths: decision and routing see one path.
func TestLambdaPaths(t *testing.T) {
	f := &answering{text: policyAnswer(statement("Allow", testARN+"GET/public/*"), statement("Deny", testARN+"GET/public/admin"))}
	for path, want := range map[string]int{
		"/public/x": 200, "/public/x?y": 200, "/public/a:b": 200, "/public/*": 200, "/public/%3F": 200, "/public/../admin": 400, "/public/%2e%2e/admin": 400, "/public%2Fx": 403,
		"//admin": 403, "/PUBLIC/x": 403, "/public/admin": 403, "/public/%61dmin": 403, "/public/x%00": 400, "/public/x%5cy": 400, "/public": 403,
	} {
		l := newLambda(t, f, auth.LambdaConfig{})
		r := request("GET", "/", "t")
		require.NoError(t, setPath(r, path))
		require.Equal(t, want, serve(behind(t, testAPI, l), r).Code, path)
	}
	rest := newLambda(t, f, auth.LambdaConfig{})
	require.Equal(t, 403, status(behind(t, flavored(gatekit.REST), rest), "/public/admin/", "t"), "a REST API's routes don't tell the slash, so no policy may")
	prefix := len(testARN + "GET/")
	l := newLambda(t, &answering{text: allowAll}, auth.LambdaConfig{})
	require.Equal(t, 200, status(behind(t, testAPI, l), "/"+strings.Repeat("x", 1600-prefix), "t"))
	w := serve(behind(t, flavored(gatekit.REST), l), request("GET", "/"+strings.Repeat("x", 1601-prefix), "t"))
	require.Equal(t, `414 {"message":"Request URI too long"}`, fmt.Sprint(w.Code, " ", w.Body))
	forged := request("GET", "/public/x", "")
	forged.Header.Set("Requestcontext", "{}")
	forged.Header.Set("X-Amzn-Request-Context", "{}")
	require.Equal(t, 401, serve(behind(t, testAPI, l), forged).Code)
}

func setPath(r *http.Request, target string) error {
	u, err := url.ParseRequestURI(target)
	if err == nil {
		r.URL, r.RequestURI = u, target
	}
	return err
}

// TestWebSocketAuthorizer refuses an upgrade before it happens.
func TestWebSocketAuthorizer(t *testing.T) {
	ws := flavored(gatekit.WebSocket)
	for answer, want := range map[string]int{allowAll: 200, policyAnswer(statement("Allow", testARN+"$connect")): 200, policyAnswer(statement("Deny", "*")): 403, "error:Unauthorized": 401, "error:x": 500} {
		l := newLambda(t, &answering{text: answer}, auth.LambdaConfig{CacheConfig: auth.CacheConfig{IdentitySource: []string{"route.request.querystring.token"}}})
		r := request("GET", "/?token=x", "")
		r.Header.Set("Upgrade", "websocket")
		rc, r := gatekit.Attach(r)
		rc.Route = &gatekit.Route{Key: "$connect"}
		require.Equal(t, want, serve(behind(t, ws, l), r).Code, answer)
	}
}

func TestCustomErrorsAreNotKept(t *testing.T) {
	calls := 0
	c, err := auth.NewCustom(func(*http.Request) (v *verdict, err error) {
		if calls++; calls == 1 {
			return nil, errors.New("broken")
		}
		return &verdict{Principal: "p", Allow: true}, nil
	}, auth.CacheConfig{})
	require.NoError(t, err)
	for _, want := range []int{500, 200, 200} {
		require.Equal(t, want, status(behind(t, testAPI, c), "/", "t"))
	}
	require.Equal(t, 2, calls)
	require.Equal(t, 1, c.Invalidate("p"))
}

// An answer that comes after the time for it was over isn't kept: nobody has been told it.
func TestLateAnswersAreNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := atomic.Int32{}
		c, err := auth.NewCustom(func(*http.Request) (*policy.Verdict, error) {
			calls.Add(1)
			time.Sleep(3 * time.Second) // without a look at the request's context
			return &policy.Verdict{Principal: "u", Allow: true}, nil
		}, auth.CacheConfig{Timeout: 2 * time.Second})
		require.NoError(t, err)
		mw := behind(t, testAPI, c)
		require.Equal(t, 500, status(mw, "/", "t"))
		time.Sleep(time.Minute)
		require.Equal(t, 500, status(mw, "/", "t"))
		require.EqualValues(t, 2, calls.Load())
		time.Sleep(time.Minute)
	})
}
