package event

import (
	"iter"
	"net/http"
	"net/url"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/jsonlex"
)

// pathV1 is the path with its escapes. An HTTP API shows it as received. A REST API shows it
// without the stage, unless it came through a custom domain. (Recorded.)
func (w *Writer) pathV1(rest bool) string {
	if rc := w.Context; rest && !rc.CustomDomain() && rc.BasePath() == "" {
		return rc.Path.Told(w.Request.URL).String()
	}
	return w.Context.Path.Whole(w.Request.URL)
}

// contextPathV1 is requestContext.path: as received on REST APIs, decoded on HTTP APIs. (Recorded.)
func (w *Writer) contextPathV1(rest bool) string {
	path := w.Context.Path.Received()
	if rest || strings.IndexByte(path, '%') < 0 {
		return path
	}
	if decoded, err := url.PathUnescape(path); err == nil {
		return decoded
	}
	return path
}

// appendRawPath appends the decoded path of payload 2.0, which begins with the stage unless that is
// $default.
func (w *Writer) appendRawPath(b []byte) []byte {
	b = append(b, '"')
	if stage := w.stage(); stage != "$default" {
		b = jsonlex.AppendInner(append(b, '/'), stage)
	}
	return append(jsonlex.AppendInner(b, w.Context.Path.Told(w.Request.URL).Decoded()), '"')
}

// PathParameters returns the route's variables, decoded, or with encoded true as they are in a
// path.
func PathParameters(r *http.Request, routeKey string, encoded bool) map[string]string {
	parameters := map[string]string{}
	path := gatekit.PathOf(r)
	for name, value := range variables(&path, r, routeKey, encoded) {
		parameters[name] = value
	}
	return parameters
}

// appendPathParameters appends the route's variables as an object, decoded, or with encoded true as
// they stand in the path. It appends nothing if there are none.
func (w *Writer) appendPathParameters(b []byte, encoded bool) []byte {
	from := len(b)
	for name, value := range variables(&w.Context.Path, w.Request, w.Context.RouteKey(), encoded) {
		first := len(b) == from
		if first {
			b = append(b, '{')
		}
		b = jsonlex.AppendString(appendName(b, name, first, false), value)
	}
	if len(b) == from {
		return b
	}
	return append(b, '}')
}

// variables are those that the route's key names, also one without a value. REST events keep %2B as
// it came, and there a slash at the end is no part of the last variable.
func variables(path *gatekit.Path, r *http.Request, routeKey string, encoded bool) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for rest := routeKey; ; {
			_, after, ok := strings.Cut(rest, "/{")
			if !ok {
				return
			}
			name, after, ok := strings.Cut(after, "}")
			if !ok {
				return
			}
			if rest, name = after, strings.TrimSuffix(name, "+"); name == "" {
				continue
			}
			v, _ := path.Value(r, routeKey, name)
			value := v.Decoded
			if encoded {
				if value = v.Escaped; v.Greedy {
					value = strings.TrimSuffix(value, "/")
				}
			}
			if !yield(name, value) {
				return
			}
		}
	}
}
