package textform

import "bytes"

func normalizePath(_ *Buffers, dst, src []byte) []byte { return appendPath(dst, src, false) }

func normalizePathWin(_ *Buffers, dst, src []byte) []byte { return appendPath(dst, src, true) }

// appendPath drops empty segments, those that are a dot, and with each that is two dots the one in
// front of it. In front of a relative path two dots stay; above the root there is nothing.
func appendPath(dst, src []byte, backslashes bool) []byte {
	isSlash := func(c byte) bool { return c == '/' || backslashes && c == '\\' }
	absolute := len(src) > 0 && isSlash(src[0])
	if absolute {
		dst = append(dst, '/')
	}
	root := len(dst) // before it nothing is taken back
	for i := 0; i < len(src); {
		end := i
		for end < len(src) && !isSlash(src[end]) {
			end++
		}
		segment := src[i:end]
		i = end + 1
		switch string(segment) {
		case "", ".":
			continue
		case "..":
			last := bytes.LastIndexByte(dst[root:], '/') + 1 + root
			if len(dst) > root && string(dst[last:]) != ".." {
				dst = dst[:max(last-1, root)]
				continue
			}
			if absolute {
				continue
			}
		}
		if len(dst) > root {
			dst = append(dst, '/')
		}
		dst = append(dst, segment...)
	}
	if len(dst) > root && isSlash(src[len(src)-1]) {
		dst = append(dst, '/')
	}
	return dst
}
