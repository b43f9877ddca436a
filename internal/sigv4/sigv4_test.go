package sigv4_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/sigv4"
)

const (
	exampleID     = "AKIDEXAMPLE"
	exampleSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
)

func TestURI(t *testing.T) {
	for path, want := range map[string]string{
		"": "/", "/": "/", "/prod/pets": "/prod/pets", "/prod//pets/": "/prod/pets/", "/prod/a%2Fb": "/prod/a%252Fb", "/a/b/..": "/a", "/a/../..": "/", "/../a/": "/a/", "/a/./": "/a/",
		"/prod/%40connections/L0SM9cOFvHcCIhw%3D": "/prod/%2540connections/L0SM9cOFvHcCIhw%253D", "/prod/@connections/L0SM9cOFvHcCIhw=": "/prod/%40connections/L0SM9cOFvHcCIhw%3D",
		"/prod/@connections/L0SM9cOFvHcCIhw%3D": "/prod/%40connections/L0SM9cOFvHcCIhw%253D", "/prod/a b": "/prod/a%20b", "/%2e%2e/a": "/%252e%252e/a", "/a/...": "/a/...",
	} {
		require.Equal(t, want, string(sigv4.AppendURI(nil, path, sigv4.PathRules{})), path)
		require.Equal(t, want, string(sigv4.AppendURI([]byte("GET\n"), path, sigv4.PathRules{})[4:]), "%s behind other text", path)
	}
	require.Equal(t, "//a/../b%2520", string(sigv4.AppendURI(nil, "//a/../b%20", sigv4.PathRules{KeepSegments: true})))
	require.Equal(t, "/", string(sigv4.AppendURI(nil, "", sigv4.PathRules{KeepSegments: true})))
	require.Equal(t, "/b%20", string(sigv4.AppendURI(nil, "//a/../b%20", sigv4.PathRules{EscapeOnce: true})))
	require.Equal(t, "//a/../b%20", string(sigv4.AppendURI(nil, "//a/../b%20", sigv4.PathRules{KeepSegments: true, EscapeOnce: true})))
	for path, want := range map[string]bool{"/": true, "/a/b": true, "/a/": true, "//": false, "/a//b": false, "/a/./b": false, "/a/..": false, "/..": false, "": false, "/a//": false, "/...": true} {
		require.Equal(t, want, sigv4.IsNormal(path), path)
	}
}

func TestQuery(t *testing.T) {
	for query, want := range map[string]string{
		"": "", "b=2&a=1&a=0&empty&x=%20y&k=%2f": "a=0&a=1&b=2&empty=&k=%2F&x=%20y", "Param-3=1&Param=2": "Param=2&Param-3=1", "a=+": "a=%2B", "=": "=", "a==": "a=%3D", "a&&b": "a=&b=",
		"X-Amz-Signature=1&a=2": "X-Amz-Signature=1&a=2", "%61=%7e": "a=~", "a=1%": "?", "a=%zz": "?", "a;b": "?", "a=1;2": "?",
	} {
		got, ok := sigv4.AppendQuery(nil, query)
		require.Equal(t, want != "?", ok, query)
		if ok {
			require.Equal(t, want, string(got), query)
		}
	}
	for query, want := range map[string]string{"X-Amz-Signature=1&a=2": "a=2", "a=2&%58-Amz-Signature=1": "a=2", "x-amz-signature=1": "x-amz-signature=1"} {
		got, ok := sigv4.AppendQuery(nil, query, sigv4.SignatureParameter)
		require.True(t, ok, query)
		require.Equal(t, want, string(got), query)
	}
	for n, want := range map[int]bool{10_000: true, 10_001: false} {
		query := strings.Repeat("a&", n-1)
		_, ok := sigv4.AppendQuery(nil, query)
		require.Equal(t, want, ok, n)
		_, err := url.ParseQuery(query)
		require.Equal(t, want, err == nil, "what net/url reads")
	}
}

