package validate

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/selector"
)

// place is where a parameter is. Messages list them in this order.
type place uint8

const (
	inHeader place = iota
	inPath
	inQuery
)

// String is the place's name in problem details.
func (p place) String() string { return [...]string{"header", "path", "query"}[p] }

// parameter is one that a request must have.
type parameter struct {
	place    place
	name     string // as it is configured
	selector selector.Selector
}

func compareParameters(a, b parameter) int {
	return cmp.Or(cmp.Compare(a.place, b.place), cmp.Compare(a.name, b.name))
}

// parameters are written as a REST API's method has them.
var parameters = selector.Grammar{
	Forms: []selector.Form{selector.Method}, Kinds: selector.Header | selector.Query | selector.PathVariable,
}

func parseParameter(text string) (parameter, error) {
	s, err := parameters.Parse(text)
	if err != nil {
		return parameter{}, err
	}
	p := parameter{name: strings.SplitN(text, ".", 4)[3], selector: s} // method.request.header.NAME
	switch s.Kind {
	case selector.PathVariable:
		p.place = inPath
	case selector.Query:
		p.place = inQuery
	}
	return p, nil
}

// ParameterError says which required parameters a request lacks.
type ParameterError struct{ missing []parameter }

// Error lists the parameters' names as the client is told them.
func (e *ParameterError) Error() string { return "validate: " + e.message() }

// message is what the client is told. (Recorded, but for the order within headers, path and query.)
func (e *ParameterError) message() string {
	var b strings.Builder
	b.WriteString("Missing required request parameters: [")
	for i := range e.missing {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(e.missing[i].name)
	}
	b.WriteByte(']')
	return b.String()
}

// checkParameters returns a Rejection if a required parameter is missing or blank.
func (v *Validator) checkParameters(r *http.Request) error {
	var missing []parameter
	for i := range v.required {
		p := &v.required[i]
		if text, _ := p.selector.Last(&selector.Message{Request: r}); strings.TrimSpace(text) == "" {
			missing = append(missing, *p)
		}
	}
	if missing == nil {
		return nil
	}
	cause := &ParameterError{missing}
	return &gatekit.Rejection{Type: gatekit.BadRequestParameters, Message: cause.message(), Cause: cause}
}
