package waf

// evaluator decides about a request, as a statement does.
type evaluator interface {
	eval(s *state) bool
}

// inField is a statement about a part of the request.
type inField struct {
	source *source
	want   matcher
	detail *MatchRecord // of statements about injection
}

func (e *inField) eval(s *state) bool {
	matched := s.any(e.source, e.want)
	if matched && e.detail != nil {
		s.details = append(s.details, *e.detail)
	}
	return matched
}

// Statements of statements are judged in order, as far as it takes: labels of a country that nobody
// asked about aren't set.
type (
	all  []evaluator
	some []evaluator
	not  struct{ of evaluator }
)

func (e all) eval(s *state) bool {
	for _, of := range e {
		if !of.eval(s) {
			return false
		}
	}
	return true
}

func (e some) eval(s *state) bool {
	for _, of := range e {
		if of.eval(s) {
			return true
		}
	}
	return false
}

func (e not) eval(s *state) bool { return !e.of.eval(s) }
