// Package arn writes the ARNs of what callers ask an API for, in the one form in which policies see them. (Developer guide, "Control access
// for invoking an API", "Resource format of permissions for executing API in API Gateway".)
package arn

import (
	"errors"
	"net/url"
	"strings"

	"github.com/gatekit-go/gatekit/internal/routetree"
)

// What an ARN says where nobody has described the API. No policy that names an API, an account or a region matches them.
const (
	UnknownRegion  = "unknown"
	UnknownAccount = "000000000000"
	UnknownAPI     = "unknown"
	UnknownStage   = "$default"
)

// MaxBytes is how long the ARN of an authorized method may be; longer ones are answered 414.
const MaxBytes = 1600

// API is what every ARN of an API begins with. Empty fields are unknown.
type API struct{ Region, AccountID, APIID, Stage string }

// Method is the ARN of a request to an HTTP or REST API: path is what [Path] returned.
func (a API) Method(method, path string) string {
	return "arn:" + Partition(a.Region) + ":execute-api:" + or(a.Region, UnknownRegion) + ":" + or(a.AccountID, UnknownAccount) + ":" +
		or(a.APIID, UnknownAPI) + "/" + or(a.Stage, UnknownStage) + "/" + method + "/" + path
}

// Route is the ARN of a route of a WebSocket API.
func (a API) Route(routeKey string) string {
	return "arn:" + Partition(a.Region) + ":execute-api:" + or(a.Region, UnknownRegion) + ":" + or(a.AccountID, UnknownAccount) + ":" +
		or(a.APIID, UnknownAPI) + "/" + or(a.Stage, UnknownStage) + "/" + routeKey
}

func or(s, unknown string) string {
	if s == "" {
		return unknown
	}
	return s
}

// Partition is the partition that a region is in.
func Partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

var errEscape = errors.New("the path has a bad escape")

// Path is an escaped path as ARNs have it: without the leading slash, with escapes only for what a path can't hold plainly, so that no
// spelling of a path gets around a policy. It refuses paths that two readers may take for different ones.
func Path(escaped string) (string, error) {
	plain := true
	for i := range len(escaped) {
		if c := escaped[i]; c != '/' && !isPathChar(c) {
			plain = false
			break
		}
	}
	decoded := escaped
	if !plain {
		var err error
		if decoded, err = url.PathUnescape(escaped); err != nil {
			return "", errEscape
		}
	}
	if err := routetree.CheckPath(decoded); err != nil {
		return "", err
	}
	if plain {
		return strings.TrimPrefix(escaped, "/"), nil
	}
	var b strings.Builder
	for i, segment := range strings.Split(escaped, "/") {
		if i > 0 {
			b.WriteByte('/')
		}
		text, _ := url.PathUnescape(segment) // the whole path has decoded
		for _, c := range []byte(text) {
			if isPathChar(c) {
				b.WriteByte(c)
			} else {
				const digits = "0123456789ABCDEF"
				b.Write([]byte{'%', digits[c>>4], digits[c&15]})
			}
		}
	}
	return strings.TrimPrefix(b.String(), "/"), nil
}

// isPathChar reports whether c stands for itself in a segment. (RFC 3986, section 3.3: pchar.)
func isPathChar(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~!$&'()*+,;=:@", c) >= 0
}

// Mask hides the account of an ARN but for its last four digits, as refusals show it.
func Mask(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || len(parts[4]) != 12 {
		return arn
	}
	parts[4] = "********" + parts[4][8:]
	return strings.Join(parts, ":")
}
