package cors

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit"
)

const preflightVary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"

// verdict is how far a preflight came.
type verdict uint8

// The order is the browser's, which stops at the first that fails: the CORS check of the
// preflight's answer, then methods, then headers. (Fetch Standard, "CORS-preflight fetch", step 7.)
const (
	failedOrigin verdict = iota
	failedMethod
	failedHeaders
	allowed
)

// steps say what failed in the words of the standard, for whoever debugs a page.
var steps = [...]string{
	failedOrigin:  "CORS check: the origin isn't in AllowOrigins",
	failedMethod:  "CORS-preflight fetch, methods: the method isn't in AllowMethods",
	failedHeaders: "CORS-preflight fetch, header names: a name isn't in AllowHeaders",
	allowed:       "",
}

func (c *CORS) judge(r *http.Request, origins, methods []string) verdict {
	switch {
	case !c.allows(r, origins):
		return failedOrigin
	case !c.allowsMethod(methods):
		return failedMethod
	case !c.allowsHeaders(r.Header["Access-Control-Request-Headers"]):
		return failedHeaders
	}
	return allowed
}

// preflight answers with 204. One that is allowed gets the configured lists; the managed gateway
// answers one that isn't with a bare 204, and so do we: the browser tells the page only that it
// failed. In debug mode the part that passed is sent too, so that the browser's console names the
// part that didn't, and a record says which step of the standard failed.
func (c *CORS) preflight(w http.ResponseWriter, r *http.Request, origins, methods []string) {
	h := w.Header()
	values := []string{preflightVary, origins[0], c.allowMethods, c.allowHeaders, c.maxAge, "true"}
	if vary := h["Vary"]; len(vary) > 0 {
		h["Vary"] = append(vary[:len(vary):len(vary)], preflightVary)
	} else {
		h["Vary"] = values[0:1:1]
	}
	v := c.judge(r, origins, methods)
	if v == allowed {
		note(r, gatekit.Answered, allowed, http.StatusNoContent)
	} else {
		note(r, gatekit.Refused, v, http.StatusNoContent)
		if !c.debug {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		c.explain(r, v)
	}
	if v > failedOrigin {
		if c.anyOrigin {
			values[1] = "*"
		}
		h["Access-Control-Allow-Origin"] = values[1:2:2]
		if c.credentials {
			h["Access-Control-Allow-Credentials"] = values[5:6:6]
		}
	}
	if v > failedMethod && c.allowMethods != "" {
		h["Access-Control-Allow-Methods"] = values[2:3:3]
	}
	if v == allowed {
		if c.allowHeaders != "" {
			h["Access-Control-Allow-Headers"] = values[3:4:4]
		}
		if c.maxAge != "" { // an answer that failed isn't to be remembered
			h["Access-Control-Max-Age"] = values[4:5:5]
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// explain writes down which step failed, with what the page asked for. Origin and names are the
// client's, so they are cut.
func (c *CORS) explain(r *http.Request, v verdict) {
	const most = 200
	cut := func(values []string) string {
		text := strings.Join(values, ", ")
		return text[:min(len(text), most)]
	}
	c.logger.LogAttrs(r.Context(), slog.LevelInfo, "cors: a browser will not let the page read this answer",
		slog.String("step", steps[v]),
		slog.String("origin", cut(r.Header["Origin"])),
		slog.String("method", cut(r.Header["Access-Control-Request-Method"])),
		slog.String("headers", cut(r.Header["Access-Control-Request-Headers"])))
}

// allowsMethod compares byte by byte, as browsers do.
func (c *CORS) allowsMethod(asked []string) bool {
	return len(asked) == 1 && (c.anyMethod || slices.Contains(c.methods, asked[0]))
}

// allowsHeaders reports whether each name asked for is in the list. Browsers send them in lower
// case, sorted, with a comma and no space between two; people with curl don't.
func (c *CORS) allowsHeaders(lines []string) bool {
	size, names := 0, 0
	for _, line := range lines {
		if size += len(line); size > maxRequestHeadersBytes {
			return false
		}
		for more := line != ""; more; {
			var name string
			name, line, more = strings.Cut(line, ",")
			if names++; names > maxRequestHeaders {
				return false
			}
			if name = strings.Trim(name, " \t"); !c.allowsHeader(name) {
				return false
			}
		}
	}
	return true
}

func (c *CORS) allowsHeader(name string) bool {
	if c.anyHeader || name == "" { // an empty element of a list says nothing (RFC 9110, section 5.6.1)
		return true
	}
	for _, allowed := range c.headers {
		if strings.EqualFold(allowed, name) {
			return true
		}
	}
	return false
}
