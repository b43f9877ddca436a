package compare_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/compare"
)

// A log is what clients wrote. Whatever is in it, only the two are asked, each for a path.
func TestAttackLogsChooseNoServer(t *testing.T) {
	var stolen atomic.Int32
	evil := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { stolen.Add(1) }))
	defer evil.Close()
	at := strings.TrimPrefix(evil.URL, "http://")
	var here, there atomic.Int32
	counts := func(n *atomic.Int32, host string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n.Add(1)
			require.Equal(t, host, r.Host)
			require.Empty(t, r.Header["X-Injected"])
			http.Redirect(w, r, evil.URL+"/?token=abc", http.StatusFound) // which nobody follows
		})
	}
	server := httptest.NewUnstartedServer(nil)
	host := server.Listener.Addr().String()
	server.Config.Handler = counts(&there, host)
	server.Start()
	defer server.Close()
	var log strings.Builder
	for _, target := range []string{
		evil.URL + "/x", "//" + at + "/x", "///" + at, "/\\" + at, "\\\\" + at, "@" + at + "/x", ":80@" + at + "/x", "/@" + at, "//user:pw@" + at + "/x",
		"." + at, "http:" + at, "/x HTTP/1.1\r\nHost: " + at + "\r\nX-Injected: 1", "/x%0d%0aX-Injected:%201", "/x\tHost:" + at, "/\x00", "?@" + at, "/x?y=//" + at,
		"/..//" + at, "/%2f%2f" + at, "javascript:x", "/x\u2028y", "GET " + evil.URL, "GET //" + at,
	} {
		for _, form := range []string{"%s", "GET %s HTTP/1.1", `1.1.1.1 - - [x] "GET %s HTTP/1.1" 200`, `{"httpMethod":"GET","path":%q}`, "1.1.1.1,x,GET,%s,HTTP/1.1,200"} {
			fmt.Fprintf(&log, form+"\n", target)
		}
	}
	r := run(t, compare.Config{Gateway: counts(&here, host), Remote: "http://" + host, Log: strings.NewReader(log.String())})
	require.Zero(t, stolen.Load())
	require.NotZero(t, there.Load())
	require.Equal(t, here.Load(), there.Load())
	require.Equal(t, int(here.Load()), r.Sent)
	require.Equal(t, r.Sent, r.Same, "%s", r)
}

// None of what was sent, of the log's queries, and of what answers have for secrets is told.
func TestAttackSecretsAreNotTold(t *testing.T) {
	const jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl"
	secrets := []string{"hunter2", "s3cr", jwt, "eyJ", "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI", "4111111111111111", "qu3ry", "0451", "p4th"}
	answer := func(side string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h.Set("Set-Cookie", "id=hunter2-"+side+"; Path=/"+side)
			h.Set("X-Api-Key", "hunter2"+side)
			h.Set("X-Amz-Security-Token", "hunter2"+side)
			h.Set("X-Echo", side+r.Header.Get("Authorization"))
			h.Set("Location", "https://ann:hunter2@login.example/"+side+"?code=qu3ry#access_token=hunter2")
			h.Set("Www-Authenticate", `Bearer realm="`+side+`", error_description="Bearer hunter2 token: hunter2 `+jwt+`"`)
			h.Set("X-Header-"+jwt, side)
			fmt.Fprintf(w, `{"side":%q,"query":%q,"echo":%q,"password":"hunter2%[1]s","a":{"sessionId":{"x":["hunter2%[1]s"]}},`+
				`"%s":%[1]q,"note%[1]s":%q,"key":"AKIAIOSFODNN7EXAMPLE","aws":"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY%[1]s","card":4111111111111111,`+
				`"text%[1]s":"api_key=hunter2, secret: hunter2 and ?x=hunter2","pin":{"%[1]s":"0451"},"number%[1]s":4111111111111111,"p":%[6]q}`,
				side, r.URL.RawQuery, r.Header.Get("X-Api-Key"), jwt, jwt, side+r.URL.Query().Get("x"))
		})
	}
	plain := func(side string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "%s hunter2 %s %s", side, r.Header, jwt)
		})
	}
	both := func(side string) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("/", answer(side))
		mux.Handle("/plain/{x}", plain(side))
		return mux
	}
	var out bytes.Buffer
	r := run(t, compare.Config{
		Gateway: both("here"), Remote: serve(t, both("there")),
		Log: strings.NewReader("/a?x=qu3ry&token=hunter2\n/plain/" + jwt + "?hunter2\n/plain/s3cr-p4th-0123456789\n/plain/s3cr\n" +
			"GET https://ann:hunter2@evil.example/ HTTP/1.1\n{hunter2\nhunter2\n/%zzhunter2\nhunter2 /x\n"),
		Header:        http.Header{"Authorization": {"Bearer " + jwt}, "X-Api-Key": {"s3cr"}, "Cookie": {"session=hunter2"}},
		GatewayHeader: http.Header{"Authorization": {"Basic s3cr"}},
		Told:          func(d compare.Difference) { fmt.Fprintln(&out, d) },
	})
	fmt.Fprintf(&out, "%s\n%+v", r, r)
	require.Equal(t, 4, r.Sent)
	require.Greater(t, len(r.Differences), 12)
	for _, secret := range secrets {
		require.NotContains(t, out.String(), secret)
	}
	for _, kept := range []string{`"here" at the gateway, "there" at the remote`, "body .side", "header X-Api-Key: (not shown)", "id=…; path=/here"} {
		require.Contains(t, out.String(), kept)
	}
}

