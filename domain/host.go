package domain

import "strings"

// Bounds of a host name. (RFC 1035, section 2.3.4; the managed gateway takes up to 512 characters,
// which no resolver does.)
const (
	maxHostBytes  = 253
	maxLabelBytes = 63
)

// normalize returns the host name in a Host header or a TLS server name: without a port, in lower
// case, without one trailing dot. It is strict, and ok is false for all that isn't a DNS name:
// addresses in brackets, userinfo, blanks, ports that are none, characters that another reader
// might end the name at. It allocates only to change upper case.
func normalize(host string) (name string, ok bool) {
	if len(host) > maxHostBytes+len(".:65535") {
		return "", false
	}
	if colon := strings.IndexByte(host, ':'); colon >= 0 {
		if !isPort(host[colon+1:]) {
			return "", false
		}
		host = host[:colon]
	}
	host = strings.TrimSuffix(host, ".")
	if len(host) == 0 || len(host) > maxHostBytes {
		return "", false
	}
	upper, label := false, 0
	for i := range len(host) {
		switch b := host[i]; {
		case 'a' <= b && b <= 'z', '0' <= b && b <= '9', b == '-', b == '_':
			label++
		case 'A' <= b && b <= 'Z':
			label++
			upper = true
		case b == '.' && label > 0:
			label = 0
		default:
			return "", false
		}
		if label > maxLabelBytes {
			return "", false
		}
	}
	if label == 0 {
		return "", false // a second trailing dot
	}
	if upper {
		host = strings.ToLower(host)
	}
	return host, true
}

// isPort reports whether s is a decimal port. It may be empty (RFC 3986, section 3.2.3).
func isPort(s string) bool {
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' || i == 5 {
			return false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n <= 65535
}

// checkHost returns what is wrong with a configured host name, or "".
func checkHost(host string) string {
	name := host
	if rest, ok := strings.CutPrefix(host, "*."); ok {
		name = rest
	}
	switch normal, ok := normalize(name); {
	case !ok || len(host) > maxHostBytes:
		return `a DNS name such as "api.example.com" or "*.example.com", where * is the whole first label`
	case normal != name:
		return "lower case, no port and no dot at the end"
	case strings.Trim(name[strings.LastIndexByte(name, '.')+1:], "0123456789") == "":
		return "a DNS name, not an address: clients send none in TLS" // RFC 6066, section 3
	}
	return ""
}

// isGenerated reports whether a host name is one that the managed gateway gives to an API:
// a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com.
func isGenerated(host string) bool {
	_, behind, _ := strings.Cut(host, ".")
	return strings.HasPrefix(behind, "execute-api.")
}

// hosts finds the Name of a host.
type hosts struct {
	exact map[string]*name
	wild  map[string]*name // by what stands behind the first label, with its dot: ".example.com"
}

// add reports whether n's host is new.
func (h *hosts) add(n *name) bool {
	into, key := h.exact, n.host
	if suffix, ok := strings.CutPrefix(key, "*"); ok {
		into, key = h.wild, suffix
	}
	if into[key] != nil {
		return false
	}
	into[key] = n
	return true
}

// find returns the Name that host belongs to and the host normalized, or nil. An exact name
// precedes a wildcard, which stands for one label.
func (h *hosts) find(host string) (*name, string) {
	if colon := strings.IndexByte(host, ':'); colon >= 0 && isPort(host[colon+1:]) {
		host = host[:colon]
	}
	if n := h.exact[host]; n != nil { // as most clients send it
		return n, host
	}
	normal, ok := normalize(host)
	if !ok {
		return nil, ""
	}
	if normal != host {
		if n := h.exact[normal]; n != nil {
			return n, normal
		}
	}
	if dot := strings.IndexByte(normal, '.'); dot > 0 {
		if n := h.wild[normal[dot:]]; n != nil {
			return n, normal
		}
	}
	return nil, ""
}
