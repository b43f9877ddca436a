package vtl

// Velocity's lexer is a stack of states, and what a character means depends on the state: this one
// has the same states and the same tokens, so that the odd cases come out the same too. Two kinds
// of token are no tokens by themselves: a prefix ("$", "#", "$!") is glued in front of the next
// one, and a terminator ends a state, is read again in the one below, and is only remembered as
// what stood before the next token. In each state the longest token wins, and of two the one that
// stands first in [lexer.match].
type state uint8

const (
	inText      state = iota // outside of everything
	inRef                    // after $
	inMember                 // after a dot in a reference
	inArgs                   // in the parentheses of a method
	inIndex                  // in the brackets of a reference
	inDirective              // after the name of a directive
	inName                   // after #
	inBlock                  // #[[
	inLine                   // ##
	inFormal                 // #**
	inComment                // #*
)

type kind uint8

const (
	tokEOF kind = iota
	tokIndexLeft
	tokIndexRight
	tokLeftBracket
	tokRightBracket
	tokComma
	tokDotDot
	tokColon
	tokLeftCurly
	tokRightCurly
	tokLeftParen
	tokRightParen
	tokArgsRightParen
	tokEscapedDirective
	tokSet
	tokLineComment
	tokDoubleEscape
	tokEscape
	tokText
	tokLineEnd
	tokFormalComment
	tokComment
	tokBlock
	tokBlank
	tokString
	tokTrue
	tokFalse
	tokMinus
	tokPlus
	tokTimes
	tokDivide
	tokModulo
	tokAnd
	tokOr
	tokLess
	tokLessEqual
	tokGreater
	tokGreaterEqual
	tokEqual
	tokNotEqual
	tokNot
	tokAssign
	tokEnd
	tokIf
	tokElseif
	tokElse
	tokInteger
	tokFloat
	tokWord
	tokBracedWord
	tokIdentifier
	tokDot
	tokRefCurlyLeft
	tokRefCurlyRight
	tokNoIndex

	// What follows is never returned.
	prefixDollar
	prefixHash
	prefixBlock
	prefixFormal
	prefixComment
	skipped
	terminatorRef
	terminatorName
	noToken
)

type token struct {
	kind  kind
	image string // with its prefix
	lost  string // what terminators before it held; texts print it
	start int    // offsets of the image in the source
	end   int
}

func (k kind) isArithmetic() bool { return k >= tokMinus && k <= tokModulo }
