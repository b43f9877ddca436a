package auth_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/internal/sigv4"
)

// suiteCase is one of AWS's test suite: see internal/sigv4/testdata.
type suiteCase struct {
	Name, Method, Path, Query, Body, Token string
	Headers                                map[string][]string
	TokenAfter, Raw                        bool
	Header, Presigned                      string
}

func suiteCases(t *testing.T) (cases []suiteCase) {
	text, err := os.ReadFile("../internal/sigv4/testdata/suite.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &cases))
	require.Len(t, cases, 38)
	return cases
}

const (
	suiteScope = keyID + "/20150830/us-east-1/service/aws4_request"
	suiteDate  = "20150830T123600Z"
)

// request is the case as a server would have read it. Some paths and queries could not come through
// one, so they are put where it would.
func (c *suiteCase) request(presigned bool) *http.Request {
	r := &http.Request{
		Method: c.Method, RequestURI: c.Path, Host: "example.amazonaws.com", URL: &url.URL{Path: c.Path, RawQuery: c.Query}, Header: http.Header{},
		Body: http.NoBody, ContentLength: int64(len(c.Body)), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, RemoteAddr: "192.0.2.1:1234",
	}
	if c.Body != "" {
		r.Body = io.NopCloser(strings.NewReader(c.Body))
	}
	for name, values := range c.Headers {
		r.Header[name] = slices.Clone(values)
	}
	if !presigned {
		r.Header.Set("X-Amz-Date", suiteDate)
		if c.Body != "" {
			sum := sha256.Sum256([]byte(c.Body))
			r.Header.Set("X-Amz-Content-Sha256", hex.EncodeToString(sum[:]))
		}
		if c.Token != "" && !c.TokenAfter {
			r.Header.Set("X-Amz-Security-Token", c.Token)
		}
	}
	signed := []string{"host"}
	for name := range r.Header {
		signed = append(signed, strings.ToLower(name))
	}
	slices.Sort(signed)
	if !presigned {
		r.Header.Set("Authorization", sigv4.HMAC+" Credential="+suiteScope+", SignedHeaders="+strings.Join(signed, ";")+", Signature="+c.Header)
		if c.TokenAfter {
			r.Header.Set("X-Amz-Security-Token", c.Token)
		}
		return r
	}
	q := url.Values{
		"X-Amz-Algorithm": {sigv4.HMAC}, "X-Amz-Credential": {suiteScope}, "X-Amz-Date": {suiteDate}, "X-Amz-Expires": {"3600"}, "X-Amz-SignedHeaders": {strings.Join(signed, ";")},
		"X-Amz-Signature": {c.Presigned},
	}
	if c.Token != "" {
		q.Set("X-Amz-Security-Token", c.Token)
	}
	r.URL.RawQuery = strings.TrimPrefix(c.Query+"&"+q.Encode(), "&")
	return r
}

func (c *suiteCase) authorizer(t *testing.T, raw bool) *auth.SigV4 {
	return newSigV4(t, auth.SigV4Config{
		Service: "service", DisablePathNormalization: raw, AllowUnsignedSessionToken: c.TokenAfter,
		Credentials: auth.StaticCredentials{keyID: {SecretAccessKey: secretKey, SessionToken: c.Token}},
	})
}

// changes are one bit, or little more, of everything that is signed.
func (c *suiteCase) changes(presigned bool) map[string]func(*http.Request) {
	flip := func(s string) string { return s[:len(s)-1] + string(s[len(s)-1]^1) }
	changes := map[string]func(*http.Request){
		"method": func(r *http.Request) { r.Method = flip(r.Method) },
		"path":   func(r *http.Request) { r.RequestURI += "0" },
		"query":  func(r *http.Request) { r.URL.RawQuery += "&0" },
		"host":   func(r *http.Request) { r.Host = flip(r.Host) },
		"body": func(r *http.Request) {
			body := "0"
			if c.Body != "" {
				body = flip(c.Body)
			}
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
		},
	}
	edit := func(name, old, text string) {
		changes[name] = func(r *http.Request) {
			if presigned {
				r.URL.RawQuery = strings.Replace(r.URL.RawQuery, url.QueryEscape(old), url.QueryEscape(text), 1)
			} else {
				r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, text, 1))
			}
		}
	}
	edit("scope date", "/20150830/", "/20150831/")
	edit("scope region", "us-east-1", "us-east-0")
	edit("scope service", "/service/", "/servicd/")
	edit("scope terminator", "aws4_request", "aws4_requesu")
	edit("key", keyID, flip(keyID))
	if c.Query != "" {
		changes["query value"] = func(r *http.Request) { r.URL.RawQuery = strings.Replace(r.URL.RawQuery, c.Query, flip(c.Query), 1) }
	}
	for name := range c.Headers {
		changes[name] = func(r *http.Request) {
			values := r.Header[name]
			values[len(values)-1] = flip(values[len(values)-1])
		}
	}
	if presigned {
		edit("date", suiteDate, "20150830T123601Z")
		edit("expires", "X-Amz-Expires=3600", "X-Amz-Expires=3601")
		changes["expires"] = func(r *http.Request) {
			r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "Expires=3600", "Expires=3601", 1)
		}
		changes["signature"] = func(r *http.Request) {
			r.URL.RawQuery = strings.Replace(r.URL.RawQuery, c.Presigned, flipHex(c.Presigned), 1)
		}
	} else {
		changes["date"] = func(r *http.Request) { r.Header.Set("X-Amz-Date", "20150830T123601Z") }
		edit("signature", c.Header, flipHex(c.Header))
	}
	return changes
}

