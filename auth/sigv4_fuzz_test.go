package auth_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/authtest"
)

// FuzzSigV4RoundTrip signs any request in every form, which must be admitted, and changes one bit
// of it, which must be refused unless the obvious reading says that both are the same request.
func FuzzSigV4RoundTrip(f *testing.F) {
	for form := range byte(4) {
		f.Add("GET", "/a/b", "x=1&x=0&y", "value", []byte("body"), form, byte(0), uint16(3))
		f.Add("POST", "/%2F/~", "a=%20+", "  a   b ", []byte(nil), form, byte(1), uint16(200))
		f.Add("PUT", "/a//b", "b=2&a=%61", "a,b", []byte{0}, form, byte(2), uint16(11))
		f.Add("PUT", "/a", "", "x", []byte("{}"), form, byte(3), uint16(5))
		f.Add("PUT", "/a", "", "x", []byte("{}"), form, byte(4), uint16(5))
		f.Add("PUT", "/a", "", "x", []byte("{}"), form, byte(5), uint16(77))
	}
	s, err := auth.NewSigV4(auth.SigV4Config{Region: "us-east-1", Credentials: auth.StaticCredentials{keyID: bob}})
	if err != nil {
		f.Fatal(err)
	}
	one := authtest.Signer{AccessKeyID: keyID, SecretAccessKey: secretKey, Region: "us-east-1"}
	many := one
	many.Region = "us-*,eu-west-1"
	f.Fuzz(func(t *testing.T, method, path, query, value string, body []byte, form, part byte, bit uint16) {
		if strings.Trim(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" || method == "" || !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "?# ") || strings.ContainsAny(query, "# ") {
			return
		}
		r, err := http.NewRequest(method, "http://abc.example"+path, nil)
		if err != nil || r.URL.EscapedPath() != path {
			return
		}
		withBody := func(r *http.Request, body []byte) {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(string(body))), int64(len(body))
		}
		withBody(r, body)
		r.URL.RawQuery = query
		r.Header.Set("X-Amz-Meta-Any", value)
		at := time.Now()
		switch form % 4 {
		case 0:
			err = one.Sign(r, at)
		case 1:
			err = one.Presign(r, at, time.Minute)
		case 2:
			err = many.SignV4A(r, at)
		case 3:
			err = many.PresignV4A(r, at, time.Minute)
		}
		if err != nil {
			return
		}
		r.RequestURI = path
		changed := r.Clone(t.Context())
		withBody(r, body)
		if _, err := s.Authorize(r); err != nil {
			var rejection *gatekit.Rejection
			if errors.As(err, &rejection) && (rejection.Status == 400 || rejection.Status == 414 && len(method)+len(path) > 1400) || readsOwnParameters(query) {
				return // a path that means two things, or is too long for an ARN, or a query that is a presigned one already
			}
			t.Fatalf("%s %q %q: %v", method, path, query, err)
		}
		if got, _ := io.ReadAll(r.Body); string(got) != string(body) {
			t.Fatalf("the handler reads %q, not %q", got, body)
		}

		signed := changed.Clone(t.Context())
		flip := func(text string) string {
			if text == "" {
				return "0"
			}
			b := []byte(text)
			b[int(bit/8)%len(b)] ^= 1 << (bit % 8)
			return string(b)
		}
		switch part % 6 {
		case 0:
			changed.Method = flip(method)
		case 1:
			changed.RequestURI = flip(path)
		case 2:
			changed.URL.RawQuery = flip(changed.URL.RawQuery)
		case 3:
			changed.Header.Set("X-Amz-Meta-Any", flip(value))
		case 4:
			body = []byte(flip(string(body)))
		case 5:
			if form%2 == 1 {
				changed.Host = flip("abc.example")
			} else {
				changed.Header.Set("Authorization", flip(changed.Header.Get("Authorization")))
			}
		}
		withBody(changed, body)
		if _, err := s.Authorize(changed); err == nil && !sameRequest(signed, changed, part%6) {
			t.Errorf("%s %q %q, header %q: admitted though part %d was changed: %s %q %q, header %q", method, path, signed.URL.RawQuery, signed.Header, part%6, changed.Method, changed.RequestURI, changed.URL.RawQuery, changed.Header)
		}
	})
}

func readsOwnParameters(query string) bool {
	values, _ := url.ParseQuery(query)
	for name := range values {
		if strings.HasPrefix(name, "X-Amz-") {
			return true
		}
	}
	return false
}

// sameRequest is the obvious reading of what a change leaves as it was.
func sameRequest(signed, changed *http.Request, part byte) bool {
	switch part {
	case 1:
		segments := func(path string) (normal []string) {
			path, _, _ = strings.Cut(path, "?") // the rest isn't the path
			for _, segment := range strings.Split(path, "/") {
				switch {
				case segment == "..":
					normal = normal[:max(len(normal)-1, 0)]
				case segment != "" && segment != ".":
					normal = append(normal, segment)
				}
			}
			if strings.HasSuffix(path, "/") && len(normal) > 0 {
				normal = append(normal, "/")
			}
			return normal
		}
		// A request target of another form has its path in URL, which wasn't changed.
		return !strings.HasPrefix(changed.RequestURI, "/") || slices.Equal(segments(signed.RequestURI), segments(changed.RequestURI))
	case 2:
		pairs := func(query string) (pairs []string) {
			values, _ := url.ParseQuery(strings.ReplaceAll(query, "+", "%2B"))
			for name, list := range values {
				for _, value := range list {
					pairs = append(pairs, url.QueryEscape(name)+"="+url.QueryEscape(value))
				}
			}
			slices.Sort(pairs)
			return pairs
		}
		return slices.Equal(pairs(signed.URL.RawQuery), pairs(changed.URL.RawQuery))
	case 3:
		value := func(r *http.Request) string {
			return strings.Join(strings.FieldsFunc(r.Header.Get("X-Amz-Meta-Any"), isBlank), " ")
		}
		return value(signed) == value(changed)
	case 5: // a blank more or less between parameters
		value := func(r *http.Request) string {
			return strings.ReplaceAll(strings.ReplaceAll(r.Header.Get("Authorization"), "\t", ""), " ", "")
		}
		return value(signed) == value(changed)
	}
	return false
}

func isBlank(c rune) bool { return c == ' ' || '\t' <= c && c <= '\r' }