// FuzzQuery holds the canonical form against net/url's reading.
func FuzzQuery(f *testing.F) {
	f.Add("b=2&a=1&a=0&empty&x=%20y&k=%2f")
	f.Add("%61&%41=+")
	f.Fuzz(func(t *testing.T, query string) {
		got, ok := sigv4.AppendQuery(nil, query)
		values, err := url.ParseQuery(strings.ReplaceAll(query, "+", "%2B"))
		if ok != (err == nil) {
			t.Fatalf("%q: ok %v, net/url says %v", query, ok, err)
		}
		if !ok {
			return
		}
		again, ok := sigv4.AppendQuery(nil, string(got))
		if !ok || string(again) != string(got) {
			t.Errorf("%q: %q, then %q", query, got, again)
		}
		parsed, err := url.ParseQuery(string(got))
		if err != nil || len(parsed) != len(values) {
			t.Errorf("%q: %q", query, got)
		}
		for name, list := range values {
			slices.Sort(list)
			have := parsed[name]
			slices.Sort(have)
			if !slices.Equal(list, have) {
				t.Errorf("%q: %q has %q, want %q", query, name, have, list)
			}
		}
	})
}

func TestPresignedParameters(t *testing.T) {
	p, ok := sigv4.ParsePresigned("a=1&X-Amz-Algorithm=A&X%2dAmz-Credential=k%2Fd&X-Amz-Date=t&X-Amz-Expires=6+0&X-Amz-SignedHeaders=h%3Bi&X-Amz-Security-Token=%2B+&X-Amz-Region-Set=*&%58%2D%41mz%2dSignatur%65=00&X-Amz-Other=%zz")
	require.True(t, ok)
	require.Equal(t, sigv4.Presigned{Algorithm: "A", Credential: "k/d", Date: "t", Expires: "6+0", SignedHeaders: "h;i", Signature: "00", Token: "++", RegionSet: "*", Signs: true, Dated: true}, p)
	for query, want := range map[string]sigv4.Presigned{"": {}, "a=X-Amz-Signature": {}, "x-amz-signature=1": {}, "X-Amz-Signature=": {Signs: true}, "X-Amz-Signature": {Signs: true}, "X-Amz-Date=1": {Date: "1", Dated: true}, "X-Amz-Security-Token=1": {Token: "1"}, "X-Amz": {}, "X-Amz%2": {}} {
		p, ok := sigv4.ParsePresigned(query)
		require.True(t, ok, query)
		require.Equal(t, want, p, query)
	}
	for _, query := range []string{"X-Amz-Date=1&X-Amz-Date=1", "X-Amz-Signature&X-Amz%2DSignature", "X-Amz-Date=%", "X-Amz-Dat%", "X-Amz-Date=1;2"} {
		_, ok := sigv4.ParsePresigned(query)
		require.False(t, ok, query)
	}
}

// FuzzPresigned: where net/url understands the whole query, what is found is what its readers find.
func FuzzPresigned(f *testing.F) {
	f.Add("X-Amz-Algorithm=A&X%2dAmz-Credential=k%2Fd&X-Amz-Date=t&X-Amz-Signature=")
	f.Add("X-Amz-Date=1&X-Amz%2DDate=1")
	f.Fuzz(func(t *testing.T, query string) {
		p, ok := sigv4.ParsePresigned(query)
		values, err := url.ParseQuery(strings.ReplaceAll(query, "+", "%2B"))
		if err != nil {
			return
		}
		once := true
		for name, got := range map[string]string{
			"X-Amz-Algorithm": p.Algorithm, "X-Amz-Credential": p.Credential, "X-Amz-Date": p.Date, "X-Amz-Expires": p.Expires, "X-Amz-SignedHeaders": p.SignedHeaders,
			"X-Amz-Signature": p.Signature, "X-Amz-Security-Token": p.Token, "X-Amz-Region-Set": p.RegionSet,
		} {
			once = once && len(values[name]) <= 1
			if ok && got != values.Get(name) {
				t.Errorf("%q: %s is %q, want %q", query, name, got, values.Get(name))
			}
		}
		if ok != once {
			t.Errorf("%q: ok is %v", query, ok)
		}
		signs := values.Has("X-Amz-Algorithm") || values.Has("X-Amz-Credential") || values.Has("X-Amz-Expires") || values.Has("X-Amz-SignedHeaders") || values.Has("X-Amz-Signature")
		if ok && (p.Signs != signs || p.Dated != values.Has("X-Amz-Date")) {
			t.Errorf("%q: %+v", query, p)
		}
	})
}