func flipHex(s string) string {
	var last byte
	_, _ = fmt.Sscanf(s[len(s)-1:], "%x", &last)
	return s[:len(s)-1] + fmt.Sprintf("%x", last^1)
}

// TestSigV4Suite admits every request of AWS's suite, in both forms, and refuses it with anything
// in it changed.
func TestSigV4Suite(t *testing.T) {
	at := time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)
	for _, c := range suiteCases(t) {
		for _, form := range []string{"header", "presigned"} {
			presigned := form == "presigned"
			t.Run(c.Name+"-"+form, func(t *testing.T) {
				atTime(t, at, func(t *testing.T) {
					s := c.authorizer(t, c.Raw)
					want := "200"
					if strings.Contains(c.Path, "/.") {
						want = `400 BadRequestException {"message":"Bad Request"}` // the signature is good, but no ARN says what it asks for
					}
					require.Equal(t, want, outcome(t, s, c.request(presigned)))
					for name, change := range c.changes(presigned) {
						r := c.request(presigned)
						change(r)
						got := outcome(t, s, r)
						require.True(t, strings.HasPrefix(got, "403 InvalidSignatureException "), "%s: %s", name, got)
					}
					if c.Raw && c.Name != "get-space-unnormalized" {
						require.Equal(t, wrongSignature, outcome(t, c.authorizer(t, false), c.request(presigned)), "as other services read it")
					}
					if c.TokenAfter {
						c.TokenAfter = false
						strict := c.authorizer(t, false)
						c.TokenAfter = true
						require.Equal(t, wrongSignature, outcome(t, strict, c.request(presigned)), "a token that isn't signed")
					}
				})
			})
		}
	}
}

// A parameter that only presigned requests leave unsigned is signed in the others, however its name
// is written: or anybody could add it.
func TestSigV4HeaderFormSignsTheWholeQuery(t *testing.T) {
	for _, add := range []string{"&X-Amz-Signature=", "&X-Amz-Signature", "&X-Amz%2DSignature=evil", "&%58-Amz-Signature=evil", "&X-Amz-Security-Token=evil", "&X-Amz%2DDate=20240102T030405Z", "&x-amz-signature=evil"} {
		r := unsigned("GET", "/pets?a=1", "")
		require.NoError(t, signer.Sign(r, time.Now()))
		r.URL.RawQuery += add
		require.Contains(t, outcome(t, newSigV4(t, auth.SigV4Config{}), r), "403 ", add)
	}
	for _, query := range []string{"X-Amz-Date=20240102T030405Z", "X-Amz-Date=%31", "X-Amz-Expires=60"} {
		r := unsigned("GET", "/pets?"+query, "")
		require.NoError(t, signer.Sign(r, time.Now()))
		require.Contains(t, outcome(t, newSigV4(t, auth.SigV4Config{}), r), "403 IncompleteSignatureException", query)
	}
	r := unsigned("GET", "/pets?X-Amz-Date=20240102T030405Z", "")
	require.Equal(t, `403 MissingAuthenticationTokenException {"message":"Missing Authentication Token"}`, outcome(t, newSigV4(t, auth.SigV4Config{}), r))
}

// What a request without a known key costs is bounded: the lists that are looked through for each
// other's entries are short.
func TestSigV4LongLists(t *testing.T) {
	s := newSigV4(t, auth.SigV4Config{})
	for many, want := range map[int]string{1000: wrongSignature, 2000: "403 IncompleteSignatureException"} {
		r := unsigned("GET", "/pets", "")
		names := ""
		for i := range many {
			names += fmt.Sprintf("%%3Bx-amz-%06d", i)
			r.Header[fmt.Sprintf("X-Amz-%06d", i)] = []string{""}
		}
		now := sigv4.FormatTime(time.Now())
		r.URL.RawQuery = "X-Amz-Algorithm=" + sigv4.HMAC + "&X-Amz-Credential=NOBODY/" + now[:8] + "/us-east-1/execute-api/aws4_request&X-Amz-Date=" + now +
			"&X-Amz-Expires=60&X-Amz-Signature=00&X-Amz-SignedHeaders=host" + names
		require.True(t, strings.HasPrefix(outcome(t, s, r), want), many)
	}
	for many, want := range map[int]string{50: "200", 100: wrongSignature} {
		r := unsigned("GET", "/pets", "")
		require.NoError(t, signer.Sign(r, time.Now()))
		r.Header.Set("Connection", strings.Repeat("via,", many))
		require.Equal(t, want, outcome(t, s, r), many)
	}
}

