package compare

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/hopbyhop"
)

// found is a difference with what makes it one of a kind.
type found struct {
	Difference
	kind string
}

// adder adds a difference, and reports whether more are wanted.
type adder = func(kind, what, gateway, remote string) (more bool)

// maxFound is how many differences of one answer are looked at.
const maxFound = 100

// differences are those of two answers to one question, without those that are ignored. Where the
// status differs the rest does, too, and says nothing.
func (r *run) differences(here, there answer, known *secrets) (all []found) {
	add := func(kind, what, gateway, remote string) (more bool) {
		again := slices.ContainsFunc(all, func(f found) bool { return f.kind == kind })
		if !again && len(all) < maxFound && !r.ignored(what) {
			all = append(all, found{Difference{Route: here.route, What: what, Gateway: gateway, Remote: remote}, kind})
		}
		return len(all) < maxFound
	}
	if here.status != there.status {
		h, t := fmt.Sprint(here.status), fmt.Sprint(there.status)
		add(strings.Join([]string{"status", here.route, h, t}, " "), "status", h, t)
		return all
	}
	headers(here.header, there.header, known, add)
	r.bodies(here, there, known, add)
	return all
}

// ignored reports whether what is in Ignore, or is below it.
func (r *run) ignored(what string) bool {
	return slices.ContainsFunc(r.Ignore, func(name string) bool {
		rest, ok := strings.CutPrefix(what, name)
		return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}

// between are headers of caches, networks and servers between, which a change of the gateway
// changes. Those of a connection are hopbyhop's.
var between = []string{"Age", "Alt-Svc", "Content-Length", "Via", "X-Amz-Cf-Id", "X-Amz-Cf-Pop", "X-Cache"}

// unsteady are headers that are new with each answer: their shapes are compared.
var unsteady = []string{"Apigw-Requestid", "Date", "Expires", "Traceparent", "X-Amz-Apigw-Id",
	"X-Amzn-Requestid", "X-Amzn-Trace-Id", "X-Correlation-Id", "X-Request-Id"}

// headers compares by name: a header that one side alone sends is one kind for all routes.
func headers(here, there http.Header, known *secrets, add adder) {
	names := map[string]bool{}
	for _, h := range []http.Header{here, there} {
		for name := range h {
			names[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if slices.Contains(between, name) || hopbyhop.Framing(name) {
			continue
		}
		h, t := counted(name, here[name]), counted(name, there[name])
		if h == t {
			continue
		}
		kind := fmt.Sprint("header ", name, h == absent, t == absent)
		add(kind, "header "+known.name(name), known.text(name, h), known.text(name, t))
	}
}

const absent = "(absent)"

// counted is what of a header counts.
func counted(name string, values []string) string {
	switch {
	case values == nil:
		return absent
	case name == "Set-Cookie":
		cookies := make([]string, len(values))
		for i, v := range values {
			cookies[i] = cookieShape(v)
		}
		slices.Sort(cookies)
		return strings.Join(cookies, ", ")
	case slices.Contains(unsteady, name):
		return shape(values[0])
	}
	return strings.Join(values, ", ")
}

// cookieShape is a Set-Cookie without the cookie's value and dates, its attributes sorted.
func cookieShape(line string) string {
	first, rest, _ := strings.Cut(line, ";")
	name, _, _ := strings.Cut(first, "=")
	var attributes []string
	for part := range strings.SplitSeq(rest, ";") {
		key, value, ok := strings.Cut(strings.ToLower(strings.TrimSpace(part)), "=")
		if ok && key != "expires" {
			key += "=" + value
		}
		attributes = append(attributes, key)
	}
	slices.Sort(attributes)
	return strings.Join(append([]string{name + "=…"}, attributes...), "; ")
}

var (
	uuid  = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	trace = regexp.MustCompile(`^Root=1-[0-9a-f]{8}-[0-9a-f]{24}(;|$)`)
	other = regexp.MustCompile(`[A-Za-z0-9+/_-]`)
)

// shape is what remains alike of a value that is always new.
func shape(value string) string {
	switch _, err := http.ParseTime(value); {
	case err == nil:
		return "a date"
	case uuid.MatchString(value):
		return "a UUID"
	case trace.MatchString(value):
		return "Root=1-…" // what follows depends on whether it is sampled
	}
	return other.ReplaceAllString(value, "x")
}

// bodies compares JSON by value, and what isn't JSON by its bytes.
func (r *run) bodies(here, there answer, known *secrets, add adder) {
	if here.cut || there.cut {
		if here.cut != there.cut {
			add("body size "+here.route, "body", size(here), size(there))
		}
		return
	}
	if bytes.Equal(here.body, there.body) {
		return
	}
	h, okHere := parseBody(here.body)
	t, okThere := parseBody(there.body)
	if !okHere || !okThere {
		at := 0
		for at < min(len(here.body), len(there.body)) && here.body[at] == there.body[at] {
			at++
		}
		where := fmt.Sprintf(", differing from byte %d on", at)
		add("body "+here.route, "body", kindOf(here.body, okHere)+where, kindOf(there.body, okThere)+where)
		return
	}
	d := &jsonDifferences{known: known, ignored: r.ignored, add: func(path, gateway, remote string) bool {
		return add("body "+here.route+" "+path, path, gateway, remote)
	}}
	d.compare("body ", "", h, t)
}

func size(a answer) string {
	if a.cut {
		return "larger than what is compared"
	}
	return fmt.Sprintf("%d bytes", len(a.body))
}

// kindOf is what is told of a body that isn't compared as JSON.
func kindOf(body []byte, isJSON bool) string {
	if isJSON {
		return fmt.Sprintf("%d bytes of JSON", len(body))
	}
	return fmt.Sprintf("%d bytes", len(body))
}
