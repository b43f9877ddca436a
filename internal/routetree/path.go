package routetree

import (
	"errors"
	"strings"
)

// What CheckPath returns.
var (
	ErrDotSegment   = errors.New("the path has a dot segment")
	ErrControl      = errors.New("the path has a NUL or a backslash")
	ErrEncodedSlash = errors.New("the path has an encoded slash")
)

// CheckPath refuses paths that two readers may take for different ones: with dot segments, also encoded ones and those behind an
// encoded slash, with NUL, or with a backslash. They are refused and not cleaned, as an authorizer, a policy and a backend might
// each clean them in another way. decoded is the whole path decoded.
func CheckPath(decoded string) error {
	if strings.IndexByte(decoded, 0) >= 0 || strings.IndexByte(decoded, '\\') >= 0 {
		return ErrControl
	}
	for from := 0; ; {
		i := strings.Index(decoded[from:], "/.")
		if i < 0 {
			return nil
		}
		from += i + 1
		segment := decoded[from:]
		if end := strings.IndexByte(segment, '/'); end >= 0 {
			segment = segment[:end]
		}
		if segment == "." || segment == ".." {
			return ErrDotSegment
		}
	}
}

// HasEncodedSlash reports whether the escaped path has %2F.
func HasEncodedSlash(escaped string) bool {
	return strings.Contains(escaped, "%2F") || strings.Contains(escaped, "%2f")
}