func TestKeys(t *testing.T) {
	key := sigv4.DeriveHMACKey(exampleSecret, "20240102", "us-east-1", "execute-api")
	require.Equal(t, "30c003cc4474dee37140dfdfacea6b7bdb1cb7b5f86b04785d2ac30ffe0063a7", hex.EncodeToString(key[:]))
	for _, size := range []int{0, 1, 447, 448, 449, 5000} { // across the room that lives on the stack
		message := []byte(strings.Repeat("x", size))
		h := hmac.New(sha256.New, key[:])
		h.Write(message)
		got := key.Sign(message)
		require.Equal(t, h.Sum(nil), got[:])
	}
	for _, size := range []int{0, 59, 60, 61, 100} { // with AWS4 before them, across the block of the hash
		secret := strings.Repeat("s", size)
		derived := sigv4.DeriveHMACKey(secret, "20240102", "us-east-1", "execute-api")
		h := hmac.New(sha256.New, []byte("AWS4"+secret))
		h.Write([]byte("20240102"))
		for _, part := range []string{"us-east-1", "execute-api", "aws4_request"} {
			next := hmac.New(sha256.New, h.Sum(nil))
			next.Write([]byte(part))
			h = next
		}
		require.Equal(t, h.Sum(nil), derived[:], size)
	}

	for _, tt := range []struct{ id, secret, d string }{
		{"AKISORANDOMAASORANDOM", "q+jcrXGc+0zWN6uzclKVhvMmUsIfRPa4rlRandom", "7fd3bd010c0d9c292141c2b77bfbde1042c92e6836fff749d1269ec890fca1bd"},
		{exampleID, exampleSecret, "7efc8c0e65a324242818c5a50c891c6060b6a00717b7ba3cbe3c5d765be9259c"},
	} {
		private, err := sigv4.DeriveECDSAKey(tt.id, tt.secret)
		require.NoError(t, err)
		d, err := private.Bytes()
		require.NoError(t, err)
		require.Equal(t, tt.d, hex.EncodeToString(d))
	}
}

// TestECDSA verifies the published SigV4A example, and that what a strict reader must refuse is
// refused.
func TestECDSA(t *testing.T) {
	private, err := sigv4.DeriveECDSAKey(exampleID, exampleSecret)
	require.NoError(t, err)
	public, err := private.PublicKey.Bytes()
	require.NoError(t, err)
	require.Equal(t, "04b6618f6a65740a99e650b33b6b4b5bd0d43b176d721a3edfea7e7d2d56d936b1865ed22a7eadc9c5cb9d2cbaca1b3699139fedc5043dc6661864218330c8e518", hex.EncodeToString(public))
	canonical := "GET\n/prod/pets\n\nhost:abc123.execute-api.us-east-1.amazonaws.com\nx-amz-date:20240102T030405Z\nx-amz-region-set:us-east-1,eu-*\n\nhost;x-amz-date;x-amz-region-set\n" + sigv4.EmptyHash
	sum := sha256.Sum256([]byte(canonical))
	require.Equal(t, "1f2e2f2de543857ead2b645fe2de95a10751770fcfa20db7ae70fa017e03b9da", hex.EncodeToString(sum[:]))
	toSign := sigv4.AppendStringToSign(nil, sigv4.ECDSA, "20240102T030405Z", "20240102/execute-api/aws4_request", []byte(canonical))
	digest := sha256.Sum256(toSign)
	signature, err := hex.DecodeString("3045022100c0482fd23334fddfaa527a1daff26752229fe87d17f469556743eb229cf69c1502207d1c63d8f4d004b465da30e1059b6f30833e93d532682211ae59b20efc40928d")
	require.NoError(t, err)
	require.True(t, ecdsa.VerifyASN1(&private.PublicKey, digest[:], signature))
	n := elliptic.P256().Params().N
	s := new(big.Int).Sub(n, new(big.Int).SetBytes(signature[len(signature)-32:]))
	r := new(big.Int).SetBytes(signature[5:37])
	der := func(r, s []byte) []byte {
		body := append(append([]byte{2, byte(len(r))}, r...), append([]byte{2, byte(len(s))}, s...)...)
		return append([]byte{0x30, byte(len(body))}, body...)
	}
	positive := func(i *big.Int) []byte {
		b := i.Bytes()
		if b[0] >= 0x80 {
			b = append([]byte{0}, b...)
		}
		return b
	}
	require.True(t, ecdsa.VerifyASN1(&private.PublicKey, digest[:], der(positive(r), positive(s))), "r and n-s verify, too")
	for name, bad := range map[string][]byte{
		"trailing": append(slices.Clone(signature), 0), "negative": der(r.Bytes(), positive(s)), "r-zero": der([]byte{0}, positive(s)), "s-zero": der(positive(r), []byte{0}), "empty": nil,
		"padded": der(append([]byte{0, 0}, r.Bytes()...), positive(s)),
	} {
		require.False(t, ecdsa.VerifyASN1(&private.PublicKey, digest[:], bad), name)
	}
}

