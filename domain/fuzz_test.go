package domain_test

import (
	"math/rand/v2"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/domain"
)

var hostForm = regexp.MustCompile(`^([A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*)\.?(?::([0-9]{0,5}))?$`)

// obviousHost is what normalize should say.
func obviousHost(host string) (string, bool) {
	m := hostForm.FindStringSubmatch(host)
	if m == nil || len(m[1]) > 253 {
		return "", false
	}
	if port, err := strconv.Atoi("0" + m[2]); err != nil || port > 65535 {
		return "", false
	}
	return strings.ToLower(m[1]), true
}

func FuzzHost(f *testing.F) {
	for _, host := range []string{
		"api.example.com", "API.example.com.:443", "a:", "a..b", ".", ":", "[::1]:80", "user@a", "a:65536", "a:065535", strings.Repeat("a", 64), strings.Repeat("a.", 126) + "a.", "é.com", "*.a",
	} {
		f.Add(host)
	}
	f.Fuzz(func(t *testing.T, host string) {
		got, ok := domain.Normalize(host)
		want, wantOK := obviousHost(host)
		if got != want || ok != wantOK {
			t.Fatalf("normalize(%q) = %q %t, want %q %t", host, got, ok, want, wantOK)
		}
		if again, ok := domain.Normalize(got); wantOK && (again != got || !ok) {
			t.Fatalf("normalize(%q) = %q, but of that %q %t", host, got, again, ok)
		}
		if domain.CheckHost(host) == "" && !strings.HasPrefix(host, "*.") && got != host {
			t.Fatalf("a configured %q is never matched", host)
		}
	})
}

// obviousKey compares the path, as it was sent, with each key.
func obviousKey(keys []string, sent string) (longest string, ok bool) {
	for _, key := range keys {
		switch {
		case key == "":
			ok = true
		case strings.HasPrefix(sent+"/", "/"+key+"/"):
			ok = true
			if len(key) > len(longest) {
				longest = key
			}
		}
	}
	return longest, ok
}

func checkMatch(t *testing.T, keys []string, sent string) {
	var compiled domain.Keys
	for _, key := range keys {
		compiled.Add(key)
	}
	u, err := url.ParseRequestURI(sent)
	if err != nil || u.Opaque != "" || u.Host != "" {
		return
	}
	sent = u.EscapedPath()
	wantKey, wantOK := obviousKey(keys, sent)
	path, asSent := u.Path, false
	if u.RawPath != "" {
		path, asSent = sent, true
	}
	key, ok := compiled.Match(path, asSent)
	if key != wantKey || ok != wantOK {
		t.Fatalf("of %q, %q has %q %t, want %q %t", keys, sent, key, ok, wantKey, wantOK)
	}
}

func FuzzMappings(f *testing.F) {
	f.Add("orders orders/v1 a(b) ", "/orders/v1/x")
	f.Add("a(b)/c a", "/a%28b)/c")
	f.Add("a(b)/c a", "/a(b)/c/%20")
	f.Add("a$+!*'()/x-_.", "/a$+!*'()/x-_./y")
	f.Add("a", "//a")
	f.Add("a b/c", "/b/c?x")
	f.Add("", "*")
	f.Fuzz(func(t *testing.T, list, sent string) {
		var keys []string
		for key := range strings.SplitSeq(list, " ") {
			if key == "" || domain.CheckKey(key) == "" {
				keys = append(keys, key)
				if len(key) > 300 || strings.HasPrefix(key, "/") || strings.HasSuffix(key, "/") || path.Clean("/"+key) != "/"+key {
					t.Fatalf("the key %q is taken", key)
				}
			}
		}
		checkMatch(t, keys, sent)
	})
}

// The same with keys and paths of few words, so that they meet.
func TestMappingsAgainstTheObviousMatcher(t *testing.T) {
	words := []string{"a", "b", "ab", "a(b)", "v1", "", "%61", "a%28b%29", "A", "a%2Fb"}
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		join := func(n int) string {
			var parts []string
			for range n {
				parts = append(parts, words[random.IntN(len(words))])
			}
			return strings.Join(parts, "/")
		}
		var keys []string
		for range random.IntN(6) {
			if key := join(1 + random.IntN(4)); key == "" || domain.CheckKey(key) == "" {
				keys = append(keys, key)
			}
		}
		checkMatch(t, keys, "/"+join(random.IntN(6)))
	}
}

func FuzzGlob(f *testing.F) {
	for _, seed := range [][2]string{{"Dog-*", "Dog-1"}, {"*x", "ax"}, {"*x*", "axb"}, {"*", ""}, {"a?", "ab"}, {"a.b", "axb"}, {"**", "x"}, {"a*b", "ab"}, {"*aa*", "a"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, glob, value string) {
		got, ok := domain.MatchGlob(glob, value)
		want := false
		if ok {
			pattern := "(?s)^" + strings.ReplaceAll(regexp.QuoteMeta(glob), `\*`, ".*") + "$"
			re := regexp.MustCompile(pattern)
			want = re.MatchString(value)
			if inner := glob[1:max(1, len(glob)-1)]; strings.Contains(inner, "*") {
				t.Fatalf("the glob %q is taken", glob)
			}
		}
		if got != want {
			t.Fatalf("%q covers %q: got %t, want %t", glob, value, got, want)
		}
	})
}

func FuzzTruststore(f *testing.F) {
	root := authority(f, nil, "root")
	f.Add(bundle(root))
	f.Add(bundle(root, authority(f, root, "middle")))
	f.Add([]byte("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := domain.ParseTruststore(data); err == nil {
			require.Contains(t, string(data), "-----BEGIN CERTIFICATE-----")
		}
	})
}
