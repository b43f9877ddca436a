package auth_test

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/authtest"
	"github.com/gatekit-go/gatekit/internal/notetest"
	"github.com/gatekit-go/gatekit/internal/sigv4"
)

const wrongSignature = `403 InvalidSignatureException {"message":"The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."}`

// outcome is status, error type and body of a REST API's answer; the handler is only called for a
// 200.
func outcome(t *testing.T, s *auth.SigV4, r *http.Request) string {
	t.Helper()
	notes, kept := notetest.Keep(t, r)
	w := serve(behind(t, rest, s), kept)
	r.Body = kept.Body
	tellsNothing(t, notes, r)
	require.NotContains(t, w.Body.String(), secretKey)
	if w.Code == 200 {
		return "200"
	}
	return fmt.Sprint(w.Code, " ", w.Header().Get("X-Amzn-Errortype"), " ", w.Body)
}

func hashOf(header string) string {
	sum := sha256.Sum256([]byte(header))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// TestSigV4Unsigned are requests without a signature, and with something else in its place.
func TestSigV4Unsigned(t *testing.T) {
	const lacks = `403 IncompleteSignatureException {"message":"Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter.`
	const noDate = ` Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.`
	s := newSigV4(t, auth.SigV4Config{})
	for header, want := range map[string]string{
		"":              `403 MissingAuthenticationTokenException {"message":"Missing Authentication Token"}`,
		"Bearer abc":    `403 IncompleteSignatureException {"message":"Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): '` + hashOf("Bearer abc") + `'."}`,
		"allow":         lacks + noDate + ` (Hashed with SHA-256 and encoded with Base64) Authorization=` + hashOf("allow") + `"}`,
		"Basic dTpw":    `403 IncompleteSignatureException {"message":"Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): '` + hashOf("Basic dTpw") + `'."}`,
		"AWS4-HMAC-X y": `403 IncompleteSignatureException {"message":"Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): '` + hashOf("AWS4-HMAC-X y") + `'."}`,
	} {
		r := unsigned("GET", "/pets", "")
		if header != "" {
			r.Header.Set("Authorization", header)
		}
		require.Equal(t, want, outcome(t, s, r), header)
		w := serve(behind(t, testAPI, s), r)
		require.Equal(t, "403 "+forbidden, fmt.Sprint(w.Code, " ", w.Body), "an HTTP API tells nothing")
		require.NotContains(t, w.Header(), "X-Amzn-Errortype")
		_, err := s.Authorize(r)
		if strings.HasPrefix(header, "AWS4-") {
			require.NotErrorIs(t, err, auth.ErrNoCredentials)
		} else {
			require.ErrorIs(t, err, auth.ErrNoCredentials)
		}
	}
	dated := unsigned("GET", "/pets", "")
	dated.Header.Set("Authorization", "allow")
	dated.Header.Set("X-Amz-Date", "20240102T030405Z")
	require.NotContains(t, outcome(t, s, dated), noDate)
}

// TestSigV4Tampered changes signed requests: each is refused as a wrong signature, or, where that
// is said, in words of its own.
func TestSigV4Tampered(t *testing.T) {
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	edit := func(old, text string) func(*http.Request) {
		return func(r *http.Request) {
			h := r.Header.Get("Authorization")
			if !strings.Contains(h, old) {
				panic(h)
			}
			r.Header.Set("Authorization", strings.Replace(h, old, text, 1))
		}
	}
	incomplete := "403 IncompleteSignatureException"
	for name, tt := range map[string]struct {
		change func(*http.Request)
		want   string // wrongSignature if empty
	}{
		"method":           {change: func(r *http.Request) { r.Method = "PUT" }},
		"path":             {change: func(r *http.Request) { r.URL.Path, r.RequestURI = "/petz", "/petz?b=2&a=1" }},
		"query":            {change: func(r *http.Request) { r.URL.RawQuery = "b=2&a=2" }},
		"query added":      {change: func(r *http.Request) { r.URL.RawQuery += "&c" }},
		"query order":      {change: func(r *http.Request) { r.URL.RawQuery = "a=1&b=2" }, want: "200"},
		"query escapes":    {change: func(r *http.Request) { r.URL.RawQuery = "%61=%31&b=2" }, want: "200"},
		"query semicolon":  {change: func(r *http.Request) { r.URL.RawQuery = "b=2&a=1;c" }},
		"query bad escape": {change: func(r *http.Request) { r.URL.RawQuery = "b=2&a=1%" }},
		"signed header":    {change: set("Content-Type", "text/plain")},
		"host":             {change: func(r *http.Request) { r.Host = "evil.example" }},
		"body":             {change: func(r *http.Request) { r.Body = unsigned("POST", "/", `{"a":2}`).Body }},
		"body emptied":     {change: func(r *http.Request) { r.Body, r.ContentLength = http.NoBody, 0 }},
		"body appended":    {change: func(r *http.Request) { r.Body, r.ContentLength = unsigned("POST", "/", `{"a":1} `).Body, 8 }},
		"body in chunks":   {change: func(r *http.Request) { r.Body, r.ContentLength = unsigned("POST", "/", `{"a":2}`).Body, -1 }},
		"body encoded": {change: func(r *http.Request) {
			r.Header.Set("Content-Encoding", "gzip")
			r.Body, r.ContentLength = unsigned("POST", "/", gzipped(`{"a":1}`)).Body, -1
		}},
		"added x-amz":         {change: set("X-Amz-Target", "x")},
		"trace id":            {change: set("X-Amzn-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793"), want: "200"},
		"token added":         {change: set("X-Amz-Security-Token", "t")},
		"signed header gone":  {change: func(r *http.Request) { r.Header.Del("Content-Type") }},
		"signed header twice": {change: func(r *http.Request) { r.Header.Add("Content-Type", "application/json") }},
		"host not signed":     {change: edit("content-type;host;", "content-type;")},
		"unsorted":            {change: edit("content-type;host;x-amz-date", "host;content-type;x-amz-date")},
		"upper case":          {change: edit(";host;", ";Host;")},
		"listed twice":        {change: edit(";host;", ";host;host;")},
		"empty list":          {change: edit("content-type;host;x-amz-date", ";")},
		"no list":             {change: edit("SignedHeaders=content-type;host;x-amz-date, ", ""), want: incomplete + ` {"message":"Authorization header requires 'SignedHeaders' parameter. (Hashed`},
		"upper-case hex": {change: func(r *http.Request) {
			h := r.Header.Get("Authorization")
			r.Header.Set("Authorization", h[:len(h)-64]+strings.ToUpper(h[len(h)-64:]))
		}},
		"cut signature": {change: func(r *http.Request) { h := r.Header.Get("Authorization"); r.Header.Set("Authorization", h[:len(h)-2]) }},
		"no signature": {change: func(r *http.Request) {
			h := r.Header.Get("Authorization")
			r.Header.Set("Authorization", h[:len(h)-64])
		}, want: incomplete},
		"unknown parameter":  {change: edit("Credential=", "X=1, Credential="), want: incomplete},
		"parameter twice":    {change: edit("Credential=", "Signature=00, Credential="), want: incomplete},
		"content hash wrong": {change: set("X-Amz-Content-Sha256", sigv4.EmptyHash)},
		"unsigned payload":   {change: set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")},
		"streaming":          {change: set("X-Amz-Content-Sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")},
		"two authorizations": {change: func(r *http.Request) { r.Header.Add("Authorization", r.Header.Get("Authorization")) }, want: incomplete},
		"header and query":   {change: func(r *http.Request) { r.URL.RawQuery += "&X-Amz-Signature=00&X-Amz-Algorithm=AWS4-HMAC-SHA256" }, want: incomplete},
		"two dates":          {change: func(r *http.Request) { r.Header.Add("X-Amz-Date", r.Header.Get("X-Amz-Date")) }, want: incomplete},
		"date with fraction": {change: func(r *http.Request) { r.Header.Set("X-Amz-Date", time.Now().UTC().Format("20060102T150405.0Z")) }, want: incomplete},
		"lower-case date":    {change: func(r *http.Request) { r.Header.Set("X-Amz-Date", strings.ToLower(r.Header.Get("X-Amz-Date"))) }, want: incomplete},
		"local time":         {change: func(r *http.Request) { r.Header.Set("X-Amz-Date", time.Now().UTC().Format("20060102T150405+0000")) }, want: incomplete},
		"no date":            {change: func(r *http.Request) { r.Header.Del("X-Amz-Date") }, want: incomplete + ` {"message":"Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. (Hashed`},
		"connection token":   {change: set("Connection", "x-amz-date")},
		"connection list":    {change: set("Connection", "close, Content-Type")},
		"other key":          {change: edit(keyID, "AKIAOTHER")},
		"key with slash":     {change: edit(keyID, "AKID/X"), want: incomplete},
		"no key":             {change: edit(keyID, ""), want: incomplete},
		"six parts":          {change: edit("aws4_request", "x/aws4_request"), want: incomplete},
		"other algorithm":    {change: edit("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), want: incomplete},
		"region":             {change: edit("us-east-1", "us-west-2"), want: `403 InvalidSignatureException {"message":"Credential should be scoped to a valid Region, not us-west-2"}`},
		"service":            {change: edit("execute-api", "s3"), want: `403 InvalidSignatureException {"message":"Credential should be scoped to correct service: 'execute-api'."}`},
		"terminator":         {change: edit("aws4_request", "aws4"), want: `403 InvalidSignatureException {"message":"Credential should be scoped with a valid terminator: 'aws4_request'"}`},
		"huge header": {change: func(r *http.Request) {
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+strings.Repeat("x", 17<<10))
		}, want: incomplete},
		"nothing": {change: func(*http.Request) {}, want: "200"},
	} {
		t.Run(name, func(t *testing.T) {
			r := unsigned("POST", "/pets?b=2&a=1", `{"a":1}`)
			r.Header.Set("Content-Type", "application/json")
			require.NoError(t, signer.Sign(r, time.Now()))
			tt.change(r)
			want := tt.want
			if want == "" {
				want = wrongSignature
			}
			got := outcome(t, newSigV4(t, auth.SigV4Config{}), r)
			require.True(t, strings.HasPrefix(got, want), got)
		})
	}
}

// gzipped is a text as Content-Encoding: gzip has it. What is signed is what was sent, and not what
// it unpacks to.
func gzipped(text string) string {
	var b strings.Builder
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(text)) // a Builder takes everything
	_ = w.Close()
	return b.String()
}

func TestSigV4Presigned(t *testing.T) {
	for name, tt := range map[string]struct {
		expires string
		after   time.Duration
		change  func(*http.Request)
		want    string
	}{
		"good": {expires: "60", want: "200"}, "last second": {expires: "60", after: time.Minute, want: "200"}, "expired": {expires: "60", after: time.Minute + time.Second, want: `403 InvalidSignatureException {"message":"Signature expired: `},
		"longest": {expires: "604800", want: "200"}, "too long": {expires: "604801"}, "zero": {expires: "0"}, "negative": {expires: "-1"}, "exponent": {expires: "1e3"}, "blank": {expires: "%2060"}, "plus": {expires: "%2B60"},
		"missing":     {expires: "60", change: func(r *http.Request) { r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "X-Amz-Expires=60&", "", 1) }},
		"future":      {expires: "60", after: -5*time.Minute - time.Second, want: `403 InvalidSignatureException {"message":"Signature not yet current: `},
		"method":      {expires: "60", change: func(r *http.Request) { r.Method = "POST" }, want: wrongSignature},
		"added":       {expires: "60", change: func(r *http.Request) { r.URL.RawQuery += "&x=1" }, want: wrongSignature},
		"twice":       {expires: "60", change: func(r *http.Request) { r.URL.RawQuery += "&X-Amz-Signature=00" }},
		"header too":  {expires: "60", change: func(r *http.Request) { r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=x") }},
		"date header": {expires: "60", change: func(r *http.Request) { r.Header.Set("X-Amz-Date", "20000101T000000Z") }},
		"token moved": {expires: "60", change: func(r *http.Request) { r.Header.Set("X-Amz-Security-Token", "t") }},
	} {
		t.Run(name, func(t *testing.T) {
			atTime(t, time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC), func(t *testing.T) {
				r := unsigned("GET", "/pets?a=1", "")
				at := time.Now().Add(-tt.after)
				r.URL.RawQuery += "&X-Amz-Expires=" + tt.expires
				require.NoError(t, presignWithout(r, at))
				if tt.change != nil {
					tt.change(r)
				}
				want := tt.want
				if want == "" {
					want = "403 IncompleteSignatureException"
				}
				got := outcome(t, newSigV4(t, auth.SigV4Config{}), r)
				require.True(t, strings.HasPrefix(got, want), got)
			})
		})
	}
}

// presignWithout signs a query whose X-Amz-Expires is there already, however odd.
func presignWithout(r *http.Request, at time.Time) error {
	expires := r.URL.RawQuery[strings.Index(r.URL.RawQuery, "X-Amz-Expires=")+len("X-Amz-Expires="):]
	r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "&X-Amz-Expires="+expires, "", 1)
	scope := "20240102/us-east-1/execute-api/aws4_request"
	r.URL.RawQuery += "&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=" + keyID + "%2F" + strings.ReplaceAll(scope, "/", "%2F") + "&X-Amz-Date=" + sigv4.FormatTime(at) + "&X-Amz-Expires=" + expires + "&X-Amz-SignedHeaders=host"
	b := sigv4.AppendURI([]byte(r.Method+"\n"), r.URL.EscapedPath(), sigv4.PathRules{})
	b, _ = sigv4.AppendQuery(append(b, '\n'), r.URL.RawQuery)
	b = sigv4.AppendHeader(append(b, '\n'), "host", r.Host)
	b = append(b, "\nhost\n"+sigv4.EmptyHash...)
	key := sigv4.DeriveHMACKey(secretKey, "20240102", "us-east-1", "execute-api")
	signature := key.Sign(sigv4.AppendStringToSign(nil, sigv4.HMAC, sigv4.FormatTime(at), scope, b))
	r.URL.RawQuery += fmt.Sprintf("&X-Amz-Signature=%x", signature)
	return nil
}

// TestSigV4Clock walks the edges of the window, and midnight.
func TestSigV4Clock(t *testing.T) {
	for _, now := range []time.Time{time.Date(2024, 1, 2, 3, 9, 5, 0, time.UTC), time.Date(2024, 1, 2, 0, 2, 0, 0, time.UTC), time.Date(2024, 1, 1, 23, 58, 0, 0, time.UTC)} {
		atTime(t, now, func(t *testing.T) {
			s := newSigV4(t, auth.SigV4Config{})
			for skew, want := range map[time.Duration]string{0: "200", -5 * time.Minute: "200", 5 * time.Minute: "200", -5*time.Minute - time.Second: "expired", 5*time.Minute + time.Second: "not yet current"} {
				r := unsigned("GET", "/", "")
				at := now.Add(skew)
				require.NoError(t, signer.Sign(r, at))
				form := sigv4.FormatTime
				switch want {
				case "expired":
					want = `403 InvalidSignatureException {"message":"Signature expired: ` + form(at) + ` is now earlier than ` + form(now.Add(-5*time.Minute)) + ` (` + form(now) + ` - 5 min.)"}`
				case "not yet current":
					want = `403 InvalidSignatureException {"message":"Signature not yet current: ` + form(at) + ` is still later than ` + form(now.Add(5*time.Minute)) + ` (` + form(now) + ` + 5 min.)"}`
				}
				require.Equal(t, want, outcome(t, s, r), skew)
			}
			r := unsigned("GET", "/", "")
			require.NoError(t, signer.Sign(r, now))
			day := now.Format("20060102")
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), day, "20231231", 1))
			require.Equal(t, `403 InvalidSignatureException {"message":"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20231231' != '`+day+`', from '`+sigv4.FormatTime(now)+`'."}`, outcome(t, s, r))
		})
	}
}

