package requestpath

import (
	"net/url"
	"strings"
)

// Normal returns the routed path in the one spelling in which ARNs and policies have it: without
// the slash in front, with upper-case escapes only for what a segment can't hold plainly, so that
// no spelling of a path gets around a policy, and %2F is no separator. A slash at its end is gone
// where the route doesn't tell it from none, so no policy may.
func (p *Path) Normal() string {
	f := p.routed
	if p.loose {
		f = f.withoutSlash()
		if f.decoded == "/" {
			return ""
		}
	}
	return strings.TrimPrefix(f.normal(), "/")
}

func (f Form) normal() string {
	path, escaped := f.Raw()
	plain := true
	for i := 0; plain && i < len(path); i++ {
		plain = path[i] == '/' || isPathChar[path[i]]
	}
	if plain {
		return path // without %, which is no path character
	}
	var b strings.Builder
	b.Grow(len(path) + 8)
	for i, segment := range strings.Split(path, "/") {
		if i > 0 {
			b.WriteByte('/')
		}
		if escaped {
			segment, _ = url.PathUnescape(segment) // the whole path has decoded
		}
		for j := range len(segment) {
			if c := segment[j]; isPathChar[c] {
				b.WriteByte(c)
			} else {
				const digits = "0123456789ABCDEF"
				b.Write([]byte{'%', digits[c>>4], digits[c&15]})
			}
		}
	}
	return b.String()
}
