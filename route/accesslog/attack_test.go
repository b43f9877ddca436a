package accesslog_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/accesslog"
)

// evil are values with which a line could be made to say something else.
var evil = []string{
	"\r\n", "\n", "\x00", `"`, `\`, `\"`, `","status":"200","x":"`, "</userAgent><status>200</status>", "a,b,c", `"a","b"`, "\x1b[2J", "\u2028", "\u2029", "\u0085",
	"\xff\xfe", "\xe2\x80", "$context.authorizer.secret", "${jndi:ldap://x}", "%s%n", strings.Repeat("\x00", 100<<10), strings.Repeat("é", 100<<10),
}

// Whatever a value is, a request is one line, which a parser of its format reads, and which has as
// many fields as others.
func TestValuesStayValues(t *testing.T) {
	const variables = 6
	set := func(rc *gatekit.RequestContext, v string) {
		rc.SetUserAgent(v)
		rc.Route = &gatekit.Route{Key: v, OperationName: v}
		rc.SetCaller(&gatekit.IAMCaller{CallerID: v, UserARN: v})
		rc.Authorization = gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: v, Claims: map[string]any{"sub": v}})
	}
	for format, check := range map[string]func(line string) error{
		`{"id":"$context.requestId","ua":"$context.identity.userAgent","bare":$context.routeKey,"p":"a $context.authorizer.principalId b","sub":$context.authorizer.claims.sub}`: func(line string) error {
			var all map[string]string
			err := json.Unmarshal([]byte(strings.ReplaceAll(line, ":null", `:"null"`)), &all)
			if err == nil && len(all) != 5 {
				return fmt.Errorf("%d members", len(all))
			}
			return err
		},
		`<r id="$context.requestId" ua="$context.identity.userAgent"><k>$context.routeKey</k><s>$context.authorizer.claims.sub</s></r>`: func(line string) error {
			var r struct {
				All []struct{} `xml:",any"`
			}
			d := xml.NewDecoder(strings.NewReader(line))
			err := d.Decode(&r)
			if err == nil && len(r.All) != 2 {
				return fmt.Errorf("%d elements", len(r.All))
			}
			return err
		},
		`$context.requestId,$context.identity.userAgent,$context.routeKey, $context.identity.caller,$context.authorizer.principalId,$context.authorizer.claims.sub`: func(line string) error {
			r := csv.NewReader(strings.NewReader(line))
			r.TrimLeadingSpace = true
			fields, err := r.Read()
			if err == nil && len(fields) != variables {
				return fmt.Errorf("%d fields", len(fields))
			}
			return err
		},
		`$context.requestId "$context.identity.userAgent" "$context.routeKey" "$context.operationName"`: func(line string) error {
			line = strings.NewReplacer(`\\`, "", `\"`, "").Replace(line)
			if strings.Count(line, `"`) != 6 {
				return errors.New("quotes")
			}
			return nil
		},
	} {
		for _, v := range evil {
			for _, unmasked := range [][]string{nil, {"authorizer.claims.*"}} {
				log, kept := logTo(t, accesslog.Config{Format: format, Unmasked: unmasked})
				rc, r := attached("GET", "/")
				set(rc, v)
				log.Middleware(http.HandlerFunc(ok)).ServeHTTP(discarded{}, r)
				require.Len(t, kept.all(), 1, "%.50q", v)
				line := kept.all()[0]
				require.False(t, strings.ContainsAny(line, "\r\x00\x1b"), "%.200q", line)
				require.LessOrEqual(t, len(line), accesslog.MaxLine)
				require.NoError(t, check(line), "%.50q: %.500q", v, line)
			}
		}
	}
}

// A format of nothing but the longest values stays below the bound, and is JSON.
func TestLinesAreBounded(t *testing.T) {
	const one = `"$context.identity.userAgent",`
	format := `{"id":"$context.requestId","all":[` + strings.Repeat(one, (accesslog.MaxFormat-60)/len(one)) + `"end"]}`
	log, kept := logTo(t, accesslog.Config{Format: format})
	rc, r := attached("GET", "/")
	rc.SetUserAgent(strings.Repeat("\x00", 2<<20))
	log.Middleware(http.HandlerFunc(ok)).ServeHTTP(discarded{}, r)
	require.LessOrEqual(t, len(kept.all()[0])+1, accesslog.MaxLine)
	require.True(t, json.Valid([]byte(kept.all()[0])))
	require.True(t, strings.HasSuffix(kept.all()[0], `"end"]}`))
}

