package accesslog

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/contextvar"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/nearest"
)

// The bounds of a format and of the line that is made by it. (Developer guide, "Set up CloudWatch
// logging for REST APIs".)
const (
	MaxFormat = 3 << 10
	MaxLine   = 1 << 20
)

// maxValue is how many bytes of one value a line has. No value that the managed gateway knows is
// longer; those of an authorizer of one's own may be.
const maxValue = 16 << 10

// format is a compiled format: pieces of text, each with a variable behind it, and a rest.
type format struct {
	pieces []piece
	tail   string
	fixed  int // how many bytes the texts are, with a dash for each value
	keep   gatekit.Keep
	counts bool // dataProcessed, for which a request's body may have to be counted
}

// piece is a text and the variable behind it.
type piece struct {
	text    string
	name    string
	v       contextvar.Var
	unknown bool // Lenient: it never has a value
	masked  bool
	number  bool
	plain   bool // it needs no escape
	as      place
	unset   string // what stands there for no value
}

// reference is a variable in a format. Names go on over what stands in names of claims; what of it
// is punctuation of the text around it is given back.
var reference = regexp.MustCompile(`\$context\.([A-Za-z_][A-Za-z0-9_.:-]*)?(\[(?:'[^'\]]*'|"[^"\]]*")\])?`)

// parse compiles a format, and adds to m what is wrong with it.
func parse(m *mistakes.Mistakes, cfg *Config) *format {
	text := oneLine(cfg.Format)
	f := &format{}
	at := 0
	for _, found := range reference.FindAllStringSubmatchIndex(text, -1) {
		begins := found[0] + len("$context.")
		v, name, err := lookUp(text[begins:found[1]])
		if err != nil && !cfg.Lenient {
			m.Add("Format", "want variables of $context that there are, got %.100q%s",
				"$context."+name, nearest.Hint(name, contextvar.Names()))
		}
		f.pieces = append(f.pieces, piece{text: text[at:found[0]], name: name, v: v, unknown: err != nil})
		at = begins + len(name)
	}
	f.tail = text[at:]
	m.Require(len(cfg.Format) <= MaxFormat, "Format", "want at most %d bytes, got %d", MaxFormat, len(cfg.Format))
	m.Require(slices.ContainsFunc(f.pieces, func(p piece) bool {
		return p.name == "requestId" || p.name == "extendedRequestId"
	}), "Format", "want $context.requestId or $context.extendedRequestId in it, so that a line can be found")
	f.mask(m, cfg.Unmasked)
	f.count()
	f.place(text, cfg.InsecureUnescaped)
	return f
}

// oneLine is the format without its line ends: as YAML has it, a format stands on many lines, and a
// log has one for each request.
func oneLine(text string) string {
	return lineEnds.ReplaceAllString(strings.Trim(text, " \t\r\n"), " ")
}

var lineEnds = regexp.MustCompile(`[ \t]*[\r\n]+[ \t\r\n]*`)

// lookUp finds the variable that name, or the longest beginning of it, is. What follows a variable
// as text can be what a name might go on with: a dot at the end of a sentence, or the hyphen of
// "$context.apiId-$context.stage".
func lookUp(name string) (v contextvar.Var, known string, err error) {
	known = name
	if trimmed := strings.TrimRight(name, ".:-"); !strings.HasSuffix(name, "]") {
		known = trimmed
	}
	v, err = contextvar.Logged(known)
	if err == nil {
		return v, known, nil
	}
	for i := len(known) - 1; i > 0; i-- {
		if known[i] == '-' || known[i] == ':' || known[i] == '[' {
			if v, shortErr := contextvar.Logged(known[:i]); shortErr == nil {
				return v, known[:i], nil
			}
		}
	}
	return v, known, err
}

// mask says which values are secrets that the log doesn't show.
func (f *format) mask(m *mistakes.Mistakes, unmasked []string) {
	for i, name := range unmasked {
		v, err := contextvar.Logged(strings.TrimSuffix(name, "*") + strings.Repeat("x", strings.Count(name, "*")))
		m.Under("Unmasked").Index(i).Require(err == nil && v.Secret(), "",
			"want a variable that is masked, such as identity.apiKey, authorizer.claims.sub or authorizer.*, got %q",
			name)
	}
	for i := range f.pieces {
		p := &f.pieces[i]
		p.masked = p.v.Secret() && !slices.ContainsFunc(unmasked, func(name string) bool {
			prefix, all := strings.CutSuffix(name, "*")
			return name == p.name || all && strings.HasPrefix(p.name, prefix)
		})
	}
}

// count sums up what the format asks of a request.
func (f *format) count() {
	f.fixed = len(f.tail) + 1
	for i := range f.pieces {
		p := &f.pieces[i]
		f.keep |= p.v.Keep()
		f.counts = f.counts || p.name == "dataProcessed"
		f.fixed += len(p.text) + len(`"null"`)
		p.number, p.plain = p.v.Number(), p.v.Appends()
	}
}

// append appends the line, with its end.
func (f *format) append(b []byte, rc *gatekit.RequestContext, r *http.Request, o *contextvar.Outcome) []byte {
	from := len(b)
	rest := f.fixed
	for i := range f.pieces {
		p := &f.pieces[i]
		b = append(b, p.text...)
		rest -= len(p.text) + len(`"null"`)
		b = p.append(b, MaxLine-rest-(len(b)-from), rc, r, o)
	}
	return append(append(b, f.tail...), '\n')
}

// append appends the variable's value in at most room bytes.
func (p *piece) append(
	b []byte, room int, rc *gatekit.RequestContext, r *http.Request, o *contextvar.Outcome,
) []byte {
	if p.plain {
		return p.appendPlain(b, rc, o)
	}
	value, ok := p.v.Logs(rc, r, o)
	if !ok {
		return append(b, p.unset...)
	}
	if most := max(0, min(maxValue, room/longestEscape-2)); len(value) > most {
		value = value[:most]
	}
	if p.masked {
		return p.as.append(b, p.mask(value))
	}
	return p.as.append(b, value)
}

// appendPlain appends a value that needs no escape, whatever the format is.
func (p *piece) appendPlain(b []byte, rc *gatekit.RequestContext, o *contextvar.Outcome) []byte {
	quoted := p.as == jsonBare
	from := len(b)
	if quoted {
		b = append(b, '"')
	}
	b, ok := p.v.Append(b, rc, o)
	switch {
	case !ok:
		return append(b[:from], p.unset...)
	case quoted:
		return append(b, '"')
	}
	return b
}
