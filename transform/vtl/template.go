package vtl

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of the managed gateway, and what stands in for its time and memory.
const (
	// MaxTemplateBytes is how long a template may be.
	MaxTemplateBytes = 300 << 10
	// maxTurns is how often a #foreach turns.
	maxTurns = 1000

	defaultMaxOutputBytes = 10 << 20
	defaultMaxSteps       = 20_000_000
	defaultMaxDepth       = 200
	defaultMaxAllocBytes  = 128 << 20
)

// Options are the limits of a template. The zero value has the defaults.
type Options struct {
	_ struct{} // keyed literals only, so that fields can be added
	// StrictLoops makes a 1001st turn of a #foreach an error. Without it the loop ends there in
	// silence, as it does on the managed gateway.
	StrictLoops bool
	// MaxOutputBytes is how long the output may get. 0 means 10 MiB, a negative value is refused;
	// so it is for the others.
	MaxOutputBytes int
	// MaxSteps is how much work an execution may do. A step is a directive, a reference, an
	// operator, an element that is looked at, or some bytes of a text, and takes up to about 50
	// nanoseconds of a processor: a regular expression is charged by the characters that it looks
	// at, as often as it does, and an [Object] that is [Metered] from the same account. 0 means 20
	// million: under a second.
	MaxSteps int
	// MaxDepth is how deep blocks, parentheses, lists and the like may be nested. 0 means 200.
	MaxDepth int
	// MaxAllocBytes is how much memory an execution may allocate in all, whether or not it could be
	// freed. What grows bit by bit is charged with what growing leaves behind, so that the true
	// figure is within a factor of two. 0 means 128 MiB.
	MaxAllocBytes int
}

// Template is a parsed template. It is immutable, and may be executed by several goroutines.
type Template struct {
	src    *source
	body   []stmt
	names  []string // of the variables, by slot
	loop   loopSlots
	limits Options
	size   int // of the constant text, as a guess of the output's
}

// loopSlots are the variables that a #foreach sets, -1 where the template doesn't use them.
type loopSlots struct{ foreach, count, hasNext int }

// Error is a template that doesn't parse or that fails while it is executed. The managed gateway
// answers 500 in both cases.
type Error struct {
	// Template is the name that was given to [Parse].
	Template string
	// Line and Column start at 1. A column is a character. Both are 0 where the error is not at a
	// place.
	Line, Column int
	// Message says what was wanted and what was there.
	Message string
	// Err is the error of an [Object], if that made the template fail.
	Err error
}

// Error returns "vtl: name:line:column: message".
func (e *Error) Error() string {
	at := ""
	if e.Line > 0 {
		at = ":" + strconv.Itoa(e.Line) + ":" + strconv.Itoa(e.Column)
	}
	return "vtl: " + e.Template + at + ": " + e.Message
}

// Unwrap returns the error of an [Object], or nil.
func (e *Error) Unwrap() error { return e.Err }

// Parse parses a template with default limits. name is for errors and traces. The error is an
// [*Error].
func Parse(name, text string) (*Template, error) { return Options{}.Parse(name, text) }

// Parse parses a template. name is for errors and traces. The error is an [*Error], and the
// template then nil.
func (o Options) Parse(name, text string) (*Template, error) {
	src := &source{name: name}
	for _, limit := range []struct {
		field   string
		value   *int
		initial int
	}{
		{"MaxOutputBytes", &o.MaxOutputBytes, defaultMaxOutputBytes},
		{"MaxSteps", &o.MaxSteps, defaultMaxSteps},
		{"MaxDepth", &o.MaxDepth, defaultMaxDepth},
		{"MaxAllocBytes", &o.MaxAllocBytes, defaultMaxAllocBytes},
	} {
		if *limit.value < 0 {
			return nil, src.mistake("Options.%s: want a positive number, or 0 for the default, got %d",
				limit.field, *limit.value)
		}
		if *limit.value == 0 {
			*limit.value = limit.initial
		}
	}
	if len(text) > MaxTemplateBytes {
		return nil, src.mistake("want a template of up to 300 KB, got %d bytes", len(text))
	}
	if !utf8.ValidString(text) {
		return nil, src.mistake("want a template in UTF-8")
	}
	return parseTemplate(name, text, o)
}

// Name returns the name that was given to [Parse].
func (t *Template) Name() string { return t.src.name }

// Execute executes the template and writes its output to w, in one piece and only if it doesn't
// fail.
//
// vars are its variables: $x is vars["x"]. A value may be nil, a string, a bool, any Go integer or
// float, a *big.Int, a [*Map], a [*List], an [Object], []any, []string, map[string]any or
// map[string]string. Other types are an error, if the template uses the variable. Maps and lists
// that are given as [*Map] and [*List] can be changed by the template; the others are copied.
//
// The error is an [*Error], or that of w.
func (t *Template) Execute(w io.Writer, vars map[string]any) error {
	return t.execute(w, vars, nil)
}

// Reference is what a reference became, for [Template.Trace].
type Reference struct {
	// Text is the reference as the template has it, such as ${x.y[0]}.
	Text string
	// Line and Column are where it starts.
	Line, Column int
	// Value is what it became: "" where it is undefined or null. A block of #define is nil.
	Value any
	// Defined is false where some part of it is undefined or null.
	Defined bool
}

// Trace executes the template as [Template.Execute] does, and calls visit for each reference after
// it is evaluated, in that order: the arguments of a method are before the reference that has it.
// What #set assigns to is not evaluated.
func (t *Template) Trace(w io.Writer, vars map[string]any, visit func(Reference)) error {
	return t.execute(w, vars, visit)
}

// A source is a template or a string literal in one.
type source struct {
	name         string
	text         string
	line, column int // where the text starts
	lines        []int
}

func newSource(name, text string, line, column int) *source {
	s := &source{name: name, text: text, line: line, column: column, lines: []int{0}}
	for i := 0; i < len(text); i++ {
		n := strings.IndexByte(text[i:], '\n')
		if n < 0 {
			break
		}
		i += n
		s.lines = append(s.lines, i+1)
	}
	return s
}

func (s *source) position(offset int) (line, column int) {
	i, found := slices.BinarySearch(s.lines, offset)
	if !found {
		i--
	}
	column = utf8.RuneCountInString(s.text[s.lines[i]:offset]) + 1
	if i == 0 {
		column += s.column - 1
	}
	return s.line + i, column
}

// mistake is an error at no place.
func (s *source) mistake(format string, args ...any) *Error {
	return &Error{Template: s.name, Message: fmt.Sprintf(format, args...)}
}

func (s *source) errorAt(offset int, message string) *Error {
	line, column := s.position(min(offset, len(s.text)))
	return &Error{Template: s.name, Line: line, Column: column, Message: message}
}
