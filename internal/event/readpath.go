package event

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/gatekit-go/gatekit/internal/jsonscan"
	"github.com/gatekit-go/gatekit/internal/querytext"
	"github.com/gatekit-go/gatekit/internal/routetree"
)

// Cut says what is taken off the path that an event shows, so that routes are as they are on a
// server.
type Cut struct {
	// BasePath is the API mapping's key without slashes at its ends, in formats that show it.
	BasePath string
	// KeepStage leaves the stage's name in front.
	KeepStage bool
}

// setTarget sets the method and the URL, and returns the whole path: escaped, with base path and
// stage.
func (in *Incoming) setTarget(r *http.Request, cut Cut) (whole string) {
	stage := text(in.requestContext.stage)
	switch {
	case in.Format == V2:
		r.Method = text(get(in.requestContext.http, "method"))
		path := text(in.rawPath)
		if in.isFunctionURL() {
			whole, r.URL = path, pathURL(path) // behind no stage and no base path
		} else {
			whole = (&url.URL{Path: path}).EscapedPath()
			r.URL = &url.URL{Path: cut.relative(path, stage, false)}
		}
		r.URL.RawQuery = text(in.rawQuery)
		return whole
	case in.Format == REST:
		r.Method = text(in.httpMethod)
		path := cut.relative(text(in.path), stage, true)
		if !cut.KeepStage {
			path = in.withoutStage(path, stage)
		}
		r.URL = pathURL(path)
		if whole = text(in.requestContext.path); whole == "" {
			whole = text(in.path)
		}
	default:
		r.Method, whole = text(in.httpMethod), text(in.path)
		r.URL = pathURL(cut.relative(whole, stage, false))
	}
	r.URL.RawQuery = in.queryV1()
	return whole
}

// isFunctionURL reports whether the event is a function URL's. Its format is that of HTTP APIs, but
// rawPath keeps its escapes: taken for decoded, /caf%C3%A9 would be encoded twice. Its host tells
// it from an API's, and where there is no authorization the account does, too.
func (in *Incoming) isFunctionURL() bool {
	c := &in.requestContext
	return strings.Contains(text(c.domainName), ".lambda-url.") || jsonscan.Is(c.accountID, "anonymous")
}

// relative takes the base path and the stage off a path, where the format has them.
func (cut Cut) relative(path, stage string, rest bool) string {
	if cut.BasePath != "" {
		if behind, ok := cutSegment(path, cut.BasePath); ok {
			return behind
		}
	}
	if !rest && !cut.KeepStage && stage != "" && stage != "$default" {
		if behind, ok := cutSegment(path, stage); ok {
			return behind
		}
	}
	return path
}

// withoutStage takes the stage off a REST event's path, which has it where a custom domain leaves
// the stage to the path: where what is behind it is the resource, and not the whole. (Recorded.)
func (in *Incoming) withoutStage(path, stage string) string {
	cut, ok := cutSegment(path, stage)
	resource := strings.Trim(text(in.resource), "/")
	// The bound is there as each variable is looked for in all parameters.
	if !ok || stage == "" || strings.Count(resource, "{") > routetree.MaxVariables {
		return path
	}
	var b strings.Builder
	for segment := range strings.SplitSeq(resource, "/") {
		b.WriteByte('/')
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			segment = text(get(in.pathParameters, strings.TrimSuffix(strings.TrimSuffix(name, "}"), "+")))
		}
		b.WriteString(segment)
	}
	if strings.TrimSuffix(cut, "/") != strings.TrimSuffix(b.String(), "/") {
		return path
	}
	return cut
}

func cutSegment(path, segment string) (string, bool) {
	rest, ok := strings.CutPrefix(path, "/"+segment)
	switch {
	case !ok || rest != "" && rest[0] != '/':
		return path, false
	case rest == "":
		return "/", true
	}
	return rest, true
}

// pathURL is the URL of an escaped path. One that doesn't decode stands for itself.
func pathURL(escaped string) *url.URL {
	path, err := url.PathUnescape(escaped)
	if err != nil {
		return &url.URL{Path: escaped}
	}
	u := &url.URL{Path: path}
	if u.EscapedPath() != escaped {
		u.RawPath = escaped
	}
	return u
}

// queryV1 writes the query that the parameters were decoded from, in their order.
func (in *Incoming) queryV1() string {
	var b strings.Builder
	if jsonscan.IsNull(in.multiQuery) {
		for key, value := range jsonscan.Members(in.query) {
			querytext.Append(&b, text(key), text(value))
		}
	}
	for key, list := range jsonscan.Members(in.multiQuery) {
		for value := range jsonscan.Elements(list) {
			querytext.Append(&b, text(key), text(value))
		}
	}
	return b.String()
}
