package cors

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// Config is the CORS configuration of an API. (Developer guide, "Configuring CORS for an HTTP
// API".)
type Config struct {
	_ struct{} // keyed literals only, so that fields can be added

	// AllowOrigins lists the origins whose pages may read answers: "https://myapp.com" as a browser
	// sends it, "*" for all, alone, or "https://*" and "http://*" for all with that scheme.
	// Required.
	AllowOrigins []string
	// AllowMethods lists the methods that pages may use beyond GET, HEAD and POST. "*" stands for
	// all.
	AllowMethods []string
	// AllowHeaders lists the request headers that pages may set. "*" allows all but Authorization,
	// which browsers want named.
	AllowHeaders []string
	// ExposeHeaders lists the response headers that pages may read beyond the common ones. "*"
	// stands for all.
	ExposeHeaders []string
	// AllowCredentials lets pages send cookies and other credentials. It can't be combined with a
	// "*" anywhere, nor with plain http origins other than loopback ones.
	AllowCredentials bool
	// MaxAge is how long a browser may remember a preflight's answer, in whole seconds, at most 24
	// hours. 0 leaves the header out (browsers then take 5 seconds), less than 0 sends 0 seconds:
	// not at all.
	MaxAge time.Duration
	// Debug helps to find out why a page can't read an answer: a preflight that fails gets the
	// headers of the part that passed, so that the browser's console names the part that didn't,
	// and a record at Info says which step of the Fetch Standard failed. It is for development:
	// strangers learn from it which origins are allowed, and each of their requests may write a
	// record.
	Debug bool
	// Logger gets Debug's records. nil is slog.Default().
	Logger *slog.Logger
}

const maxMaxAge = 24 * time.Hour

// check returns every mistake in c.
func (c *Config) check() error {
	m := mistakes.In("cors: Config")
	if len(c.AllowOrigins) == 0 {
		m.Add("AllowOrigins", `want at least one origin such as "https://myapp.com", got none`)
	}
	for i, origin := range c.AllowOrigins {
		if err := c.checkOrigin(origin); err != nil {
			m.Add(fmt.Sprintf("AllowOrigins[%d]", i), "%v", err)
		}
	}
	c.checkNames(m, "AllowMethods", c.AllowMethods, "a method")
	c.checkNames(m, "AllowHeaders", c.AllowHeaders, "a header name")
	c.checkNames(m, "ExposeHeaders", c.ExposeHeaders, "a header name")
	for i, method := range c.AllowMethods {
		if upper := strings.ToUpper(method); upper != method {
			m.Add(fmt.Sprintf("AllowMethods[%d]", i), "want %q, as methods are case-sensitive, got %q", upper, method)
		}
	}
	if c.MaxAge > 0 && c.MaxAge%time.Second != 0 || c.MaxAge > maxMaxAge {
		m.Add("MaxAge", "want whole seconds, at most %v, got %v", maxMaxAge, c.MaxAge)
	}
	return m.Err()
}

func (c *Config) checkOrigin(text string) error {
	switch {
	case text == "*" && c.AllowCredentials:
		return errors.New("allow-credentials is not supported if 'allow-origin' is *: name the origins")
	case text == "*" && len(c.AllowOrigins) > 1:
		return errors.New(`want "*" alone, as it makes the other origins meaningless`)
	case text == "*":
		return nil
	case text == "https://*" || text == "http://*":
		if c.AllowCredentials {
			return fmt.Errorf("allow-credentials is not supported with %q, which allows any page: name the origins",
				text)
		}
		return nil
	case text == "null":
		return errors.New(`want an origin, got "null": sandboxed pages of any site have that one`)
	case strings.Contains(text, "*"):
		return fmt.Errorf(`want "*", "https://*", "http://*" or an exact origin, got %q: patterns of host names aren't supported`, text)
	}
	o, ok := parseOrigin(text)
	if !ok {
		return fmt.Errorf(`want an origin as browsers send it, such as "https://myapp.com" (lower case, no path, no slash at its end, no default port), got %q`, text)
	}
	if c.AllowCredentials && o.scheme == "http" && !o.loopback() {
		return fmt.Errorf("allow-credentials is not supported for plain http, got %q: who is on the way could read what the user may", text)
	}
	return nil
}

func (c *Config) checkNames(m *mistakes.Mistakes, field string, names []string, what string) {
	for i, name := range names {
		at := fmt.Sprintf("%s[%d]", field, i)
		switch {
		case !httpword.IsToken(name):
			m.Add(at, "want %s, got %q", what, name)
		case name == "*" && c.AllowCredentials:
			m.Add(at, `want names, got "*": browsers take it literally with credentials`)
		case name == "*" && len(names) > 1 && field != "AllowHeaders": // Authorization may stand beside it
			m.Add(at, `want "*" alone, as it makes the others meaningless`)
		}
	}
}
