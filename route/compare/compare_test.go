package compare_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/compare"
)

// says answers with a status, headers and a body.
func says(status int, body string, header ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Add(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

// api is a gateway with routes, below a stage.
func api(t *testing.T, routes map[string]http.Handler) http.Handler {
	t.Helper()
	a, err := route.New(route.Config{API: gatekit.API{Flavor: gatekit.REST}})
	require.NoError(t, err)
	for key, h := range routes {
		a.Handle(key, h)
	}
	stages, err := route.NewStages(route.Stage{Name: "prod", API: a})
	require.NoError(t, err)
	return stages
}

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// run compares without a rate that would take time.
func run(t *testing.T, c compare.Config) *compare.Report {
	t.Helper()
	c.Rate = 1000
	r, err := compare.Run(t.Context(), c)
	require.NoError(t, err)
	return r
}

// kinds are the differences of a report in short.
func kinds(r *compare.Report) (all []string) {
	for _, d := range r.Differences {
		all = append(all, fmt.Sprintf("%d %s|%s|%s|%s", d.Count, d.Route, d.What, d.Gateway, d.Remote))
	}
	slices.Sort(all)
	return all
}

func TestTheReport(t *testing.T) {
	here := map[string]http.Handler{
		"GET /same":        says(200, `{"b": 1, "a": [true, null]}`, "Content-Type", "application/json", "X-Request-Id", "1234"),
		"GET /orders/{id}": says(200, `{"price":10,"lines":[{"n":"x"},{"n":"y"}],"note":"paid","only":1}`, "X-Here", "1", "Vary", "Origin"),
		"GET /closed":      says(200, "{}"),
		"GET /text":        says(200, "one two"),
		"GET /cookie":      says(200, "", "Set-Cookie", "s=1234; Path=/; HttpOnly; Expires=Mon, 02 Jan 2006 15:04:05 GMT"),
	}
	there := map[string]http.Handler{
		"GET /same":        says(200, `{"a":[true,null],"b":1}`, "Content-Type", "application/json", "X-Request-Id", "abcd", "Via", "1.1 cdn", "Age", "3"),
		"GET /orders/{id}": says(200, `{"price":10.0,"lines":[{"n":"p"},{"n":"q"}],"note":"due","more":{}}`, "Vary", "Accept"),
		"GET /closed":      says(403, "{}"),
		"GET /text":        says(200, "one three"),
		"GET /cookie":      says(200, "", "Set-Cookie", "s=9876; HttpOnly; Path=/; expires=Tue, 03 Jan 2006 15:04:05 GMT"),
	}
	log := "/prod/same\nGET /prod/orders/7 HTTP/1.1\n/orders/8\n\n/prod/closed\n/prod/text\n/prod/cookie\nPOST /prod/same\n/prod/same\n" +
		`{"httpMethod":"GET","resourcePath":"/orders/{id}"}` + "\n/elsewhere\nnonsense"
	var told []string
	r := run(t, compare.Config{
		Gateway: api(t, here), Remote: serve(t, api(t, there)) + "/prod", Log: strings.NewReader(log), Concurrency: 1,
		Told: func(d compare.Difference) { told = append(told, d.String()) },
	})
	require.Equal(t, []string{
		"line 2: GET /orders/7 (GET /orders/{id}): header Vary: \"Origin\" at the gateway, \"Accept\" at the remote",
		"line 2: GET /orders/7 (GET /orders/{id}): header X-Here: \"1\" at the gateway, (absent) at the remote",
		"line 2: GET /orders/7 (GET /orders/{id}): body .lines[].n: \"x\" at the gateway, \"p\" at the remote",
		"line 2: GET /orders/7 (GET /orders/{id}): body .more: (absent) at the gateway, an object of 0 members at the remote",
		"line 2: GET /orders/7 (GET /orders/{id}): body .note: \"paid\" at the gateway, \"due\" at the remote",
		"line 2: GET /orders/7 (GET /orders/{id}): body .only: 1 at the gateway, (absent) at the remote",
		"line 2: GET /orders/7 (GET /orders/{id}): body .price: 10 at the gateway, 10.0 at the remote",
		"line 5: GET /closed (GET /closed): status: 200 at the gateway, 403 at the remote",
		"line 6: GET /text (GET /text): body: 7 bytes, differing from byte 5 on at the gateway, 9 bytes, differing from byte 5 on at the remote",
	}, told)
	require.Equal(t, `7 requests answered by both, 3 alike, 4 not

COUNT  DIFFERENT        ROUTE             FIRST
2      header Vary      GET /orders/{id}  line 2
2      header X-Here    GET /orders/{id}  line 2
2      body .lines[].n  GET /orders/{id}  line 2
2      body .more       GET /orders/{id}  line 2
2      body .note       GET /orders/{id}  line 2
2      body .only       GET /orders/{id}  line 2
2      body .price      GET /orders/{id}  line 2
1      status 200, 403  GET /closed       line 5
1      body             GET /text         line 6

COUNT  NOT COMPARED                                                              FIRST
1      of another method                                                         line 8
1      asked already                                                             line 9
1      it has the route and not the path: add $context.path to the log's format  line 10
1      no request was found in it                                                line 12
`, r.String())
}

// What a person knows of can be left out, as the report has it.
func TestIgnore(t *testing.T) {
	here := says(200, `{"a":{"b":[{"c":1}]},"ab":1}`, "X-A", "1", "X-Ab", "1")
	there := says(200, `{"a":{"b":[{"c":2}]},"ab":2}`)
	for ignored, want := range map[string][]string{
		"header X-A":     {`1 |header X-Ab|"1"|(absent)`, "1 |body .a.b[].c|1|2", "1 |body .ab|1|2"},
		"body .a":        {`1 |header X-A|"1"|(absent)`, `1 |header X-Ab|"1"|(absent)`, "1 |body .ab|1|2"},
		"body .a.b[].c":  {`1 |header X-A|"1"|(absent)`, `1 |header X-Ab|"1"|(absent)`, "1 |body .ab|1|2"},
		"body .a.b[].c.": {`1 |header X-A|"1"|(absent)`, `1 |header X-Ab|"1"|(absent)`, "1 |body .a.b[].c|1|2", "1 |body .ab|1|2"},
		"header":         {`1 |header X-A|"1"|(absent)`, `1 |header X-Ab|"1"|(absent)`, "1 |body .a.b[].c|1|2", "1 |body .ab|1|2"},
		"body":           {`1 |header X-A|"1"|(absent)`, `1 |header X-Ab|"1"|(absent)`, "1 |body .a.b[].c|1|2", "1 |body .ab|1|2"},
	} {
		r := run(t, compare.Config{Gateway: here, Remote: serve(t, there), Log: strings.NewReader("/"), Ignore: []string{ignored}})
		require.ElementsMatch(t, want, kinds(r), ignored)
	}
}

// Bodies are told apart by value, and by where they differ.
func TestBodies(t *testing.T) {
	for _, tt := range []struct{ here, there, want string }{
		{`{"a":1}`, ` { "a" : 1 } `, ""},
		{`[1,2]`, `[1,2,3]`, "body |2 elements|3 elements"},
		{`[1,{"a":2}]`, `[1,{"a":"2"}]`, `body [].a|2|"2"`},
		{`{"a":null}`, `{}`, "body .a|null|(absent)"},
		{`{"a":[]}`, `{"a":{}}`, "body .a|a list of 0 elements|an object of 0 members"},
		{`{"a":true}`, `{"a":false}`, "body .a|true|false"},
		{`{"a":1} x`, `{"a":1}`, "body|9 bytes, differing from byte 7 on|7 bytes of JSON, differing from byte 7 on"},
		{`{"a":[` + strings.Repeat("1,", 300) + `1],"b":1}`, `{"a":[` + strings.Repeat("2,", 300) + `2],"b":1}`, "body .a[]|1|2"},
		{`{"requestId":"ab-1","time":1}`, `{"requestId":"cd-2","time":1}`, ""},
		{`{"requestId":"ab-1"}`, `{"requestId":"abcd-1"}`, `body .requestId|"xxxx"|"xxxxxx"`},
		{`{"timeEpoch":1700000000000}`, `{"timeEpoch":1700000000001}`, ""},
		{strings.Repeat("[", 200) + strings.Repeat("]", 200), "[]", "body|400 bytes, differing from byte 1 on|2 bytes of JSON, differing from byte 1 on"},
	} {
		r := run(t, compare.Config{Gateway: says(200, tt.here, "Content-Type", "a/b"), Remote: serve(t, says(200, tt.there, "Content-Type", "a/b")), Log: strings.NewReader("/")})
		want := []string(nil)
		if tt.want != "" {
			want = []string{"1 |" + tt.want}
		}
		require.Equal(t, want, kinds(r), "%s and %s", tt.here, tt.there)
	}
}

// A list that differs in each element leaves room for what comes behind it.
func TestLongLists(t *testing.T) {
	list := func(n string) string { return `{"a":[` + strings.Repeat(n+",", 300) + n + `],"b":` + n + `}` }
	r := run(t, compare.Config{Gateway: says(200, list("1")), Remote: serve(t, says(200, list("2"))), Log: strings.NewReader("/")})
	require.Equal(t, []string{"1 |body .a[]|1|2", "1 |body .b|1|2"}, kinds(r))
}

// What is new with each answer is held against its shape.
func TestShapes(t *testing.T) {
	for _, tt := range []struct {
		name, here, there string
		alike             bool
	}{
		{"Date", "Mon, 02 Jan 2006 15:04:05 GMT", "Tue, 03 Jan 2006 15:04:05 GMT", true},
		{"Date", "Mon, 02 Jan 2006 15:04:05 GMT", "yesterday", false},
		{"X-Amzn-Requestid", "01234567-0123-0123-0123-0123456789ab", "fedcba98-0123-0123-0123-0123456789ab", true},
		{"X-Amzn-Requestid", "01234567-0123-0123-0123-0123456789ab", "0123456700123-0123-0123-0123456789ab", false},
		{"Apigw-Requestid", "Abc_1E-roAMEJlg=", "Xbc1E9ro+MEJ/g9=", true},
		{"Apigw-Requestid", "Abc_1E-roAMEJlg=", "Abc_1E-roAMEJlg", false},
		{"X-Amzn-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793", "Root=1-6759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1", true},
		{"Last-Modified", "Mon, 02 Jan 2006 15:04:05 GMT", "Tue, 03 Jan 2006 15:04:05 GMT", false},
		{"Set-Cookie", "a=1; Secure", "b=1; Secure", false},
		{"Set-Cookie", "a=1; Secure", "a=2", false},
	} {
		r := run(t, compare.Config{Gateway: says(200, "", tt.name, tt.here), Remote: serve(t, says(200, "", tt.name, tt.there)), Log: strings.NewReader("/")})
		require.Equal(t, tt.alike, r.Same == 1, "%s: %s and %s", tt.name, tt.here, tt.there)
		require.Equal(t, 1, r.Sent)
	}
}

// Each side is asked by its own host and prefix, with its own credentials.
func TestWhatIsAsked(t *testing.T) {
	asked := func(to *[]string) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			*to = append(*to, fmt.Sprintln(r.Method, r.Host, r.URL.RequestURI(), r.Header))
		})
	}
	var here, there []string
	remote := serve(t, asked(&there))
	run(t, compare.Config{
		Gateway: asked(&here), Remote: remote + "/v1/", Host: "api.example.com", Prefix: "/prod", LogPrefix: "/old", Methods: []string{"GET", "DELETE"},
		Log:    strings.NewReader("/old/a%2Fb?x=%20&y\nDELETE /older\n/old\n{\"httpMethod\":\"GET\",\"resourcePath\":\"/old\"}"),
		Header: http.Header{"authorization": {"both"}, "X-Api-Key": {"k"}}, GatewayHeader: http.Header{"Authorization": {"gateway"}},
		Concurrency: 1,
	})
	require.Equal(t, []string{
		"GET api.example.com /prod/a%2Fb?x=%20&y map[Authorization:[gateway] User-Agent:[gatekit-compare] X-Api-Key:[k]]\n",
		"DELETE api.example.com /prod/older map[Authorization:[gateway] User-Agent:[gatekit-compare] X-Api-Key:[k]]\n",
		"GET api.example.com /prod map[Authorization:[gateway] User-Agent:[gatekit-compare] X-Api-Key:[k]]\n",
		"GET api.example.com /prod/old map[Authorization:[gateway] User-Agent:[gatekit-compare] X-Api-Key:[k]]\n",
	}, here)
	host := strings.TrimPrefix(remote, "http://")
	require.Equal(t, []string{
		"GET " + host + " /v1/a%2Fb?x=%20&y map[Authorization:[both] User-Agent:[gatekit-compare] X-Api-Key:[k]]\n",
		"DELETE " + host + " /v1/older map[Authorization:[both] User-Agent:[gatekit-compare] X-Api-Key:[k]]\n",
		"GET " + host + " /v1 map[Authorization:[both] User-Agent:[gatekit-compare] X-Api-Key:[k]]\n",
		"GET " + host + " /v1/old map[Authorization:[both] User-Agent:[gatekit-compare] X-Api-Key:[k]]\n",
	}, there)
}