// HTTP/2 has a host twice, and the asterisk of OPTIONS has the canonical form of another path.
func TestSigV4HostAndAsterisk(t *testing.T) {
	s := newSigV4(t, auth.SigV4Config{})
	for host, want := range map[string]string{"": "200", "abc123.execute-api.us-east-1.amazonaws.com": "200", "evil.example": wrongSignature} {
		r := unsigned("GET", "/", "")
		require.NoError(t, signer.Sign(r, time.Now()))
		if host != "" {
			r.Header["Host"] = []string{host}
		}
		require.Equal(t, want, outcome(t, s, r), host)
	}
	r := unsigned("OPTIONS", "/*", "")
	require.NoError(t, signer.Sign(r, time.Now()))
	require.Equal(t, "200", outcome(t, s, r))
	r.RequestURI, r.URL.Path = "*", "*"
	require.Equal(t, wrongSignature, outcome(t, s, r))
}

// S3's signers escape once; nobody else's requests may pass for theirs.
func TestSigV4PathEscaping(t *testing.T) {
	s3 := auth.SigV4Config{Service: "s3", DisablePathNormalization: true, DisablePathEscaping: true}
	for path, want := range map[string]string{"/a//b": "200", "/a%20b": wrongSignature} {
		r := unsigned("GET", path, "")
		at := time.Now()
		require.NoError(t, signS3(r, at, path == "/a%20b"))
		require.Equal(t, want, outcome(t, newSigV4(t, s3), r), path)
	}
	r := unsigned("GET", "/a%20b", "")
	require.NoError(t, signS3(r, time.Now(), false))
	require.Equal(t, "200", outcome(t, newSigV4(t, s3), r))
	s3.DisablePathEscaping = false
	require.Equal(t, wrongSignature, outcome(t, newSigV4(t, s3), r))
}

// signS3 signs the path as it is, or escaped twice.
func signS3(r *http.Request, at time.Time, twice bool) error {
	date := sigv4.FormatTime(at)
	r.Header.Set("X-Amz-Date", date)
	b := sigv4.AppendURI([]byte(r.Method+"\n"), r.RequestURI, sigv4.PathRules{KeepSegments: true, EscapeOnce: !twice})
	b = sigv4.AppendHeader(append(b, "\n\n"...), "host", r.Host)
	b = sigv4.AppendHeader(b, "x-amz-date", date)
	b = append(b, "\nhost;x-amz-date\n"+sigv4.EmptyHash...)
	scope := date[:8] + "/us-east-1/s3/aws4_request"
	key := sigv4.DeriveHMACKey(secretKey, date[:8], "us-east-1", "s3")
	r.Header.Set("Authorization", fmt.Sprintf("%s Credential=%s/%s, SignedHeaders=host;x-amz-date, Signature=%x", sigv4.HMAC, keyID, scope, key.Sign(sigv4.AppendStringToSign(nil, sigv4.HMAC, date, scope, b))))
	return nil
}

// Who is known shows in nothing: not in the answer to a body that is too large, and not in what the
// cache of keys holds.
func TestSigV4UnknownKeys(t *testing.T) {
	s := newSigV4(t, auth.SigV4Config{MaxBodyBytes: 3})
	for _, id := range []string{keyID, "AKIANOBODY"} {
		other := signer
		other.AccessKeyID = id
		r := unsigned("POST", "/", "body")
		require.NoError(t, other.Sign(r, time.Now()))
		require.Contains(t, outcome(t, s, r), "413 ", id)
	}
	for i := range 20 {
		other := signer
		other.AccessKeyID = fmt.Sprint("AKIANOBODY", i)
		for _, sign := range []func(*http.Request, time.Time) error{other.Sign, other.SignV4A} {
			r := unsigned("GET", "/", "")
			require.NoError(t, sign(r, time.Now()))
			require.Equal(t, wrongSignature, outcome(t, s, r))
		}
	}
	require.Equal(t, 2, auth.SigningKeys(s), "one for all who are unknown, in each algorithm")
	asked := ""
	s = newSigV4(t, auth.SigV4Config{Credentials: auth.CredentialFunc(func(_ context.Context, id, token string) (auth.Credential, error) {
		asked += id + ":" + token + " "
		return auth.Credential{SecretAccessKey: secretKey, SessionToken: token}, nil
	})})
	r := unsigned("GET", "/", "")
	other := signer
	other.SessionToken = "a+b c"
	require.NoError(t, other.Presign(r, time.Now(), time.Minute))
	require.Equal(t, "200", outcome(t, s, r))
	require.Equal(t, keyID+":a+b c ", asked)
}
