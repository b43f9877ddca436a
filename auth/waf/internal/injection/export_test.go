package injection

// For the tests that hold the filter against the engine.
var (
	MaybeSQL    = func(b []byte) bool { return maybeSQL(b, 0) }
	BehindOne   = func(b []byte) bool { return maybeSQL(b, 1) }
	MaybeMarkup = maybeMarkup
	Guarded     = guarded
	KindOf      = func(word string) uint8 { return kindOf([]byte(word)) }
)

const (
	Alone, Typed, Keyword, Variable, Operator = alone, typed, keyword, variable, operator
	LongestWord                               = longestWord
	MaxText                                   = maxText
)
