// Package httpword has the words that HTTP is made of: what a token is, where a host ends and its
// port begins, which answers have a body. Every package that judges one of them asks here, so that
// no two judge differently: a header's name that one station took and the next refused, or a host
// that one cut from its port and the next didn't, is how a request comes to be judged by one and
// served by the other.
//
// golang.org/x/net/http/httpguts has the token as well (ValidHeaderFieldName), but it brings idna
// and the tables of x/text into every program that imports this module. (RFC 9110.)
package httpword

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// tokens has a bit for each byte that may stand in a token: tchar of RFC 9110, section 5.6.2.
var tokens = func() (set [256]bool) {
	for _, c := range []byte("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
		set[c] = true
	}
	return set
}()

// IsTokenByte reports whether c may stand in a token.
func IsTokenByte(c byte) bool { return tokens[c] }

// IsToken reports whether s is a token: a header's name, a method, a subprotocol. The empty string
// is none.
func IsToken(s string) bool {
	for i := range len(s) {
		if !tokens[s[i]] {
			return false
		}
	}
	return s != ""
}

// IsFieldByte reports whether c may stand in a header's value: no control character but the tab. A
// line break in a value would begin a header, or a body, that someone else chose. (RFC 9110,
// section 5.5.)
func IsFieldByte(c byte) bool { return c >= ' ' && c != 0x7f || c == '\t' }

// IsFieldValue reports whether s may be a header's value.
func IsFieldValue(s string) bool {
	for i := range len(s) {
		if !IsFieldByte(s[i]) {
			return false
		}
	}
	return true
}

// HasControl reports whether s has a control character of ASCII, the tab among them: names and
// texts that go into headers, logs and events have none.
func HasControl(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			return true
		}
	}
	return false
}

// Host returns a Host header's host without its port, an IPv6 address in its brackets: "[::1]:8080"
// is "[::1]", and so is "[::1]". What is behind the last colon is a port only where no bracket
// closes behind it, and a bare "::1", which no Host header may hold (RFC 3986, section 3.2.2),
// stays whole: cutting it would make another address of it.
func Host(hostport string) string {
	colon := strings.LastIndexByte(hostport, ':')
	switch {
	case colon < 0, strings.IndexByte(hostport[colon:], ']') >= 0:
		return hostport
	case hostport[0] != '[' && strings.IndexByte(hostport, ':') != colon:
		return hostport
	}
	return hostport[:colon]
}

// Hostname is [Host] without the brackets of an IPv6 address: the name that a certificate is for,
// or the address to connect to.
func Hostname(hostport string) string {
	host := Host(hostport)
	if len(host) >= 2 && host[0] == '[' && host[len(host)-1] == ']' {
		return host[1 : len(host)-1]
	}
	return host
}

// Port returns what a Host header has behind [Host] and its colon, or "" where that is no number.
func Port(hostport string) string {
	port := strings.TrimPrefix(hostport[len(Host(hostport)):], ":")
	if strings.Trim(port, "0123456789") != "" {
		return ""
	}
	return port
}

// IsHost reports whether s is a host name or an IP address, with or without a port, as a Host
// header or the authority of an http URI has it. A name with an escape or a brace is none, nor is
// one behind a user's name, nor one with a port that can't be: no two readers may find different
// servers in it.
func IsHost(s string) bool {
	u, err := url.Parse("http://" + s)
	if err != nil || u.Host != s || u.Hostname() == "" || strings.ContainsAny(s, `/?#@\{}%`) || strings.HasSuffix(s, ":") {
		return false
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	return u.Port() == "" || err == nil && port > 0
}

// BodyAllowed reports whether an answer of this status may have a body: not 1xx, 204 and 304. (RFC
// 9110, section 6.4.1.)
func BodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// BodySent reports whether an answer of this status to this method has a body on the wire. HEAD
// gets the headers that GET would get, and no body. (RFC 9110, section 9.3.2.)
func BodySent(method string, status int) bool {
	return method != http.MethodHead && BodyAllowed(status)
}
