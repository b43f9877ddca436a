package textform

import (
	"bytes"
	"slices"
)

func isBlank(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }

func toLower(c byte) byte {
	if isUpper(c) {
		c += 'a' - 'A'
	}
	return c
}

func lowercase(_ *Buffers, dst, src []byte) []byte {
	dst = append(dst, src...)
	for i, c := range dst {
		dst[i] = toLower(c)
	}
	return dst
}

func uppercase(_ *Buffers, dst, src []byte) []byte {
	dst = append(dst, src...)
	for i, c := range dst {
		if 'a' <= c && c <= 'z' {
			dst[i] = c - ('a' - 'A')
		}
	}
	return dst
}

// nbsp is the no-break space of ISO 8859-1. In UTF-8 the same byte is the end of other characters,
// such as à. They are hit, too, as the guide speaks of a byte.
const nbsp = 160

func compressWhiteSpace(_ *Buffers, dst, src []byte) []byte {
	before := false
	for _, c := range src {
		space := isBlank(c) || c == nbsp
		if !space {
			dst = append(dst, c)
		} else if !before {
			dst = append(dst, ' ')
		}
		before = space
	}
	return dst
}

func removeWhitespace(_ *Buffers, dst, src []byte) []byte {
	for _, c := range src {
		if !isBlank(c) && c != nbsp {
			dst = append(dst, c)
		}
	}
	return dst
}

func trimLeft(_ *Buffers, dst, src []byte) []byte { return append(dst, bytes.TrimLeft(src, blanks)...) }
func trimRight(_ *Buffers, dst, src []byte) []byte {
	return append(dst, bytes.TrimRight(src, blanks)...)
}
func trim(_ *Buffers, dst, src []byte) []byte { return append(dst, bytes.Trim(src, blanks)...) }

func removeNulls(_ *Buffers, dst, src []byte) []byte {
	return slices.DeleteFunc(append(dst, src...), func(c byte) bool { return c == 0 })
}

func replaceNulls(_ *Buffers, dst, src []byte) []byte      { return replace(dst, src, 0, ' ') }
func replaceSemicolons(_ *Buffers, dst, src []byte) []byte { return replace(dst, src, ';', '&') }

func replace(dst, src []byte, old, by byte) []byte {
	dst = append(dst, src...)
	for i, c := range dst {
		if c == old {
			dst[i] = by
		}
	}
	return dst
}

// replaceComments doesn't nest: a comment ends at the first */, as SQL's and C's do.
func replaceComments(_ *Buffers, dst, src []byte) []byte {
	for {
		before, inside, found := bytes.Cut(src, []byte("/*"))
		dst = append(dst, before...)
		if !found {
			return dst
		}
		dst = append(dst, ' ')
		if _, src, found = bytes.Cut(inside, []byte("*/")); !found {
			return dst
		}
	}
}

// commentMarks are tried in this order, so that the longer of two is taken whole.
var commentMarks = [][]byte{
	[]byte("/*"), []byte("*/"), []byte("<!--"), []byte("-->"), []byte("--"), []byte("#"),
}

func removeCommentsChar(_ *Buffers, dst, src []byte) []byte {
next:
	for i := 0; i < len(src); {
		switch src[i] {
		case '/', '*', '<', '-', '#':
			for _, mark := range commentMarks {
				if bytes.HasPrefix(src[i:], mark) {
					i += len(mark)
					continue next
				}
			}
		}
		dst = append(dst, src[i])
		i++
	}
	return dst
}
