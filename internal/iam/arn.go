package iam

import (
	"errors"
	"fmt"
	"strings"
)

// arnParts are the six parts of an ARN: arn, partition, service, region, account, resource. The
// last may hold colons.
type arnParts [6]string

// splitARN cuts an ARN at its first five colons. With variables, those inside ${…} don't count.
func splitARN(arn string, variables bool) (parts arnParts, ok bool) {
	parts, n := cutARN(arn, variables)
	return parts, n == len(parts) && parts[0] == "arn"
}

// cutARN is splitARN of what may have fewer parts, and says how many.
func cutARN(arn string, variables bool) (parts arnParts, n int) {
	from := 0
	for i := 0; i < len(arn) && n < 5; i++ {
		switch {
		case arn[i] == ':':
			parts[n] = arn[from:i]
			n, from = n+1, i+1
		case variables && arn[i] == '$' && i+1 < len(arn) && arn[i+1] == '{':
			if end := strings.IndexByte(arn[i:], '}'); end > 0 {
				i += end
			}
		}
	}
	parts[n] = arn[from:]
	return parts, n + 1
}

// arnGlob is a pattern for ARNs. Its wildcards stay within their part: arn:aws:s3:* must not reach
// into another account by taking colons along. Within the last part, which may hold colons and
// slashes, they cross both: "abc/*/pets" is also "abc/prod/GET/a/b/pets", and who writes it
// expecting one segment allows more than that. It is how the managed gateway reads it. (Developer
// guide, "Control access for invoking an API".)
type arnGlob struct {
	all   bool // a lone star
	short bool // "execute-api:/stage/METHOD/path": parts[5] is what follows the API's id
	// unclear is a resource that isn't an ARN as the grammar has it, though the managed gateway
	// takes it. It matches only if it is asked for the wide reading, in which what is missing or
	// empty is anything.
	unclear bool
	odd     string // what the pattern should be
	parts   [6]glob
}

const shortForm = "execute-api:/"

// parseARNGlob compiles a pattern. In a resource, variables are only known in the last part, and it
// may have fewer parts than an ARN.
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
	texts, n := cutARN(pattern, variables)
	if texts[0] != "arn" || n < 2 || n < 6 && !resource {
		return arnGlob{}, fmt.Errorf("want an ARN of six parts, or *, got %q", clip(pattern))
	}
	if !resource && (texts[1] == "" || texts[2] == "" || texts[5] == "") {
		return arnGlob{}, fmt.Errorf("want a partition, a service and a resource in the ARN, got %q", clip(pattern))
	}
	var a arnGlob
	if resource {
		a.weigh(&texts, n)
	}
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

// weigh says what is odd about a resource of n parts, and fills in those that are missing.
// arn:aws:execute-api:* is in use by many authorizer functions and allows: its last star stands for
// all that follows. Of everything else that isn't an ARN nobody has told how it is read there.
func (a *arnGlob) weigh(texts *arnParts, n int) {
	const ends = "want an ARN of six parts"
	switch {
	case n < 6 && n > 3 && texts[n-1] == "*":
		a.odd = ends + ", as arn:aws:execute-api:*:*:*"
	case n < 6:
		a.odd, a.unclear = ends, true
	case texts[1] == "" || texts[2] == "" || texts[5] == "":
		a.odd, a.unclear = "want a partition, a service and a resource in the ARN", true
	}
	if strings.ContainsAny(texts[2], "*?") {
		a.odd, a.unclear = "want a service without wildcards in the ARN", true
	} else if a.odd == "" && texts[2] != "execute-api" {
		a.odd = "want an ARN of execute-api, as this one concerns another service"
	}
	for i := range texts {
		if i >= n || a.unclear && texts[i] == "" {
			texts[i] = "*"
		}
	}
}

// match reports whether an ARN matches. wide is how to read an unclear pattern.
func (a *arnGlob) match(arn *arnParts, r *Request, wide bool) bool {
	if a.all {
		return true
	}
	if a.unclear && !wide {
		return false
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
