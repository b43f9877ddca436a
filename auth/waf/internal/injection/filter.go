package injection

// What the engine finds are fingerprints: the kinds of the first five tokens that are left of a
// text after folding, one letter each, out of a list of 8,367. (Its sqli_data.go.) Of those, each
// has one of:
//
//   - s, c, X, a parenthesis or a semicolon: a string, a comment or what only an attack has, which
//     take a quote, a dollar sign twice, --, #, /*, a backtick, a brace or that character;
//   - &, U, E or B, which take && or ||, or one of the words of alone, and three tokens, as 1U of
//     two is let pass;
//   - k between two values, which is let pass unless it is INTO, one of alone;
//   - t or T, which takes one of typed, and five tokens;
//   - o together with v, and three tokens, or with k, and five: a sign or a word of operators, and
//     an @ or a word of variables, or of keywords.
//
// So this looks for these signs and words, and counts what may be tokens. Words are letters and
// underscores here, and the engine's are longer at times: the list has them up to their first other
// character. TestFilterStandsOnTheEngine reads the engine's list and holds all of this against it.
const (
	alone    = 1 << iota // suffices, with two other tokens
	typed                // suffices, with four others
	keyword              // with an operator, and three others
	variable             // with an operator, and another
	operator
)

// class is what a byte is to maybeSQL.
type class uint8

const (
	other  class = iota // a token of its own, or a part of one
	blank               // between tokens
	letter              // a part of a word
	digit
	sign   // an operator
	at     // a variable
	dollar // a number, a word, or with another one a string
	dotted // ı and ſ, of which the engine makes I and S, begin with these
	sure   // the engine must look
)

var classes = func() (t [256]class) {
	for c := range t {
		switch {
		case c <= ' ' || c == 0x7F || c == 0xA0:
			t[c] = blank
		case 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_':
			t[c] = letter
		case '0' <= c && c <= '9':
			t[c] = digit
		}
	}
	for kind, bytes := range map[class]string{
		sign: "!%&*+-/<=>^|~", at: "@", dollar: "$", dotted: "\xC4\xC5", sure: "\"#'();\\`{",
	} {
		for i := range len(bytes) {
			t[bytes[i]] = kind
		}
	}
	return t
}()

// maybeSQL reports whether the engine could find anything in b behind so many tokens of no matter.
func maybeSQL(b []byte, tokens int) bool {
	var seen uint8
	dollars := 0
	for i := 0; i < len(b); {
		from, kind := i, classes[b[i]]
		for i++; i < len(b) && classes[b[i]] == kind && (kind == letter || kind == digit || kind == blank); {
			i++
		}
		switch kind {
		case blank:
			continue
		case letter:
			seen |= wordsIn(b, from, i)
		case sign:
			seen |= operator
		case at:
			seen |= variable
		case dollar:
			dollars++
		case sure:
			return true
		}
		if tokens++; dollars > 1 || i < len(b) && isPair(b[from], b[i]) {
			return true
		}
		if b[from] == ':' && i < len(b) && b[i] == ':' {
			seen |= operator
		}
	}
	return seen&alone != 0 && tokens >= 3 ||
		seen&(operator|variable) == operator|variable && tokens >= 3 ||
		tokens >= 5 && (seen&typed != 0 || seen&(operator|keyword) == operator|keyword)
}

// isPair reports whether two bytes are what neither is by itself: the beginning of a comment, a
// logical operator, or one of the two characters beyond ASCII whose capital is in it.
func isPair(a, b byte) bool {
	switch a {
	case '-', '&', '|':
		return b == a
	case '/':
		return b == '*'
	case 0xC4:
		return b == 0xB1
	case 0xC5:
		return b == 0xBF
	}
	return false
}

// wordsIn returns what the run of letters at b[from:to] is a word of. Behind a digit or a point the
// engine may take the first of them for a part of a number, as in 1e and 0xFACE, so that a word
// begins behind them.
func wordsIn(b []byte, from, to int) (seen uint8) {
	if from == 0 || classes[b[from-1]] != digit && b[from-1] != '.' {
		return kindOf(b[from:to])
	}
	for from = max(from, to-longestWord); from < to; from++ {
		seen |= kindOf(b[from:to])
	}
	return seen
}

// kindOf looks a word up, whatever its case.
func kindOf(word []byte) uint8 {
	if len(word) > longestWord || lengths[word[0]|0x20]>>len(word)&1 == 0 {
		return 0
	}
	var lower [longestWord]byte
	for i, c := range word {
		if c != '_' {
			c |= 0x20
		}
		lower[i] = c
	}
	return words[string(lower[:len(word)])]
}

// maybeMarkup reports whether the engine could find cross-site scripting in b. It finds tags,
// comments and document types, which take a <, and attributes by name and value, which take an =
// in front of a value and behind a name that ends in a letter or a digit, with blanks and NULs
// between at most.
func maybeMarkup(b []byte) bool {
	for i, c := range b {
		switch c {
		case '<':
			return true
		case '=':
			if i++; i == len(b) {
				return false
			}
			for i -= 2; i >= 0 && (b[i] == 0 || b[i] == ' ' || '\t' <= b[i] && b[i] <= '\r'); {
				i--
			}
			if i >= 0 && (classes[b[i]] == letter || classes[b[i]] == digit) {
				return true
			}
		}
	}
	return false
}