// No format shows a key, a token or a claim unless it is told to: with all variables that there are.
func TestSecretsStayInside(t *testing.T) {
	const secret = "s3cr3t-s3cr3t-s3cr3t-s3cr3t-s3cr3t"
	format := everyVariable() + " $context.authorizer.claims.sub $context.authorizer.claims['a:b'] $context.authorizer.tenant $context.authorizer.lambda.tenant"
	var records bytes.Buffer
	log, kept := logTo(t, accesslog.Config{Format: format, Records: slog.New(slog.NewJSONHandler(&records, nil))})
	rc, r := attached("GET", "/?token="+secret)
	rc.API = &gatekit.API{Flavor: gatekit.REST}
	for _, name := range []string{"Authorization", "X-Api-Key", "Cookie", "X-Amz-Security-Token"} {
		r.Header.Set(name, secret)
	}
	rc.SetAPIKey(secret, "key1")
	rc.SetCaller(&gatekit.IAMCaller{AccessKey: secret})
	rc.Authorization = gatekit.NewAuthorization(gatekit.AuthorizationFields{
		Claims: map[string]any{"sub": secret, "a:b": secret}, Context: map[string]any{"tenant": secret}, UsageKey: secret})
	log.Middleware(http.HandlerFunc(ok)).ServeHTTP(discarded{}, r)
	for _, text := range []string{kept.text.String(), records.String()} {
		require.NotContains(t, text, secret[:len(secret)-6])
		require.NotContains(t, text, secret[5:])
		require.Contains(t, text, "key1")
	}
}

// Many requests, a slow writer, a handler that panics now and then: every line is whole, and what
// isn't written is counted.
func TestLinesAreWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to := &batches{}
		to.fail = func(b []byte) (int, error) {
			time.Sleep(time.Millisecond)
			to.all = append(to.all, string(b))
			return len(b), nil
		}
		w := newWriter(t, accesslog.WriterConfig{To: to})
		log, err := accesslog.New(accesslog.Config{Format: fourteen, Writer: w})
		require.NoError(t, err)
		h := log.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/7" {
				panic("a bug")
			}
			ok(w, r)
		}))
		const each = 500
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				for range each {
					func() {
						defer func() { _ = recover() }()
						h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", fmt.Sprintf("/%d", i), nil))
					}()
				}
			})
		}
		all.Wait()
		require.NoError(t, w.Close(t.Context()))
		n := 0
		for line := range strings.Lines(strings.Join(to.seen(), "")) {
			require.True(t, json.Valid([]byte(line)), line)
			n++
		}
		require.EqualValues(t, 8*each, uint64(n)+w.Dropped())
	})
}

// A writer that fails or panics ends no request, and doesn't hide the panic of a handler.
func TestBrokenWriters(t *testing.T) {
	for name, to := range map[string]func([]byte) (int, error){
		"fails":  func([]byte) (int, error) { return 0, io.ErrClosedPipe },
		"panics": func([]byte) (int, error) { panic("a bug in the writer") },
		"lies":   func([]byte) (int, error) { return -5, nil },
		"too":    func(b []byte) (int, error) { return len(b) + 5, nil },
	} {
		t.Run(name, func(t *testing.T) {
			var told bytes.Buffer
			log, err := accesslog.New(accesslog.Config{Format: fourteen, Writer: &batches{fail: to}, Logger: slog.New(slog.NewTextHandler(&told, nil))})
			require.NoError(t, err)
			for range 3 {
				w := httptest.NewRecorder()
				log.Middleware(http.HandlerFunc(ok)).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
				require.Equal(t, "hello", w.Body.String())
			}
			require.LessOrEqual(t, strings.Count(told.String(), "\n"), 1, "once a minute")
			require.Equal(t, name != "too", told.Len() > 0)
			require.PanicsWithValue(t, "the handler's", func() {
				log.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("the handler's") })).
					ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
			})
		})
	}
}

// A handler that outlives its request under http.TimeoutHandler, with stations behind it that still
// work: run with -race.
func TestTimeoutHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, kept := logTo(t, accesslog.Config{Format: everyVariable()})
		var left sync.WaitGroup
		slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer left.Done()
			<-r.Context().Done()
			time.Sleep(time.Second)
			rc := gatekit.From(r.Context())
			rc.SetIntegration(gatekit.Integration{Status: 200})
			rc.Note(gatekit.Note{Phase: gatekit.PhaseWAF})
			gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.IntegrationFailure})
		})
		h := log.Middleware(http.TimeoutHandler(slow, time.Second, "too slow"))
		for range 3 {
			left.Add(1)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
			require.Equal(t, 503, w.Code)
		}
		left.Wait()
		require.Len(t, kept.all(), 3)
	})
}

