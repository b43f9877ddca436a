package textform

// cmdLine takes out what a shell takes out itself. The guide's order is: quotes, backslashes and
// carets go; spaces in front of / and ( go; commas and semicolons become spaces; runs of spaces
// become one; letters become small. So of a run of spaces and commas in front of a slash only the
// commas leave a trace.
func cmdLine(_ *Buffers, dst, src []byte) []byte {
	space, comma := false, false
	for _, c := range src {
		switch c {
		case '\\', '"', '\'', '^':
			continue
		case ' ', '\t', '\r', '\n':
			space = true
			continue
		case ',', ';':
			comma = true
			continue
		}
		if comma || space && c != '/' && c != '(' {
			dst = append(dst, ' ')
		}
		space, comma = false, false
		dst = append(dst, toLower(c))
	}
	if space || comma {
		dst = append(dst, ' ')
	}
	return dst
}

func cmdLineUnix(_ *Buffers, dst, src []byte) []byte {
	space := false
	for _, c := range src {
		switch {
		case c == '\\' || c == '"' || c == '\'':
			continue
		case isBlank(c):
			space = len(dst) > 0 // none in front
			continue
		case space:
			dst = append(dst, ' ')
			space = false
		}
		dst = append(dst, toLower(c))
	}
	return dst // a space at the end was never written
}

func cmdLineWin(_ *Buffers, dst, src []byte) []byte {
	space := false
	for i := 0; i < len(src); i++ {
		c := src[i]
		switch {
		case c == '^': // continues the line, if it ends there
			if i+1 < len(src) && src[i+1] == '\n' {
				i++
			} else if i+2 < len(src) && src[i+1] == '\r' && src[i+2] == '\n' {
				i += 2
			}
			continue
		case c == '"' || c == '\'':
			continue
		case isBlank(c):
			space = len(dst) > 0
			continue
		case space:
			dst = append(dst, ' ')
			space = false
		case c == '\\' && len(dst) > 0 && dst[len(dst)-1] == '\\':
			continue
		}
		dst = append(dst, toLower(c))
	}
	return dst
}
