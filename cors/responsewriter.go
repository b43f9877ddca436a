package cors

import (
	"net/http"
	"strings"

	"github.com/gatekit-go/gatekit/internal/latewriter"
)

// responseWriter replaces the handler's CORS headers by the configured ones at the last moment,
// however the handler answers.
type responseWriter struct {
	latewriter.Writer
	cors   *CORS
	origin string    // "" if the answer may not be read by the page
	values [4]string // what the header slices point at: Allow-Origin, Allow-Credentials, Expose-Headers, Vary
}

// Commit writes the headers.
func (w *responseWriter) Commit(status int) int {
	h := w.Header()
	dropFamily(h)
	c, v := w.cors, &w.values
	if !c.anyOrigin {
		w.vary(h)
	}
	if w.origin == "" {
		return status
	}
	v[0] = w.origin
	if c.anyOrigin {
		v[0] = "*"
	}
	h["Access-Control-Allow-Origin"] = v[0:1:1]
	if c.credentials {
		v[1] = "true"
		h["Access-Control-Allow-Credentials"] = v[1:2:2]
	}
	if c.exposeHeaders != "" {
		v[2] = c.exposeHeaders
		h["Access-Control-Expose-Headers"] = v[2:3:3]
	}
	return status
}

// vary adds Origin to Vary, unless the handler said so, or said that its answer varies by anything.
func (w *responseWriter) vary(h http.Header) {
	have := h["Vary"]
	for _, line := range have {
		for name := range strings.SplitSeq(line, ",") {
			if name = strings.Trim(name, " \t"); name == "*" || strings.EqualFold(name, "Origin") {
				return
			}
		}
	}
	w.values[3] = "Origin"
	if len(have) == 0 {
		h["Vary"] = w.values[3:4:4]
	} else {
		h["Vary"] = append(have[:len(have):len(have)], "Origin") // the handler's slice may be shared by all its answers
	}
}

// dropFamily removes every header of the CORS protocol, also under keys that aren't in canonical
// form, which net/http sends too.
func dropFamily(h http.Header) {
	const family = "access-control-"
	for name := range h {
		if len(name) > len(family) && (name[0] == 'A' || name[0] == 'a') &&
			strings.EqualFold(name[:len(family)], family) {
			delete(h, name)
		}
	}
}

// Inform drops the handler's CORS headers from a 1xx, which the final answer is still to follow: it
// gets none of its own, as browsers judge the final answer alone. (Fetch, "CORS check".)
func (w *responseWriter) Inform(int) bool {
	dropFamily(w.Header())
	return true
}
