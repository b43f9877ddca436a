package transform

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/requestpath"
	"github.com/gatekit-go/gatekit/internal/selector"
)

// maxMappedBody is how much of a body its selectors see. (Developer guide, "Transform API requests
// and responses for HTTP APIs".)
const maxMappedBody = 100 << 10

// ParametersConfig configures [Parameters]: the two maps that an HTTP API's integration has. The
// zero value maps nothing. (Developer guide, "Transform API requests and responses for HTTP APIs".)
//
// A key says what happens where:
//
//	append:header.NAME          add a value to those there are
//	overwrite:header.NAME       replace all values
//	remove:header.NAME          drop all values; the mapping's value is "" or "''"
//	append:querystring.NAME     the same for the query; requests only. The name's case matters
//	overwrite:querystring.NAME
//	remove:querystring.NAME
//	overwrite:path              replace the path; requests only
//	overwrite:header.host       replace the Host of the request to the backend; requests only
//	overwrite:statuscode        replace the status by a number from 200 to 599; responses only
//
// A value is text in which ${SELECTOR} stands for what was selected. The braces may be left out:
// the selector then ends at the first character that can't be part of one, as in
// /$request.path.proxy. Text needs no quotes.
//
//	request.header.NAME         the values, joined by commas
//	request.querystring.NAME    the values, decoded, joined by commas
//	request.body                the body's first 102,400 bytes
//	request.body.PATH           a JSON path in them, without .. and filters
//	request.path                the path behind the stage, as received
//	request.path.NAME           a path variable, decoded
//	response.header.NAME        the same of the integration's answer. Responses have these
//	response.body               three in place of those of the request
//	response.body.PATH
//	context.NAME                a $context variable, such as context.requestId or context.authorizer.claims.sub
//	stageVariables.NAME
type ParametersConfig struct {
	_ struct{} // keyed literals only, so that fields can be added

	// RequestParameters maps the request on its way to the integration.
	RequestParameters map[string]string
	// ResponseParameters maps the integration's answers, by their status, 200 to 599. An answer
	// whose status has no entry passes as it is.
	ResponseParameters map[int]map[string]string
	// KeepUnmapped lets the client's header, query parameter or path through where an overwrite of
	// the request's finds nothing to put in its place. Without it the client's value is dropped,
	// and a request whose path finds none is refused with 400: a client must not be able to choose
	// a value that the API's owner meant to set, say from a claim that a token lacks.
	KeepUnmapped bool
}

// Parameters maps parameters as an HTTP API's integration does: headers, query and path of
// requests, headers and status of answers. It is immutable and safe for concurrent use.
//
// All values are computed from the message as it came, then the changes are made: what is removed
// first, then what is overwritten, then what is appended. So a header is renamed by appending the
// new name and removing the old one. A mapping of which a selector finds nothing is left out, but
// see [ParametersConfig].KeepUnmapped. Mapping stands behind the authorizers, whose findings it may
// use, and inside cors.
//
// Bodies stream through. Only a selector that asks for a body makes Parameters read it, to 102,400
// bytes: what is behind them is cut off before the JSON path is followed, so that the path finds
// nothing in a larger document. An answer of which the body is asked for is held back until that
// much of it is there, it is complete, or the handler flushes.
//
// # Differences
//
//   - The managed gateway doesn't say in which order mappings of one name apply, nor what becomes
//     of a mapping whose selector finds nothing. Here both are as above.
//   - $request.body and $response.body are cut at 100 KB, too. The managed gateway sends them whole
//     to AWS services, which have no place here; in a header, no backend would take more.
//   - What comes from outside can't leave its place: control characters in header values become
//     blanks, and in a path every byte that has no business there is escaped; a path variable keeps
//     to its segment, if it isn't a greedy one. A path that ends up with a dot segment, a NUL or a
//     backslash is 400.
//   - Trailer can't be mapped, which would change what the message is, and Host only be
//     overwritten. A text that is no host is 400.
//   - Two mappings of one action and one name, spelled in different letter case, are refused: they
//     would have no order.
//   - A refusal that a station behind makes isn't the integration's answer, so nothing in it is
//     mapped.
type Parameters struct {
	request   plan
	responses map[int]*plan
	attaches  bool // whether it needs a RequestContext
}

