package sigv4

import (
	"strings"
	"time"
)

// Credential is a credential scope with the key's id before it: id/date/region/service/aws4_request, and without the region in SigV4A.
type Credential struct {
	KeyID, Date, Region, Service string
	Scope                        string // all but the id
}

// ParseCredential takes text apart. terminated is false if it has all parts, but the last isn't the terminator.
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
	if !ok || id == "" || len(id) > 128 || c.Date == "" || c.Service == "" || rest == "" || strings.Contains(rest, "/") {
		return Credential{}, false, false
	}
	return c, rest == Terminator, true
}

// timeForm is the form of X-Amz-Date.
const timeForm = "20060102T150405Z"

// ParseTime reads X-Amz-Date, in its one form.
func ParseTime(text string) (time.Time, bool) {
	t, err := time.Parse(timeForm, text)
	return t, err == nil && len(text) == len(timeForm) // Parse takes fractions that the form doesn't have
}

// FormatTime writes X-Amz-Date.
func FormatTime(t time.Time) string { return t.UTC().Format(timeForm) }

// IsHash reports whether text is a SHA-256 in lower-case hex.
func IsHash(text string) bool {
	return len(text) == 64 && strings.Trim(text, "0123456789abcdef") == ""
}

// InRegionSet reports whether region is in a region set of SigV4A: a list of patterns in which a star is any text.
func InRegionSet(set, region string) bool {
	for pattern := range strings.SplitSeq(set, ",") {
		if pattern = strings.Trim(pattern, " "); pattern != "" && matchStars(pattern, region) {
			return true
		}
	}
	return false
}

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

// Authorization are the parameters of an Authorization header behind the algorithm. Missing lists those that aren't there.
type Authorization struct {
	Credential, SignedHeaders, Signature string
}

// ParseAuthorization reads the parameters: separated by commas and blanks, each once. pairs is false if one isn't key=value, or isn't known,
// or is there twice.
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
