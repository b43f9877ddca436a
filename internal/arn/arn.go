// Package arn writes the ARNs of what callers ask an API for, in the one form in which policies see
// them. (Developer guide, "Control access for invoking an API", "Resource format of permissions for
// executing API in API Gateway".)
package arn

import "strings"

// What an ARN says where nobody has described the API. No policy that names an API, an account or a
// region matches them.
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

// Method is the ARN of a request to an HTTP or REST API: path is what requestpath.Path.Normal
// returned.
func (a API) Method(method, path string) string {
	return "arn:" + Partition(a.Region) + ":execute-api:" + or(a.Region, UnknownRegion) + ":" +
		or(a.AccountID, UnknownAccount) + ":" +
		or(a.APIID, UnknownAPI) + "/" + or(a.Stage, UnknownStage) + "/" + method + "/" + path
}

// Route is the ARN of a route of a WebSocket API.
func (a API) Route(routeKey string) string {
	return "arn:" + Partition(a.Region) + ":execute-api:" + or(a.Region, UnknownRegion) + ":" +
		or(a.AccountID, UnknownAccount) + ":" +
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

// Mask hides the account of an ARN but for its last four digits, as refusals show it.
func Mask(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || len(parts[4]) != 12 {
		return arn
	}
	parts[4] = "********" + parts[4][8:]
	return strings.Join(parts, ":")
}