// NewParameters returns a Parameters, or an error that lists every mapping it refuses. It copies
// cfg.
func NewParameters(cfg ParametersConfig) (*Parameters, error) {
	m := mistakes.In("transform: ParametersConfig")
	p := &Parameters{responses: map[int]*plan{}}
	p.request = newPlan(m.Under("RequestParameters"), cfg.RequestParameters, false)
	p.request.drops = !cfg.KeepUnmapped
	p.attaches = p.request.asksContext || p.request.tellsTarget
	for _, status := range slices.Sorted(maps.Keys(cfg.ResponseParameters)) {
		field := "ResponseParameters[" + strconv.Itoa(status) + "]"
		if status < 200 || status > 599 {
			m.Add(field, "want a status from 200 to 599, got %d", status)
			continue
		}
		answer := newPlan(m.Under(field), cfg.ResponseParameters[status], true)
		if len(answer.mappings) > 0 {
			p.responses[status] = &answer
			p.attaches = true // to tell the integration's answers from refusals
		}
	}
	if err := m.Err(); err != nil {
		return nil, err
	}
	return p, nil
}

// mappedRequest is a request, its URL and what its new values point at, in one object.
type mappedRequest struct {
	http.Request
	url     url.URL
	results results
}

// Request returns a copy of r with the request's mappings carried out, or r itself if there are
// none; r's header, query and path stay as they were. The error is a *[gatekit.Rejection]: the
// mapped path is one that readers may take for different ones.
//
// If a mapping asks for the body, what was read of r.Body is put in front of what the copy's Body
// is to read; r.Body itself must not be read any more.
func (p *Parameters) Request(r *http.Request) (*http.Request, error) {
	return p.mapped(gatekit.From(r.Context()), r)
}

func (p *Parameters) mapped(rc *gatekit.RequestContext, r *http.Request) (*http.Request, error) {
	plan := &p.request
	if len(plan.mappings) == 0 {
		return r, nil
	}
	m := selector.Message{Context: rc, Request: r}
	body := r.Body
	if plan.asksBody {
		m.Body, body = peek(r.Body)
	}
	c := &mappedRequest{Request: *r}
	plan.values(&m, &c.results)
	passed(rc, ruleRequest+" "+ruleParameters, plan.absent(rc, &c.results), time.Time{})
	c.Body = body
	if plan.editsHeader {
		if c.Header = maps.Clone(r.Header); c.Header == nil {
			c.Header = http.Header{}
		}
		plan.editHeader(c.Header, &c.results)
		plan.keepMapped(c.Header)
		plan.dropAliases(c.Header, c.Trailer)
	}
	host, err := plan.editHost(&c.Request, &c.results)
	if err != nil {
		return nil, err
	}
	path := false
	if plan.editsQuery || plan.editsPath {
		c.url = *r.URL
		c.URL = &c.url
	}
	if plan.editsQuery {
		c.url.RawQuery = plan.editQuery(r.URL.RawQuery, &c.results)
		c.Form = nil // what has been parsed of the old query
	}
	if plan.editsPath {
		if rc != nil {
			requestpath.Settle(&rc.Path, r.URL, rc.API.Flavor == gatekit.REST)
		}
		if path, err = plan.editPath(&c.url, &c.results); err != nil {
			return nil, err
		}
	}
	if host || path {
		rc.SetOverwritten(host, path)
	}
	return &c.Request, nil
}

// Middleware maps requests on their way to next, and next's answers.
func (p *Parameters) Middleware(next http.Handler) http.Handler {
	return &parametersStation{parameters: p, next: next}
}

type parametersStation struct {
	parameters *Parameters
	next       http.Handler
}

func (h *parametersStation) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p := h.parameters
	var rc *gatekit.RequestContext
	if p.attaches {
		rc, r = gatekit.Attach(r)
	} else {
		rc = gatekit.From(r.Context())
	}
	mapped, err := p.mapped(rc, r)
	if err != nil {
		refused(rc, ruleRequest+" "+ruleParameters, time.Time{}, err)
		gatekit.Reject(w, r, err)
		return
	}
	if len(p.responses) == 0 {
		h.next.ServeHTTP(w, mapped)
		return
	}
	rw := &parametersWriter{parameters: p, message: selector.Message{Context: rc, Request: r}}
	rw.Init(w, rw)
	h.next.ServeHTTP(rw, mapped)
	rw.finish()
}

// Station implements [gatekit.Station].
func (h *parametersStation) Station() (kind string, next http.Handler) { return "parameters", h.next }