func TestOverTLS(t *testing.T) {
	s := httptest.NewTLSServer(says(200, "x"))
	defer s.Close()
	trust := s.Client().Transport.(*http.Transport).TLSClientConfig
	r := run(t, compare.Config{Gateway: says(200, "x"), Remote: s.URL, Log: strings.NewReader("/"), TLS: trust})
	require.Equal(t, 1, r.Same)
	r = run(t, compare.Config{Gateway: says(200, "x"), Remote: s.URL, Log: strings.NewReader("/"), TLS: &tls.Config{}})
	require.Equal(t, []compare.Skipped{{Why: "the remote gave no answer", Count: 1, Line: 1}}, r.Skipped, "its certificate isn't known")
}

// Both bounds end it, and a side that is away.
func TestEnds(t *testing.T) {
	var log strings.Builder
	for i := range 100 {
		fmt.Fprintf(&log, "/%d\n", i)
	}
	ok := says(200, "")
	r := run(t, compare.Config{Gateway: ok, Remote: serve(t, ok), Log: strings.NewReader(log.String()), MaxRequests: 7})
	require.Equal(t, []int{7, 7, 8}, []int{r.Sent, r.Same, r.Stopped})
	require.Contains(t, r.String(), "ended at line 8 of the log")

	gone := httptest.NewServer(ok)
	gone.Close()
	r, err := compare.Run(t.Context(), compare.Config{Gateway: ok, Remote: gone.URL, Log: strings.NewReader(log.String()), Rate: 1000})
	require.ErrorContains(t, err, "compare: the remote has given no answer to 20 requests in a row")
	require.Zero(t, r.Sent)

	r, err = compare.Run(t.Context(), compare.Config{Gateway: ok, Remote: serve(t, ok),
		Log: io.MultiReader(strings.NewReader("/\n"), iotest.ErrReader(errors.New("disk")))})
	require.ErrorContains(t, err, "compare: read the log, line 2: disk")
	require.Equal(t, 1, r.Sent)

	// A deadline before the next one's turn ends it with what there is.
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	r, err = compare.Run(ctx, compare.Config{Gateway: ok, Remote: serve(t, ok), Log: strings.NewReader(log.String()), Rate: 0.01})
	require.Error(t, err)
	require.Equal(t, 1, r.Sent)

	ctx, cancel = context.WithCancel(t.Context())
	var asked atomic.Int32
	r, err = compare.Run(ctx, compare.Config{Gateway: ok, Log: strings.NewReader(log.String()), Rate: 1000, Concurrency: 1,
		Remote: serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			if asked.Add(1) == 3 {
				cancel()
			}
		}))})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 2, r.Sent)
}

