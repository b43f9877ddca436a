package validate

import (
	"cmp"
	"errors"
	"net/http"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/querytext"
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
	place place
	name  string // as it is configured
	key   string // a header's canonical name
}

func compareParameters(a, b parameter) int {
	return cmp.Or(cmp.Compare(a.place, b.place), cmp.Compare(a.name, b.name))
}

func parseParameter(text string) (parameter, error) {
	rest, ok := strings.CutPrefix(text, "method.request.")
	where, name, named := strings.Cut(rest, ".")
	if ok && named && name != "" {
		switch where {
		case "header":
			return parameter{inHeader, name, http.CanonicalHeaderKey(name)}, nil
		case "path":
			return parameter{inPath, name, name}, nil
		case "querystring":
			return parameter{inQuery, name, name}, nil
		}
	}
	return parameter{}, errors.New("want method.request.header.NAME, method.request.querystring.NAME or method.request.path.NAME")
}

// of returns the parameter's value, "" if it isn't there; the last of several.
func (p *parameter) of(r *http.Request) string {
	switch p.place {
	case inHeader:
		if p.key == "Host" {
			return r.Host
		}
		if values := r.Header[p.key]; len(values) > 0 {
			return values[len(values)-1]
		}
		return ""
	case inPath:
		_, text, _ := gatekit.PathVariable(r, p.name)
		return text
	}
	// REST APIs split queries at semicolons, too, and so do templates and mappings. (Developer guide, "Amazon API Gateway important notes".)
	value, _ := querytext.Last(strings.ReplaceAll(r.URL.RawQuery, ";", "&"), p.name)
	return value
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
		if p := &v.required[i]; strings.TrimSpace(p.of(r)) == "" {
			missing = append(missing, *p)
		}
	}
	if missing == nil {
		return nil
	}
	cause := &ParameterError{missing}
	return &gatekit.Rejection{Type: gatekit.BadRequestParameters, Message: cause.message(), Cause: cause}
}
