package iam

import (
	"errors"
	"fmt"
	"strings"
)

// arnParts are the six parts of an ARN: arn, partition, service, region, account, resource. The last may hold colons.
type arnParts [6]string

// splitARN cuts an ARN at its first five colons. With variables, those inside ${…} don't count.
func splitARN(arn string, variables bool) (parts arnParts, ok bool) {
	part, from := 0, 0
	for i := 0; i < len(arn) && part < 5; i++ {
		switch {
		case arn[i] == ':':
			parts[part] = arn[from:i]
			part, from = part+1, i+1
		case variables && arn[i] == '$' && i+1 < len(arn) && arn[i+1] == '{':
			if end := strings.IndexByte(arn[i:], '}'); end > 0 {
				i += end
			}
		}
	}
	parts[part] = arn[from:]
	return parts, part == 5 && parts[0] == "arn"
}

// arnGlob is a pattern for ARNs whose wildcards stay within their part. Within the last one they cross slashes.
type arnGlob struct {
	all   bool // a lone star
	short bool // "execute-api:/stage/METHOD/path": parts[5] is what follows the API's id
	parts [6]glob
}

const shortForm = "execute-api:/"

// parseARNGlob compiles a pattern. In a resource, variables are only known in the last part.
func parseARNGlob(pattern string, variables, resource bool) (arnGlob, error) {
	if pattern == "*" {
		return arnGlob{all: true}, nil
	}
	if rest, ok := strings.CutPrefix(pattern, shortForm); ok && resource {
		g, err := parseGlob(rest, true, variables)
		a := arnGlob{short: true}
		a.parts[5] = g
		return a, err
	}
	texts, ok := splitARN(pattern, variables)
	if !ok {
		return arnGlob{}, fmt.Errorf("want an ARN of six parts, or *, got %q", clip(pattern))
	}
	if texts[2] == "" || resource && strings.ContainsAny(texts[2], "*?") {
		return arnGlob{}, fmt.Errorf("want a service without wildcards in the ARN, got %q", clip(pattern))
	}
	if texts[1] == "" || texts[5] == "" {
		return arnGlob{}, fmt.Errorf("want a partition and a resource in the ARN, got %q", clip(pattern))
	}
	var a arnGlob
	for i, text := range texts {
		if resource && i < 5 && variables && strings.Contains(text, "${") {
			return arnGlob{}, errors.New("want variables only behind the fifth colon of a resource")
		}
		var err error
		if a.parts[i], err = parseGlob(text, true, variables); err != nil {
			return arnGlob{}, err
		}
	}
	return a, nil
}

func (a *arnGlob) match(arn *arnParts, r *Request) bool {
	if a.all {
		return true
	}
	if a.short {
		// The request is for this very API, whose id is cut off.
		_, rest, ok := strings.Cut(arn[5], "/")
		return ok && arn[2] == "execute-api" && a.parts[5].match(rest, r)
	}
	for i := 5; i >= 0; i-- { // the last part tells most ARNs apart
		if !a.parts[i].match(arn[i], r) {
			return false
		}
	}
	return true
}
