package waf

// evaluator decides about a request, as a statement does.
type evaluator interface {
	eval(s *state) truth
}

// truth is what a statement says of a request: no, yes, or that it can't be applied to it, as the
// header isn't there that is to hold an address. So ordered, the lower of two is their AND, the
// higher their OR. (The strong logic of Kleene: no order of statements changes a rule.)
type truth uint8

const (
	no truth = iota
	notApplied
	yes
)

func truthOf(matched bool) truth {
	if matched {
		return yes
	}
	return no
}

// inField is a statement about a part of the request.
type inField struct {
	source *source
	want   matcher
	detail *MatchRecord // of statements about injection
}

func (e *inField) eval(s *state) truth {
	matched := s.any(e.source, e.want)
	if matched && e.detail != nil {
		s.details = append(s.details, *e.detail)
	}
	return truthOf(matched)
}

// Statements of statements are judged in order, as far as it takes: labels of a country that nobody
// asked about aren't set.
type (
	all  []evaluator
	some []evaluator
	not  struct{ of evaluator }
)

func (e all) eval(s *state) truth {
	least := yes
	for _, of := range e {
		if least = min(least, of.eval(s)); least == no {
			break
		}
	}
	return least
}

func (e some) eval(s *state) truth {
	most := no
	for _, of := range e {
		if most = max(most, of.eval(s)); most == yes {
			break
		}
	}
	return most
}

func (e not) eval(s *state) truth { return yes - e.of.eval(s) }