func TestSigV4Tokens(t *testing.T) {
	expired := time.Now().Add(-time.Second)
	s := func(c auth.SigV4Config) *auth.SigV4 {
		c.Credentials = auth.StaticCredentials{keyID: bob, "ASIA1": {SecretAccessKey: secretKey, SessionToken: "t1"}, "ASIA2": {SecretAccessKey: secretKey, SessionToken: "t2", Expires: expired}, "EMPTY": {}}
		return newSigV4(t, c)
	}
	send := func(s *auth.SigV4, id, signedToken string, change func(*http.Request)) string {
		r := unsigned("GET", "/", "")
		require.NoError(t, authtest.Signer{AccessKeyID: id, SecretAccessKey: secretKey, SessionToken: signedToken, Region: "us-east-1"}.Sign(r, time.Now()))
		if change != nil {
			change(r)
		}
		return outcome(t, s, r)
	}
	strict := s(auth.SigV4Config{})
	require.Equal(t, "200", send(strict, "ASIA1", "t1", nil))
	require.Equal(t, wrongSignature, send(strict, "ASIA1", "", nil), "a temporary key without its token")
	require.Equal(t, wrongSignature, send(strict, keyID, "t1", nil), "a long-term key with a token")
	require.Equal(t, wrongSignature, send(strict, "ASIA1", "t2", nil), "another session's token")
	require.Equal(t, wrongSignature, send(strict, "ASIA1", "t1", func(r *http.Request) { r.Header.Del("X-Amz-Security-Token") }))
	twice := send(strict, "ASIA1", "t1", func(r *http.Request) { r.Header.Add("X-Amz-Security-Token", "t1") })
	require.True(t, strings.HasPrefix(twice, "403 IncompleteSignatureException"), twice)
	require.Equal(t, wrongSignature, send(strict, "EMPTY", "", nil), "a credential without a secret admits nobody")
	require.Equal(t, `403 ExpiredTokenException {"message":"The security token included in the request is expired"}`, send(strict, "ASIA2", "t2", nil))
	after := func(r *http.Request) { r.Header.Set("X-Amz-Security-Token", "t1") }
	require.Equal(t, wrongSignature, send(strict, "ASIA1", "", after))
	require.Equal(t, "200", send(s(auth.SigV4Config{AllowUnsignedSessionToken: true}), "ASIA1", "", after))
	const invalid = `403 UnrecognizedClientException {"message":"The security token included in the request is invalid."}`
	require.Equal(t, invalid, send(s(auth.SigV4Config{DiscloseUnknownKey: true}), "AKIANOBODY", "", nil))
	require.Equal(t, invalid, send(s(auth.SigV4Config{DiscloseUnknownKey: true}), "ASIA1", "t2", nil))
	require.Equal(t, wrongSignature, send(strict, "AKIANOBODY", "", nil))
}

