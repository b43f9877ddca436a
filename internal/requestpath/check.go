package requestpath

import (
	"errors"
	"strings"
)

// What Check returns.
var (
	ErrDotSegment   = errors.New("the path has a dot segment")
	ErrControl      = errors.New("the path has a NUL or a backslash")
	ErrEncodedSlash = errors.New("the path has an encoded slash")
)

// Check refuses paths that two readers may take for different ones: with dot segments, also encoded
// ones, those behind an encoded slash, and those with parameters (..;x, which servlet containers
// take for ..), with NUL, or with a backslash. They are refused and not cleaned, as an authorizer,
// a policy and a backend might each clean them in another way. decoded is the whole path decoded.
func Check(decoded string) error {
	if strings.IndexByte(decoded, 0) >= 0 || strings.IndexByte(decoded, '\\') >= 0 {
		return ErrControl
	}
	if !strings.HasPrefix(decoded, "/") && isDots(decoded) {
		return ErrDotSegment // what http.StripPrefix has left
	}
	for from := 0; ; {
		i := strings.Index(decoded[from:], "/.")
		if i < 0 {
			return nil
		}
		from += i + 1
		if isDots(decoded[from:]) {
			return ErrDotSegment
		}
	}
}

// isDots reports whether path begins with the segment "." or "..", with parameters or without. (RFC
// 3986, section 3.3, has the parameters.)
func isDots(path string) bool {
	rest, ok := strings.CutPrefix(path, ".")
	if !ok {
		return false
	}
	rest = strings.TrimPrefix(rest, ".")
	return rest == "" || rest[0] == '/' || rest[0] == ';'
}

// Check is [Check] of the path, which with rejectEncodedSlash has no %2F either.
func (f Form) Check(rejectEncodedSlash bool) error {
	if err := Check(f.decoded); err != nil {
		return err
	}
	if rejectEncodedSlash && f.unusual && (strings.Contains(f.escaped, "%2F") || strings.Contains(f.escaped, "%2f")) {
		return ErrEncodedSlash
	}
	return nil
}
