package integration

import (
	"net/netip"

	"github.com/gatekit-go/gatekit/internal/httpword"
)

// forwarded is one element of the Forwarded header: what this gateway knows of its side of the
// request.
type forwarded struct {
	by, client  netip.Addr // the zero Addr: unknown
	host, proto string
}

// after returns the header with the element behind those of a client's lines. Lines that are no
// list give way: what they do to what stands behind them can't be told.
func (f *forwarded) after(lines []string) string {
	var room [256]byte
	b := room[:0]
	for _, line := range lines {
		if !isForwarded(line) {
			b = room[:0]
			break
		}
		b = append(append(b, line...), ", "...)
	}
	return string(f.appendTo(b))
}

// appendTo appends the element to b:
// by=192.0.2.1;for="[2001:db8::1]";host=api.example.com;proto=https, in the order that the managed
// gateway was seen to write. (RFC 7239, section 4.)
func (f *forwarded) appendTo(b []byte) []byte {
	b = appendNode(append(b, "by="...), f.by)
	b = appendNode(append(b, ";for="...), f.client)
	if f.host != "" {
		if longer, ok := appendValue(append(b, ";host="...), f.host); ok {
			b = longer
		}
	}
	return append(append(b, ";proto="...), f.proto...)
}

// appendNode appends an address. An IPv6 address needs brackets, and these quotes. (RFC 7239,
// section 6.)
func appendNode(b []byte, addr netip.Addr) []byte {
	switch addr = addr.Unmap().WithZone(""); {
	case !addr.IsValid():
		return append(b, "unknown"...)
	case addr.Is4():
		return addr.AppendTo(b)
	}
	return append(addr.AppendTo(append(b, `"[`...)), `]"`...)
}

// appendValue appends s as a token, or quoted if it isn't one. It reports false for what no host
// has: control characters and what would have to be escaped, which readers get wrong.
func appendValue(b []byte, s string) ([]byte, bool) {
	token := s != ""
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ' || c >= 0x7f || c == '"' || c == '\\':
			return b, false
		case !httpword.IsTokenByte(c):
			token = false
		}
	}
	if token {
		return append(b, s...), true
	}
	return append(append(append(b, '"'), s...), '"'), true
}

// isForwarded reports whether s is a list of forwarded elements. A list with a quoted string that
// doesn't end would swallow the element that is appended to it. (RFC 7239, section 4.)
func isForwarded(s string) bool {
	for i := 0; ; {
		i = blanks(s, i)
		for {
			start := i
			for i < len(s) && httpword.IsTokenByte(s[i]) {
				i++
			}
			if i == start || i == len(s) || s[i] != '=' {
				return false
			}
			i++
			var ok bool
			if i, ok = value(s, i); !ok {
				return false
			}
			if i == len(s) || s[i] != ';' {
				break
			}
			i++
		}
		if i = blanks(s, i); i == len(s) {
			return true
		}
		if s[i] != ',' {
			return false
		}
		i++
	}
}

func blanks(s string, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\t') {
		i++
	}
	return i
}

// value returns the index behind the token or quoted string at i.
func value(s string, i int) (int, bool) {
	if i == len(s) || s[i] != '"' {
		start := i
		for i < len(s) && httpword.IsTokenByte(s[i]) {
			i++
		}
		return i, i > start
	}
	for i++; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return i + 1, true
		case c == '\\':
			if i++; i == len(s) || !httpword.IsFieldByte(s[i]) {
				return i, false
			}
		case !httpword.IsFieldByte(c):
			return i, false
		}
	}
	return i, false
}
