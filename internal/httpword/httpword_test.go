package httpword_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/httpword"
)

// The bytes that RFC 9110 excludes: controls, the blank, delimiters, and whatever isn't ASCII.
func TestTokenBytes(t *testing.T) {
	for c := range 256 {
		want := c > ' ' && c < 0x7f && !strings.ContainsRune(`"(),/:;<=>?@[\]{}`, rune(c))
		require.Equal(t, want, httpword.IsTokenByte(byte(c)), "%q", byte(c))
		require.Equal(t, want, httpword.IsToken(string([]byte{byte(c)})), "%q", byte(c))
	}
	require.False(t, httpword.IsToken(""))
	require.False(t, httpword.IsToken("X-Tenant "))
	require.False(t, httpword.IsToken("X Tenant"))
	require.True(t, httpword.IsToken("X-Tenant"))
}

func TestHost(t *testing.T) {
	for _, tt := range []struct{ in, host, hostname string }{
		{"", "", ""},
		{"a.example", "a.example", "a.example"},
		{"a.example:8080", "a.example", "a.example"},
		{"a.example:", "a.example", "a.example"},
		{":8080", "", ""},
		{"192.0.2.1:80", "192.0.2.1", "192.0.2.1"},
		{"[::1]", "[::1]", "::1"},
		{"[::1]:8080", "[::1]", "::1"},
		{"[2001:db8::1]:443", "[2001:db8::1]", "2001:db8::1"},
		{"::1", "::1", "::1"},
		{"2001:db8::1", "2001:db8::1", "2001:db8::1"},
		{"[", "[", "["},
		{"[]", "[]", ""},
		{"[::1", "[:", "[:"},
	} {
		require.Equal(t, tt.host, httpword.Host(tt.in), "Host(%q)", tt.in)
		require.Equal(t, tt.hostname, httpword.Hostname(tt.in), "Hostname(%q)", tt.in)
	}
}

func TestIsHost(t *testing.T) {
	for _, good := range []string{"a", "a.example", "a.example:8080", "192.0.2.1", "192.0.2.1:1", "[::1]", "[::1]:65535", "a_b", "xn--bcher-kva.example"} {
		require.True(t, httpword.IsHost(good), good)
	}
	for _, bad := range []string{
		"", ":80", "a:", "a:0", "a:65536", "a:x", "a:80:80", "::1", "[::1", "a b", "a/b", "a?b", "a#b", "u@a", "a%41", "a\\b", "{a}", "a\x00", "a\n", "[::1%25eth0]",
	} {
		require.False(t, httpword.IsHost(bad), "%q", bad)
	}
}

func TestBodyAllowed(t *testing.T) {
	for status, want := range map[int]bool{100: false, 101: false, 103: false, 200: true, 204: false, 205: true, 304: false, 404: true, 599: true} {
		require.Equal(t, want, httpword.BodyAllowed(status), "%d", status)
		require.Equal(t, want, httpword.BodySent(http.MethodGet, status), "GET %d", status)
		require.False(t, httpword.BodySent(http.MethodHead, status), "HEAD %d", status)
	}
}

// Where the standard library takes host and port apart, Hostname agrees with it.
func FuzzHost(f *testing.F) {
	for _, s := range []string{"a:80", "[::1]:80", "::1", "[::1]", "a", ":", "[]:1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		host := httpword.Host(s)
		if !strings.HasPrefix(s, host) {
			t.Errorf("Host(%q) = %q, which isn't how it begins", s, host)
		}
		if again := httpword.Host(host); again != host && strings.Count(s, ":") < 2 {
			t.Errorf("Host(%q) = %q, and of that %q", s, host, again)
		}
		if name, port, err := net.SplitHostPort(s); err == nil && !strings.ContainsAny(name, "[]%") && !strings.ContainsAny(port, "[]") {
			if got := httpword.Hostname(s); got != name {
				t.Errorf("Hostname(%q) = %q, want %q", s, got, name)
			}
		}
	})
}

func ExampleHost() {
	fmt.Println(httpword.Host("api.example.com:8443"), httpword.Host("[::1]:8443"), httpword.Host("[::1]"))
	// Output:
	// api.example.com [::1] [::1]
}

// What may stand in a header's value, and what may in none: the tab is the one control character between them. (RFC 9110, section 5.5.)
func TestFieldValuesAndControls(t *testing.T) {
	for c := range 256 {
		control := c < ' ' || c == 0x7f
		text := "a" + string([]byte{byte(c)}) + "b"
		require.Equal(t, control, httpword.HasControl(text), "%q", text)
		require.Equal(t, !control || c == '\t', httpword.IsFieldByte(byte(c)), "%q", text)
		require.Equal(t, !control || c == '\t', httpword.IsFieldValue(text), "%q", text)
	}
	require.True(t, httpword.IsFieldValue(""))
	require.False(t, httpword.HasControl(""))
}

// Host and port are two halves of one text, so that no byte is in both or, but for the colon, in none.
func TestPort(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "a.example": "", "a.example:8443": "8443", "a.example:": "", "a.example:https": "", "a:80:90": "", "[::1]": "", "[::1]:8080": "8080", "::1": "", ":80": "80",
		"a.example:80]": "",
	} {
		require.Equal(t, want, httpword.Port(in), "Port(%q)", in)
		if want != "" {
			require.Equal(t, in, httpword.Host(in)+":"+want)
		}
	}
}