func TestSigV4UnsignedPayload(t *testing.T) {
	s := newSigV4(t, auth.SigV4Config{AllowUnsignedPayload: true})
	for payload, want := range map[string]string{"UNSIGNED-PAYLOAD": "200", "STREAMING-UNSIGNED-PAYLOAD-TRAILER": wrongSignature} {
		r := unsigned("POST", "/", "any")
		r.Header.Set("X-Amz-Content-Sha256", payload)
		require.NoError(t, signer.Sign(r, time.Now()))
		require.Equal(t, want, outcome(t, s, r), payload)
	}
	r := unsigned("POST", "/", "any")
	r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
	require.NoError(t, signer.Sign(r, time.Now()))
	require.Equal(t, wrongSignature, outcome(t, newSigV4(t, auth.SigV4Config{}), r))
}

// TestSigV4Paths: a signature covers the normal form, so where a router has chosen by the path as
// it is, others are refused.
func TestSigV4Paths(t *testing.T) {
	send := func(signedPath, path, routeKey string, c auth.SigV4Config) string {
		r := unsigned("GET", signedPath, "")
		require.NoError(t, signer.Sign(r, time.Now()))
		sent := unsigned("GET", "/x", "")
		sent.Header = r.Header
		sent.RequestURI = path
		sent.URL.Path = path
		rc, sent := gatekit.Attach(sent)
		rc.Route = &gatekit.Route{Key: routeKey}
		return outcome(t, newSigV4(t, c), sent)
	}
	require.Equal(t, "200", send("/a/b", "/a/b", "GET /{proxy+}", auth.SigV4Config{}))
	require.Equal(t, "200", send("/a/b/", "/a/b/", "GET /{proxy+}", auth.SigV4Config{}))
	for _, path := range []string{"/a//b", "/a/b//", "//a/b"} {
		require.Equal(t, wrongSignature, send("/a/b", path, "GET /{proxy+}", auth.SigV4Config{}), path)
	}
	require.Equal(t, "200", send("/a/b", "/a//b", "", auth.SigV4Config{}), "nothing has been routed")
	require.Equal(t, wrongSignature, send("/a/b", "/a//b", "", auth.SigV4Config{DisablePathNormalization: true}))
	for _, path := range []string{"/a/b/", "/a/c", "/a/B", "/a%2Fb", "/a/%62", "/a/b;x"} {
		require.Equal(t, wrongSignature, send("/a/b", path, "", auth.SigV4Config{}), path)
	}
}

