// Package awsservice knows what an integration has to know of AWS's services: how an integration
// names one (ARNs of API Gateway with a path or an action in them), at which host it listens, for
// which name and region requests to it are signed, and which of its protocols an action is called
// in. It speaks no HTTP.
//
// There is one reader of these ARNs, so that the station that maps a request (transform.REST) and
// the integration that signs it mean the same service.
package awsservice

import (
	"fmt"
	"strings"

	"github.com/gatekit-go/gatekit/internal/uritemplate"
)

// Lambda is the name of the one service that is called in another way: as a function.
const Lambda = "lambda"

// URI is what an integration calls.
type URI struct {
	Service
	// Action is what is called, where the URI says action/NAME; "" of a path.
	Action string
	// Path has the path and query that are asked for, with variables and stage variables.
	Path *uritemplate.Source
}

const example = "arn:aws:apigateway:us-east-1:sqs:path/123456789012/orders"

// Parse reads an ARN. Variables may stand behind path/ and behind an action's name; what comes
// before says which service is called, and with whose rights, so that no client may have a say in
// it. The error says what is wanted and what there is, and fits behind a field's name.
func Parse(text string) (*URI, error) {
	part := strings.SplitN(text, ":", 6)
	if len(part) != 6 || part[0] != "arn" || part[2] != "apigateway" || !isLabel(part[1]) || !isLabel(part[3]) {
		return nil, fmt.Errorf("want an ARN such as %s, got %.100q", example, text)
	}
	u := &URI{Service: Service{Partition: part[1], Region: part[3]}}
	if !u.setName(part[4]) {
		return nil, fmt.Errorf("want a service, or subdomain.service, as in %s, got %.100q", example, part[4])
	}
	kind, rest, _ := strings.Cut(part[5], "/")
	target := ""
	switch {
	case kind == "path":
		target = "/" + strings.TrimPrefix(rest, "/")
	case kind == "action":
		end := strings.IndexAny(rest, "&?")
		if end < 0 {
			end = len(rest)
		}
		if u.Action = rest[:end]; !isWord(u.Action) {
			return nil, fmt.Errorf("want the name of an action behind action/, got %.100q", rest)
		}
		if target = "/"; end+1 < len(rest) {
			target += "?" + rest[end+1:]
		}
	default:
		return nil, fmt.Errorf("want path/… or action/… behind the service, got %.100q", part[5])
	}
	var err error
	if u.Path, err = uritemplate.New(target); err != nil {
		return nil, err
	}
	return u, nil
}

// isLabel reports whether s may be a part of a host name, as regions, partitions and services are.
func isLabel(s string) bool {
	return s != "" && len(s) <= 63 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == "" &&
		s[0] != '-' && s[len(s)-1] != '-'
}

func isWord(s string) bool {
	return s != "" && len(s) <= 128 &&
		strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == ""
}

// IsRegion reports whether s may be a region's name.
func IsRegion(s string) bool { return isLabel(s) }
