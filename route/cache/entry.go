package cache

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit/internal/httpword"
)

// Entry is an answer as it is kept. It is never changed once made; stores and readers share it.
type Entry struct {
	// Vary, if not nil, makes the entry a signpost: the answers themselves are kept by the values
	// of these request headers, and the other fields but Expires and Stale are empty.
	Vary []string
	// Status is the HTTP status.
	Status int
	// Header are the names, in canonical form, and values of the headers.
	Header []Field
	// Body is the whole body.
	Body []byte
	// Tags are the answer's, sorted.
	Tags []string
	// Made is when the answer came.
	Made time.Time
	// Expires is when it is no longer fresh, Stale when it is no longer served at all.
	Expires, Stale time.Time
}

// Field is a header's name and values.
type Field struct {
	// Name is the header's canonical name.
	Name string
	// Values are its lines, in their order. They must not be changed.
	Values []string
	// Added values go behind those that outer stations have set.
	Added bool
}

// size is about what the entry takes in memory.
func (e *Entry) size() int64 {
	n := 512 + cap(e.Body)
	for _, f := range e.Header {
		n += 40 + len(f.Name)
		for _, v := range f.Values {
			n += 16 + len(v)
		}
	}
	for _, t := range slices.Concat(e.Tags, e.Vary) {
		n += 16 + len(t)
	}
	return int64(n)
}

// serve answers with e. The header slices are the handler's own, and share one array.
func (e *Entry) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	n := 0
	for _, f := range e.Header {
		n += len(f.Values)
	}
	values := make([]string, 0, n)
	for _, f := range e.Header {
		from := len(values)
		values = append(values, f.Values...)
		own := values[from:len(values):len(values)]
		if f.Added {
			own = slices.Concat(h[f.Name], own)
		}
		h[f.Name] = own
	}
	w.WriteHeader(e.Status)
	if r.Method != http.MethodHead && len(e.Body) > 0 {
		_, _ = w.Write(e.Body) // a client that went away is no fault of ours
	}
}

// status is the value of Cache-Status for an answer that is served from the cache (RFC 9211,
// section 2).
func (e *Entry) status(now time.Time) string {
	return "gatekit; hit; ttl=" + strconv.Itoa(int(e.Expires.Sub(now)/time.Second))
}

// notKept are the headers of a connection, which belong to it and not to the answer, and those that
// each answer has of its own. (RFC 9110, section 7.6.1.)
var notKept = []string{
	"Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Te", "Transfer-Encoding", "Upgrade",
	"Date", "Age", "Cache-Status", "X-Amzn-Trace-Id", "X-Amzn-Requestid", "X-Amz-Apigw-Id", "Apigw-Requestid",
}

// fields returns the headers that the answer itself has set: those of h that before has not, or not
// with these values, or what it added to them.
func fields(h, before http.Header) []Field {
	var out []Field
	for name, values := range h {
		old, set := before[name]
		if len(values) == 0 || set && slices.Equal(old, values) || slices.Contains(notKept, name) {
			continue
		}
		added := len(old) > 0 && len(values) > len(old) && slices.Equal(values[:len(old)], old)
		if added {
			values = values[len(old):]
		}
		out = append(out, Field{Name: name, Values: slices.Clone(values), Added: added})
	}
	slices.SortFunc(out, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// directive reports whether a Cache-Control header has a directive, such as "private" or
// "max-age=0". (RFC 9111, section 5.2.)
func directive(h http.Header, want string) bool {
	for _, line := range h["Cache-Control"] {
		for d := range strings.SplitSeq(line, ",") {
			d = strings.Trim(d, " \t")
			if strings.EqualFold(d, want) {
				return true
			}
			// private="Set-Cookie" is private here.
			if name, _, ok := strings.Cut(d, "="); ok && !strings.Contains(want, "=") && strings.EqualFold(name, want) {
				return true
			}
		}
	}
	return false
}

const (
	maxTags     = 64
	maxTagBytes = 256
)

// tags reads the values of a tag header. Too many, or too long ones, are an answer that can't be
// taken out as its backend means.
func tags(values []string) (list []string, ok bool) {
	for _, line := range values {
		for tag := range strings.FieldsFuncSeq(line, func(c rune) bool { return c == ',' || c == ' ' || c == '\t' }) {
			if len(tag) > maxTagBytes || len(list) == maxTags {
				return nil, false
			}
			list = append(list, tag)
		}
	}
	slices.Sort(list)
	return slices.Compact(list), true
}

// varies returns the request headers that a Vary header names, sorted, and reports whether the
// answer can be kept at all.
func varies(h http.Header) (names []string, ok bool) {
	for _, line := range h["Vary"] {
		for name := range strings.SplitSeq(line, ",") {
			name = strings.Trim(name, " \t")
			if name == "" {
				continue
			}
			if !httpword.IsToken(name) || name == "*" || len(names) == 16 {
				return nil, false
			}
			names = append(names, http.CanonicalHeaderKey(name))
		}
	}
	slices.Sort(names)
	return slices.Compact(names), true
}
