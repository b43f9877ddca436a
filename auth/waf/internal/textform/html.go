package textform

import "bytes"

// entities are the names that the guide lists, in small letters, as their case doesn't matter.
var entities = map[string]byte{
	"quot": '"', "amp": '&', "lt": '<', "gt": '>', "nbsp": nbsp, "nonbreakingspace": nbsp,
	"newline": '\n', "tab": '\t', "lcub": '{', "lbrace": '{', "rcub": '}', "rbrace": '}',
	"verbar": '|', "vert": '|', "verticalline": '|', "excl": '!', "num": '#', "dollar": '$',
	"percent": '%', "percnt": '%', "apos": '\'', "lpar": '(', "rpar": ')', "ast": '*', "midast": '*',
	"plus": '+', "comma": ',', "period": '.', "sol": '/', "colon": ':', "semi": ';', "equals": '=',
	"quest": '?', "tilde": '~', "diacriticaltilde": '~', "minus": '-', "lsqb": '[', "lbrack": '[',
	"bsol": '\\', "rsqb": ']', "rbrack": ']', "hat": '^', "lowbar": '_', "underbar": '_',
	"grave": '`', "diacriticalgrave": '`',
}

// longestEntity is the length of the longest name, so that a run of letters is looked up only where
// it may be one.
const longestEntity = len("nonbreakingspace")

// htmlEntityDecode takes the longest run of letters and digits for a name, whether a semicolon ends
// it or not.
func htmlEntityDecode(_ *Buffers, dst, src []byte) []byte {
	for {
		i := bytes.IndexByte(src, '&')
		if i < 0 {
			return append(dst, src...)
		}
		dst, src = append(dst, src[:i]...), src[i:]
		c, n := entity(src)
		if n == 0 {
			c, n = '&', 1
		} else if n < len(src) && src[n] == ';' {
			n++
		}
		dst, src = append(dst, c), src[n:]
	}
}

// entity returns what the entity at the beginning of s means, and how long it is without its
// semicolon, or 0.
func entity(s []byte) (byte, int) {
	if len(s) > 1 && s[1] == '#' {
		return numberEntity(s)
	}
	var name [longestEntity]byte
	n := 0
	for ; n+1 < len(s) && isAlnum(s[n+1]); n++ {
		if n == longestEntity {
			return 0, 0
		}
		name[n] = toLower(s[n+1])
	}
	c, ok := entities[string(name[:n])]
	if !ok {
		return 0, 0
	}
	return c, n + 1
}

// numberEntity keeps the low byte, however many digits there are.
func numberEntity(s []byte) (value byte, n int) {
	i := 2
	if i < len(s) && (s[i] == 'x' || s[i] == 'X') {
		i++
		for n = i; n < len(s); n++ {
			d, ok := unhex(s[n])
			if !ok {
				break
			}
			value = value<<4 | d
		}
	} else {
		for n = i; n < len(s) && '0' <= s[n] && s[n] <= '9'; n++ {
			value = value*10 + (s[n] - '0')
		}
	}
	if n == i {
		return 0, 0
	}
	return value, n
}

func isAlnum(c byte) bool { return 'a' <= c && c <= 'z' || isUpper(c) || '0' <= c && c <= '9' }
