package transform

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
)

var (
	traceRoot   = regexp.MustCompile(`^1-[0-9a-f]{8}-[0-9a-f]{24}$`)
	traceParent = regexp.MustCompile(`^[0-9a-f]{16}$`)
)

// trace returns the request's X-Amzn-Trace-Id: the client's root is kept, a parent that is missing is made. (Recorded.)
func (e *exchange) trace() string {
	if e.traceID != "" {
		return e.traceID
	}
	root, parent, sampled := "", "", "0"
	for part := range strings.SplitSeq(e.r.Header.Get("X-Amzn-Trace-Id"), ";") {
		name, value, _ := strings.Cut(strings.Trim(part, " "), "=")
		switch {
		case name == "Root" && traceRoot.MatchString(value):
			root = value
		case name == "Parent" && traceParent.MatchString(value):
			parent = value
		case name == "Sampled" && value == "1":
			sampled = "1"
		}
	}
	if root == "" { // an identifier, and no secret
		root = fmt.Sprintf("1-%08x-%08x%016x", uint32(e.rc.RequestTime.Unix()), rand.Uint32(), rand.Uint64())
	}
	if parent == "" {
		parent = fmt.Sprintf("%016x", rand.Uint64())
	}
	e.traceID = "Root=" + root + ";Parent=" + parent + ";Sampled=" + sampled
	return e.traceID
}