// An answer that doesn't come in time isn't compared, and a panic is none.
func TestNoAnswer(t *testing.T) {
	hang := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	r := run(t, compare.Config{Gateway: hang, Remote: serve(t, says(200, "")), Log: strings.NewReader("/a\n/b"), Timeout: 50 * time.Millisecond})
	require.Contains(t, r.Skipped, compare.Skipped{Why: "the gateway gave no answer", Count: 2, Line: 1})
	broken := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("secret-of-a-panic") })
	r = run(t, compare.Config{Gateway: broken, Remote: serve(t, says(200, "")), Log: strings.NewReader("/a\n/b"), Concurrency: 1})
	require.Equal(t, []compare.Skipped{{Why: "the gateway gave no answer", Count: 2, Line: 1}}, r.Skipped)
}

func TestConfig(t *testing.T) {
	_, err := compare.Run(t.Context(), compare.Config{
		Remote: "ftp://user:hunter2@x", Host: "a b", Prefix: "prod", LogPrefix: "/%zz", Methods: []string{"G T"},
		Header:        http.Header{"X-A": {"hunter2\r\nX-B: 1"}, "Host": {"hunter2"}, "X Y": {"1"}, "X-Empty": nil},
		GatewayHeader: http.Header{"Connection": {"hunter2"}},
		Rate:          -1, Concurrency: 65, MaxRequests: 100_001, MaxBodyBytes: -1, Timeout: time.Hour,
	})
	for _, want := range []string{
		"Gateway: want a handler", "Remote: want a URL such as", "Log: want an access log", "Host: want a host name", `.Prefix: want a path such as /prod, got "prod"`,
		`LogPrefix: want a path`, `Methods: want methods such as GET, got "G T" at 0`, "Header: X-A: want a value without line breaks",
		"Header: Host: it says how the request is sent", `Header: want names of headers, got "X Y"`, "Header: X-Empty: want a value",
		"GatewayHeader: Connection: it says", "Rate: want 0.01 to 1000", "Concurrency: want 1 to 64", "MaxRequests: want 1 to 100000",
		"MaxBodyBytes: want 1 to 67108864", "Timeout: want 1ms to 5m0s",
	} {
		require.ErrorContains(t, err, want)
	}
	require.NotContains(t, err.Error(), "hunter2")
	for _, remote := range []string{"", "api.example.com", "https://", "https://a?x", "https://a#x", "http://example.com", "https://a b", "https://u@a", "http://127.0.0.1.example.com"} {
		_, err := compare.Run(t.Context(), compare.Config{Gateway: says(200, ""), Log: strings.NewReader(""), Remote: remote})
		require.ErrorContains(t, err, "Config.Remote: want", remote)
	}
}
