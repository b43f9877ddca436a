package validate

import (
	"errors"
	"regexp"
	"time"

	"github.com/dlclark/regexp2"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

const (
	defaultPatternBudget = 100 * time.Millisecond
	maxPatternBudget     = 10 * time.Second
	maxPatternBytes      = 10_000
)

var (
	errPatternBudget = errors.New("the patterns of the model took too long")
	errPatternLength = errors.New("a regular expression is too long")
)

// patterns compiles the regular expressions of one compiled schema, and counts the time that the
// slow ones take. A schema with slow ones serves one request at a time.
type patterns struct {
	slow bool          // whether there is an expression that Go's engine hasn't got
	left time.Duration // of this request's budget
}

// compile is the regular-expression engine of the schemas' package. Go's engine comes first: it
// takes linear time.
func (p *patterns) compile(text string) (jsonschema.Regexp, error) {
	if len(text) > maxPatternBytes {
		return nil, errPatternLength
	}
	re, err := regexp.Compile(text)
	if err == nil {
		return re, nil
	}
	backtracking, err := regexp2.Compile(text, regexp2.ECMAScript)
	if err != nil {
		return nil, err
	}
	p.slow = true
	return &slowPattern{backtracking, p}, nil
}

// slowPattern may take exponential time.
type slowPattern struct {
	re       *regexp2.Regexp
	patterns *patterns
}

func (p *slowPattern) String() string { return p.re.String() }

// MatchString panics with errPatternBudget when the request's time is up, which [schema.do] turns
// into an error: the schemas' package knows no other way to stop.
func (p *slowPattern) MatchString(s string) bool {
	if p.patterns.left <= 0 {
		panic(errPatternBudget)
	}
	p.re.MatchTimeout = p.patterns.left
	start := time.Now()
	matched, err := p.re.MatchString(s)
	p.patterns.left -= time.Since(start)
	if err != nil { // only that the time is up
		panic(errPatternBudget)
	}
	return matched
}