func TestParse(t *testing.T) {
	for _, text := range []string{"20240102T030405Z", "20240229T235959Z", "19991231T000000Z"} {
		at, ok := sigv4.ParseTime(text)
		require.True(t, ok)
		require.Equal(t, text, sigv4.FormatTime(at))
	}
	for _, text := range []string{"20230229T000000Z", "20240001T000000Z", "20241301T000000Z", "20240100T000000Z", "20240102T240000Z", "20240102T006000Z", "20240102T000060Z"} {
		_, ok := sigv4.ParseTime(text)
		require.False(t, ok, text)
	}
	c, terminated, ok := sigv4.ParseCredential(sigv4.HMAC, "AKID/20240102/us-east-1/execute-api/aws4_request")
	require.True(t, ok && terminated)
	require.Equal(t, sigv4.Credential{KeyID: "AKID", Date: "20240102", Region: "us-east-1", Service: "execute-api", Scope: "20240102/us-east-1/execute-api/aws4_request"}, c)
	_, terminated, ok = sigv4.ParseCredential(sigv4.HMAC, "AKID/20240102/us-east-1/execute-api/aws4")
	require.True(t, ok && !terminated)
	for _, text := range []string{"", "AKID", "/20240102/us-east-1/execute-api/aws4_request", "AKID/20240102/us-east-1/execute-api/aws4_request/x", "A/B/20240102/us-east-1/execute-api/aws4_request", "AKID/20240102/execute-api/aws4_request", "AKID/20240102//execute-api/aws4_request", "AKID//us-east-1/execute-api/aws4_request"} {
		_, _, ok := sigv4.ParseCredential(sigv4.HMAC, text)
		require.False(t, ok, text)
	}
	_, _, ok = sigv4.ParseCredential(sigv4.ECDSA, "AKID/20240102/execute-api/aws4_request")
	require.True(t, ok)
	for _, text := range []string{"", "20240102T030405", "20240102t030405z", "20240102T030405.5Z", "2024-01-02T03:04:05Z", "20240132T030405Z", "20240102T030405+0100", "Tue, 02 Jan 2024 03:04:05 GMT"} {
		_, ok := sigv4.ParseTime(text)
		require.False(t, ok, text)
	}
	for _, text := range []string{"Credential", "Credential=a,Credential=b", "Credential=a, Other=b", "Credential=", "", "Credential=a,,Signature=b", "credential=a"} {
		_, ok := sigv4.ParseAuthorization(text)
		require.False(t, ok, text)
	}
	a, ok := sigv4.ParseAuthorization("SignedHeaders=h,\tCredential=a=b ,  Signature=c")
	require.True(t, ok)
	require.Equal(t, sigv4.Authorization{Credential: "a=b", SignedHeaders: "h", Signature: "c"}, a)
	for set, want := range map[string]bool{"": false, "*": true, "us-*": true, "eu-west-1, us-east-1": true, "us-east-1,": true, "*east*1": true, "us-east": false, "eu-*": false, "us-east-1x": false, "*-2": false, "us**-1": true} {
		require.Equal(t, want, sigv4.InRegionSet(set, "us-east-1"), set)
	}
}

