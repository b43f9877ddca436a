package websocket

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/gatekit-go/gatekit/internal/httpword"
)

// origins says which web pages may connect. A browser sends cookies and client certificates along
// with any page's handshake, and no CORS stands in between: who doesn't look at Origin lets every
// page speak in the name of who reads it. (OWASP ASVS 4.4.2; RFC 6455, section 10.2.)
type origins struct {
	any  bool
	list map[string]bool // empty: the host's own
}

func newOrigins(list []string, anyOrigin bool) (*origins, error) {
	o := &origins{any: anyOrigin, list: map[string]bool{}}
	if anyOrigin && len(list) > 0 {
		return nil, fmt.Errorf("want none with InsecureAllowAnyOrigin, got %d", len(list))
	}
	for _, text := range list {
		if _, _, ok := splitOrigin(text); !ok {
			return nil, fmt.Errorf("want origins as browsers send them, such as \"https://app.example\", got %q", text)
		}
		o.list[text] = true
	}
	return o, nil
}

// splitOrigin takes apart what browsers send: scheme, host in lower case, and a port unless it is
// the scheme's own. url.Parse takes more, http://evil@victim among it.
func splitOrigin(text string) (scheme, host string, ok bool) {
	scheme, host, found := strings.Cut(text, "://")
	if !found || scheme != "http" && scheme != "https" || len(text) > 512 {
		return "", "", false
	}
	if strings.ToLower(host) != host || strings.ContainsAny(host, "/@?#\\ ,*%") {
		return "", "", false
	}
	name, port := host, ""
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		name, port = host[:i], host[i+1:]
		if port == "" || port == defaultPort(scheme) || strings.Trim(port, "0123456789") != "" {
			return "", "", false
		}
	}
	return scheme, host, httpword.IsHost(name)
}

func defaultPort(scheme string) string {
	if scheme == "https" {
		return "443"
	}
	return "80"
}

// allow reports whether r's page may connect.
func (o *origins) allow(r *http.Request) bool {
	lines := r.Header["Origin"]
	switch {
	case len(lines) == 0 || o.any:
		return true
	case len(lines) > 1:
		return false
	case len(o.list) > 0:
		return o.list[lines[0]]
	}
	// A page that came without TLS is whoever's the network is: it may not speak to an API that has
	// it. Behind a proxy that ends TLS nobody can tell.
	scheme, host, ok := splitOrigin(lines[0])
	own := strings.TrimSuffix(strings.ToLower(r.Host), ":"+defaultPort(scheme))
	return ok && (scheme == "https" || r.TLS == nil) && host == own
}

// isProtocol reports whether s may be a subprotocol's name.
func isProtocol(s string) bool { return httpword.IsToken(s) }