// Texts are told without what is written in them behind a name, a question mark or in front of a
// host, also where nobody knows the secret.
func TestAttackSecretsWithinTexts(t *testing.T) {
	for text, want := range map[string]string{
		"https://ann:pw@a.example/x":               "https://…@a.example/x",
		"https://a.example/cb?code=a1&x=2 y":       "https://a.example/cb?… y",
		"/cb#access_token=a1":                      "/cb#access_token=…",
		"invalid token: a1, retry":                 "invalid token: …, retry",
		`{"api_key":"a1"}`:                         `{"api_key":…`,
		"Bearer a1 is no token":                    "Bearer … is no token",
		"sent AKIAIOSFODNN7EXAMPLE":                "sent (20 characters)",
		"max-age=31536000":                         "max-age=31536000",
		"application/json; charset=utf-8":          "application/json; charset=utf-8",
		"a-very-long-word-of-letters-only-that-is": "(40 characters)",
		"Internal Server Error":                    "Internal Server Error",
	} {
		r := run(t, compare.Config{Gateway: says(200, "", "X-Text", text), Remote: serve(t, says(200, "")), Log: strings.NewReader("/")})
		require.Equal(t, []string{fmt.Sprintf("1 |header X-Text|%q|(absent)", want)}, kinds(r))
	}
}

// A path may have a credential in it, as links for one use do.
func TestAttackSecretsInPaths(t *testing.T) {
	r := run(t, compare.Config{
		Gateway: says(200, ""), Remote: serve(t, says(403, "")), Log: strings.NewReader("/link/s3cr"),
		Header: http.Header{"X-Api-Key": {"s3cr"}}, Concurrency: 1,
	})
	require.Equal(t, "GET (not shown)", r.Differences[0].Request)
	r = run(t, compare.Config{Gateway: says(200, ""), Remote: serve(t, says(403, "")), Log: strings.NewReader("/link/0123456789abcdefg/x?a=b")})
	require.Equal(t, "GET /link/(17 characters)/x?…", r.Differences[0].Request)
}

// A credential that is refused isn't told either, nor one that the remote's error repeats.
func TestAttackErrorsTellNoSecret(t *testing.T) {
	_, err := compare.Run(t.Context(), compare.Config{Gateway: says(200, ""), Log: strings.NewReader(""), Remote: "https://ann:hunter2@\x7f?hunter2"})
	require.Error(t, err)
	require.NotContains(t, err.Error(), "hunter2")
	raw := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_, _ = io.WriteString(c, "hunter2\r\n\r\n")
			_ = c.Close()
		}
	}))
	defer raw.Close()
	var log strings.Builder
	for i := range 30 {
		fmt.Fprintf(&log, "/%d?token=hunter2\n", i)
	}
	_, err = compare.Run(t.Context(), compare.Config{Gateway: says(200, ""), Log: strings.NewReader(log.String()), Remote: raw.URL, Rate: 1000})
	require.ErrorContains(t, err, "no answer to 20 requests")
	require.NotContains(t, err.Error(), "hunter2")
}