func TestSigV4Replay(t *testing.T) {
	atTime(t, time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC), func(t *testing.T) {
		s := newSigV4(t, auth.SigV4Config{ReplayCache: 2})
		v4a := authtest.Signer{AccessKeyID: keyID, SecretAccessKey: secretKey, Region: "*"}
		sign := func(path string, sign func(*http.Request, time.Time) error) *http.Request {
			r := unsigned("GET", path, "")
			require.NoError(t, sign(r, time.Now()))
			return r
		}
		first := sign("/1", signer.Sign)
		require.Equal(t, "200", outcome(t, s, first))
		require.Equal(t, wrongSignature, outcome(t, s, first))
		require.Equal(t, "200", outcome(t, s, sign("/2", v4a.SignV4A)))
		require.Equal(t, wrongSignature, outcome(t, s, sign("/2", v4a.SignV4A)), "another signature of the same request")
		full := sign("/3", signer.Sign)
		require.True(t, strings.HasPrefix(outcome(t, s, full), "500 "), "full of live signatures")
		time.Sleep(5*time.Minute + time.Second)
		require.Equal(t, "200", outcome(t, s, sign("/4", signer.Sign)), "what has expired makes room")
	})
}

func TestSigV4ARegionSets(t *testing.T) {
	s := newSigV4(t, auth.SigV4Config{})
	for set, want := range map[string]string{"*": "200", "eu-*,us-east-1": "200", "us-*": "200", "eu-*": "Credential should be scoped to a valid Region, not eu-*", "": "Credential should be scoped to a valid Region"} {
		r := unsigned("GET", "/", "")
		require.NoError(t, authtest.Signer{AccessKeyID: keyID, SecretAccessKey: secretKey, Region: set}.SignV4A(r, time.Now()))
		require.Contains(t, outcome(t, s, r), want, set)
	}
	r := unsigned("GET", "/", "")
	require.NoError(t, authtest.Signer{AccessKeyID: keyID, SecretAccessKey: secretKey, Region: "us-*"}.SignV4A(r, time.Now()))
	r.Header.Set("X-Amz-Region-Set", "*")
	require.Equal(t, wrongSignature, outcome(t, s, r))
}

// A secret that is rotated counts at once, whatever has been derived from the old one.
func TestSigV4Rotation(t *testing.T) {
	secret := secretKey
	s := newSigV4(t, auth.SigV4Config{Credentials: auth.CredentialFunc(func(context.Context, string, string) (auth.Credential, error) {
		return auth.Credential{SecretAccessKey: secret}, nil
	})})
	r := unsigned("GET", "/", "")
	require.NoError(t, signer.Sign(r, time.Now()))
	require.Equal(t, "200", outcome(t, s, r))
	secret = "another"
	require.Equal(t, wrongSignature, outcome(t, s, r))
}