// What parses says nothing else than its parts, put together again.
func FuzzCredentialScope(f *testing.F) {
	f.Add("AKID/20240102/us-east-1/execute-api/aws4_request")
	f.Fuzz(func(t *testing.T, text string) {
		for _, algorithm := range []string{sigv4.HMAC, sigv4.ECDSA} {
			c, _, ok := sigv4.ParseCredential(algorithm, text)
			if ok && c.KeyID+"/"+c.Scope != text {
				t.Errorf("%q became %+v", text, c)
			}
			if !ok && c != (sigv4.Credential{}) {
				t.Errorf("%q: want nothing with a refusal, got %+v", text, c)
			}
		}
	})
}

func FuzzAuthorizationHeader(f *testing.F) {
	f.Add("Credential=a/b, SignedHeaders=host;x-amz-date, Signature=00")
	f.Fuzz(func(t *testing.T, text string) {
		a, ok := sigv4.ParseAuthorization(text)
		if !ok {
			return
		}
		var parts []string
		for _, p := range [][2]string{{"Credential=", a.Credential}, {"SignedHeaders=", a.SignedHeaders}, {"Signature=", a.Signature}} {
			if p[1] != "" {
				parts = append(parts, p[0]+p[1])
			}
		}
		if again, ok := sigv4.ParseAuthorization(strings.Join(parts, ", ")); !ok || again != a {
			t.Errorf("%q: %+v, then %+v", text, a, again)
		}
	})
}

type vector struct {
	Name, Method, Path, Query, Body, Token string
	Headers                                map[string][]string
	TokenAfter, Raw                        bool
	Header, Presigned                      string
}

func suite(t testing.TB) (vectors []vector) {
	text, err := os.ReadFile("testdata/suite.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &vectors))
	require.Len(t, vectors, 38)
	return vectors
}

// TestSuite computes every signature of AWS's suite, in both forms.
func TestSuite(t *testing.T) {
	const date = "20150830T123600Z"
	const scope = "20150830/us-east-1/service/aws4_request"
	for _, v := range suite(t) {
		t.Run(v.Name, func(t *testing.T) {
			hash := sigv4.EmptyHash
			if v.Body != "" {
				sum := sha256.Sum256([]byte(v.Body))
				hash = hex.EncodeToString(sum[:])
			}
			sign := func(headers map[string][]string, query string) string {
				var names []string
				for name := range headers {
					names = append(names, strings.ToLower(name))
				}
				slices.Sort(names)
				b := sigv4.AppendURI([]byte(v.Method+"\n"), v.Path, sigv4.PathRules{KeepSegments: v.Raw})
				b, ok := sigv4.AppendQuery(append(b, '\n'), query)
				require.True(t, ok)
				b = append(b, '\n')
				for _, name := range names {
					for given, values := range headers {
						if strings.EqualFold(given, name) {
							b = sigv4.AppendHeader(b, name, values...)
						}
					}
				}
				b = append(b, "\n"+strings.Join(names, ";")+"\n"+hash...)
				key := sigv4.DeriveHMACKey(exampleSecret, "20150830", "us-east-1", "service")
				signature := key.Sign(sigv4.AppendStringToSign(nil, sigv4.HMAC, date, scope, b))
				return hex.EncodeToString(signature[:])
			}
			headers := map[string][]string{"Host": {"example.amazonaws.com"}}
			for name, values := range v.Headers {
				headers[name] = values
			}
			signed := []string{}
			for name := range headers {
				signed = append(signed, strings.ToLower(name))
			}
			slices.Sort(signed)
			query := url.Values{"X-Amz-Algorithm": {sigv4.HMAC}, "X-Amz-Credential": {exampleID + "/" + scope}, "X-Amz-Date": {date}, "X-Amz-Expires": {"3600"}, "X-Amz-SignedHeaders": {strings.Join(signed, ";")}}
			if v.Token != "" && !v.TokenAfter {
				query.Set("X-Amz-Security-Token", v.Token)
			}
			text := query.Encode()
			if v.Query != "" {
				text = v.Query + "&" + text
			}
			require.Equal(t, v.Presigned, sign(headers, text), "query form")
			headers["X-Amz-Date"] = []string{date}
			if v.Token != "" && !v.TokenAfter {
				headers["X-Amz-Security-Token"] = []string{v.Token}
			}
			if v.Body != "" {
				headers["X-Amz-Content-Sha256"] = []string{hash}
			}
			require.Equal(t, v.Header, sign(headers, v.Query), "header form")
		})
	}
}