// A flood of messages of which nobody hears the end leaves no goroutine, and a client that goes
// away has no status.
func TestClientsThatGoAway(t *testing.T) {
	log, kept := logTo(t, accesslog.Config{Format: "$context.requestId $context.status $context.responseLength"})
	gone, leave := context.WithCancel(t.Context())
	h := log.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { leave() }))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(gone, "GET", "/", nil))
	require.Regexp(t, ` - 0$`, kept.all()[0])
	refusing := log.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.Throttled})
	}))
	w := httptest.NewRecorder()
	refusing.ServeHTTP(w, httptest.NewRequestWithContext(gone, "GET", "/", nil))
	require.Zero(t, w.Body.Len(), "nobody reads it")
	require.Regexp(t, ` 429 0$`, kept.all()[1], "what was decided is known")
	late, cancel := context.WithTimeout(t.Context(), -1)
	defer cancel()
	silent := log.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	silent.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(late, "GET", "/", nil))
	require.Regexp(t, ` 200 0$`, kept.all()[2], "a deadline is the server's own, and the client is there")
}

// Huge headers and bodies without a length through a real server.
func TestHostileRequests(t *testing.T) {
	log, kept := logTo(t, accesslog.Config{Format: `{"id":"$context.requestId","ua":"$context.identity.userAgent","path":"$context.path","n":$context.dataProcessed,"s":$context.status}`})
	api, err := route.New(route.Config{})
	require.NoError(t, err)
	api.Use(log.Middleware)
	api.Handle("POST /in", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	srv := httptest.NewServer(api)
	defer srv.Close()
	for _, send := range []struct {
		path, agent string
		body        io.Reader
		want        string
	}{
		{"/in", strings.Repeat("\"", 500<<10), io.MultiReader(strings.NewReader(strings.Repeat("x", 70000))), `"path":"/in","n":70000,"s":200}`},
		{"/in", "a", strings.NewReader("abc"), `"path":"/in","n":3,"s":200}`},
		{"/%22%0d%0a%22", "a", nil, `"path":"/%22%0d%0a%22","n":23,"s":404}`},
	} {
		req, err := http.NewRequestWithContext(t.Context(), "POST", srv.URL+send.path, send.body)
		require.NoError(t, err)
		req.Header.Set("User-Agent", send.agent)
		resp, err := srv.Client().Do(req)
		require.NoError(t, err)
		_ = resp.Body.Close()
		require.Eventually(t, func() bool { return len(kept.all()) > 0 }, 10*time.Second, time.Millisecond)
		line := kept.all()[0]
		require.True(t, json.Valid([]byte(line)))
		require.Truef(t, strings.HasSuffix(line, send.want), "%.500q", line[max(0, len(line)-100):])
		kept.mu.Lock()
		kept.text.Reset()
		kept.mu.Unlock()
	}
}

// What makes a line is lent from a pool, and given back when it is done with: many requests whose
// phases end differently each have their own. Run with -race.
func TestLinesOfManyRequests(t *testing.T) {
	log, kept := logTo(t, accesslog.Config{Format: "$context.requestId $context.identity.userAgent $context.authorize.status"})
	h := log.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		rc := gatekit.From(r.Context())
		status, _ := strconv.Atoi(rc.UserAgent())
		rc.Note(gatekit.Note{Phase: gatekit.PhaseAuthorize, Verdict: gatekit.Refused, Status: status})
	}))
	var all sync.WaitGroup
	const workers, each = 8, 2000
	for g := range workers {
		all.Go(func() {
			for i := range each {
				r := httptest.NewRequest("GET", "/", nil)
				r.Header.Set("User-Agent", strconv.Itoa(1000*(g+1)+i%1000))
				h.ServeHTTP(discarded{}, r)
			}
		})
	}
	all.Wait()
	require.Len(t, kept.all(), workers*each)
	for _, line := range kept.all() {
		fields := strings.Fields(line)
		require.Equal(t, fields[1], fields[2], line)
	}
}

// A body that is still read while the line is written, and a length that nobody can send: run with
// -race.
func TestBodiesThatGoOn(t *testing.T) {
	log, kept := logTo(t, accesslog.Config{Format: "$context.requestId $context.dataProcessed"})
	r := httptest.NewRequest("POST", "/", struct{ io.Reader }{strings.NewReader("")})
	r.ContentLength = math.MaxInt64
	log.Middleware(http.HandlerFunc(ok)).ServeHTTP(httptest.NewRecorder(), r)
	require.Regexp(t, " 5$", kept.all()[0], "of the answer")

	reading, in := io.Pipe()
	var left sync.WaitGroup
	left.Add(1)
	h := log.Middleware(http.TimeoutHandler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		defer left.Done()
		_, _ = io.Copy(io.Discard, r.Body)
	}), time.Millisecond, "too slow"))
	left.Go(func() {
		for range 1000 {
			_, _ = in.Write([]byte("x"))
		}
	})
	done := make(chan struct{})
	go func() {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/", reading))
		close(done)
	}()
	<-done
	_ = in.Close()
	left.Wait()
	require.Len(t, kept.all(), 2)
}
