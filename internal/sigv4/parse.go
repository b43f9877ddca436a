package sigv4

import (
	"strings"
	"time"
)

// Credential is a credential scope with the key's id before it:
// id/date/region/service/aws4_request, and without the region in SigV4A.
type Credential struct {
	KeyID, Date, Region, Service string
	Scope                        string // all but the id
}

// ParseCredential takes text apart. terminated is false if it has all parts, but the last isn't the
// terminator.
func ParseCredential(algorithm, text string) (c Credential, terminated, ok bool) {
	id, scope, _ := strings.Cut(text, "/")
	c.KeyID, c.Scope = id, scope
	var rest string
	c.Date, rest, ok = strings.Cut(scope, "/")
	if ok && algorithm == HMAC {
		c.Region, rest, ok = strings.Cut(rest, "/")
		ok = ok && c.Region != ""
	}
	if ok {
		c.Service, rest, ok = strings.Cut(rest, "/")
	}
	if !ok || id == "" || len(id) > 128 || c.Date == "" || c.Service == "" || rest == "" ||
		strings.Contains(rest, "/") {
		return Credential{}, false, false
	}
	return c, rest == Terminator, true
}

// timeForm is the form of X-Amz-Date.
const timeForm = "20060102T150405Z"

// ParseTime reads X-Amz-Date, in its one form. time.Parse would take fractions, and longer.
func ParseTime(text string) (time.Time, bool) {
	if len(text) != len(timeForm) || text[8] != 'T' || text[15] != 'Z' || !digits(text[:8]) || !digits(text[9:15]) {
		return time.Time{}, false
	}
	number := func(from, to int) (n int) {
		for _, c := range []byte(text[from:to]) {
			n = 10*n + int(c-'0')
		}
		return n
	}
	month, day, hour, minute, second := number(4, 6), number(6, 8), number(9, 11), number(11, 13), number(13, 15)
	t := time.Date(number(0, 4), time.Month(month), day, hour, minute, second, 0, time.UTC)
	return t, month >= 1 && month <= 12 && t.Day() == day && hour < 24 && minute < 60 && second < 60
}

func digits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return true
}

// FormatTime writes X-Amz-Date.
func FormatTime(t time.Time) string { return t.UTC().Format(timeForm) }

// IsHash reports whether text is a SHA-256 in lower-case hex.
func IsHash(text string) bool {
	return len(text) == 64 && IsLowerHex(text)
}

// IsLowerHex reports whether text has digits and a to f alone.
func IsLowerHex(text string) bool {
	for i := range len(text) {
		if c := text[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// InRegionSet reports whether region is in a region set of SigV4A: a list of patterns in which a
// star is any text.
func InRegionSet(set, region string) bool {
	for pattern := range strings.SplitSeq(set, ",") {
		if pattern = strings.Trim(pattern, " "); pattern != "" && matchStars(pattern, region) {
			return true
		}
	}
	return false
}

// matchStars is iam's glob without ? and variables; that one isn't used, as this package knows
// nothing of policies, and a region's name has neither.
func matchStars(pattern, text string) bool {
	prefix, rest, starred := strings.Cut(pattern, "*")
	if !strings.HasPrefix(text, prefix) {
		return false
	}
	text = text[len(prefix):]
	for starred {
		var part string
		if part, rest, starred = strings.Cut(rest, "*"); !starred {
			return strings.HasSuffix(text, part)
		}
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text = text[i+len(part):]
	}
	return text == ""
}

// Authorization are the parameters of an Authorization header behind the algorithm. Those that
// aren't there are "".
type Authorization struct {
	Credential, SignedHeaders, Signature string
}

// ParseAuthorization reads the parameters: separated by commas and blanks, each once. pairs is
// false if one isn't key=value, or isn't known, or is there twice.
func ParseAuthorization(parameters string) (a Authorization, pairs bool) {
	for parameter := range strings.SplitSeq(parameters, ",") {
		name, value, ok := strings.Cut(strings.Trim(parameter, " \t"), "=")
		var field *string
		switch name {
		case "Credential":
			field = &a.Credential
		case "SignedHeaders":
			field = &a.SignedHeaders
		case "Signature":
			field = &a.Signature
		}
		if !ok || field == nil || *field != "" || value == "" {
			return Authorization{}, false
		}
		*field = value
	}
	return a, true
}