// Lines and answers of any size are read up to a bound, and a report has one.
func TestAttackSizes(t *testing.T) {
	long := strings.Repeat("a", compare.MaxLine)
	body := strings.Repeat("x", 2000)
	r := run(t, compare.Config{
		Gateway: says(200, body+"1"), Remote: serve(t, says(200, body+"2")), MaxBodyBytes: 1000,
		Log: strings.NewReader("/" + long + "\n/" + strings.Repeat(long, 100) + "\n/ok\n/" + long),
	})
	require.Equal(t, []compare.Skipped{{Why: "longer than 16 KiB", Count: 3, Line: 1}}, r.Skipped)
	require.Equal(t, []int{1, 1}, []int{r.Sent, r.Same}, "what is larger isn't compared")
	r = run(t, compare.Config{Gateway: says(200, body), Remote: serve(t, says(200, "x")), MaxBodyBytes: 1000, Log: strings.NewReader("/ok")})
	require.Equal(t, []string{"1 |body|larger than what is compared|1 bytes"}, kinds(r))

	// Members with names that are always new: 100 of an answer, 500 of all.
	n := 0
	fresh := func() http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			members := make([]string, 300)
			for i := range members {
				n++
				members[i] = fmt.Sprintf(`"m%d":1`, n)
			}
			fmt.Fprintf(w, "{%s}", strings.Join(members, ","))
		})
	}
	r = run(t, compare.Config{Gateway: fresh(), Remote: serve(t, fresh()), Log: strings.NewReader("/1\n/2\n/3\n/4\n/5\n/6\n/7\n/8"), Concurrency: 1})
	require.Len(t, r.Differences, 500)
	require.Equal(t, 300, r.More)
	require.Contains(t, r.String(), "300    of other kinds")
	deep := strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000)
	r = run(t, compare.Config{Gateway: says(200, deep), Remote: serve(t, says(200, deep+" ")), Log: strings.NewReader("/")})
	require.Len(t, r.Differences, 1)
}

// What an answer says can't move a terminal's cursor, or begin a line.
func TestAttackTerminals(t *testing.T) {
	nasty := `{"a\u001b[2J\nb":"\u001b[31m\r\nline 9: all alike\u202e"}`
	r := run(t, compare.Config{Gateway: says(200, nasty), Remote: serve(t, says(200, "{}")), Log: strings.NewReader("/%1b%5b2J%0a\n")})
	out := r.String() + r.Differences[0].String()
	require.NotContains(t, out, "\x1b")
	require.NotContains(t, out, "\u202e")
	require.Equal(t, 1, strings.Count(r.Differences[0].String()+"\n", "\n"))
	require.Contains(t, out, `GET /\x1b[2J\n`)
}

// The port that the gateway is asked on answers nobody else.
func TestAttackOtherClients(t *testing.T) {
	port := make(chan string, 1)
	var asked atomic.Int32
	gateway := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		port <- r.Context().Value(http.LocalAddrContextKey).(fmt.Stringer).String()
	})
	remote := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/2" {
			return
		}
		a := <-port
		for _, marker := range []string{"", "guess"} {
			q, err := http.NewRequest(http.MethodGet, "http://"+a+"/", nil)
			require.NoError(t, err)
			q.Header.Set("X-Gatekit-Compare", marker)
			q.Host = r.Host
			got, err := http.DefaultClient.Do(q)
			if err != nil {
				t.Error(err)
				return
			}
			_ = got.Body.Close()
			if got.StatusCode != http.StatusForbidden {
				t.Errorf("%q: %d", marker, got.StatusCode)
			}
		}
	})
	r := run(t, compare.Config{Gateway: gateway, Remote: serve(t, remote), Log: strings.NewReader("/1\n/2\n"), Concurrency: 1})
	require.Equal(t, []int{2, 2}, []int{r.Sent, int(asked.Load())})
}
