package transform

import (
	"fmt"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/contextvar"
	"github.com/gatekit-go/gatekit/internal/hopbyhop"
	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/mediatype"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/selector"
)

// GatewayResponsesConfig configures [GatewayResponses]. The zero value changes nothing. (Developer
// guide, "Set up gateway response customization for REST APIs".)
type GatewayResponsesConfig struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Responses says what refusals of a type look like. A type without an entry takes each field
	// that is set in the entry of Default4XX or Default5XX, if that has one; a type with an entry
	// takes nothing from there: what its entry leaves unset is the type's own. RequestTooLarge
	// can't be changed.
	Responses map[gatekit.ResponseType]GatewayResponse
}

// GatewayResponse is what refusals of one type look like. All fields may be unset.
type GatewayResponse struct {
	_ struct{} // keyed literals only, so that fields can be added

	// StatusCode is the status, 200 to 599. 0 is the refusal's own.
	StatusCode int
	// ResponseParameters are headers: from "gatewayresponse.header.NAME" to a text in single
	// quotes, "method.request.header.NAME", "method.request.querystring.NAME",
	// "method.request.path.NAME", "context.NAME" or "stageVariables.NAME". A header without a value
	// is left out. One that the refusal brings along (WWW-Authenticate, Retry-After) is replaced.
	ResponseParameters map[string]string
	// ResponseTemplates are bodies by their content type. In them, $context.NAME,
	// $stageVariables.NAME and $method.request.… are replaced by what they stand for, as it is:
	// what a client sent isn't escaped, so such a variable has no place in HTML. Of several
	// templates, the first type in the request's Accept header chooses; else it is that of
	// application/json, or the first by name.
	ResponseTemplates map[string]string
}

// GatewayResponses answers what the stations behind it refuse, whichever package they are from, in
// the form that its configuration says. It is immutable and safe for concurrent use.
//
// It stands outside of everything that refuses, and inside cors, whose headers win. What a backend
// answers, it doesn't touch. The refusal's own headers, the request's IDs and, for REST APIs,
// X-Amzn-Errortype are sent whatever is configured.
//
// These variables say what was refused: $context.error.message, $context.error.messageString (in
// quotes, or null), $context.error.responseType and $context.error.validationErrorString.
//
// # Differences
//
//   - HTTP and WebSocket APIs, whose refusals the managed gateway doesn't let users change, have
//     gateway responses, too.
//   - A variable that there isn't, or that has no value, is left out of a template. The managed
//     gateway's way isn't documented.
//   - Where no template is for application/json, and Accept names none, the managed gateway's
//     choice isn't documented.
type GatewayResponses struct {
	responses map[gatekit.ResponseType]*gatewayResponse
	responder func(http.ResponseWriter, *http.Request, *gatekit.Rejection)
}

// gatewayResponse is a GatewayResponse, parsed.
type gatewayResponse struct {
	name    string // the type's that it is configured for
	status  int
	headers []gatewayHeader
	bodies  []gatewayBody // sorted by type
}

type gatewayHeader struct {
	name  string
	value selector.Selector
}

type gatewayBody struct {
	contentType string
	mediaType   string // in lower case, without parameters
	template    gatewayTemplate
}

// NewGatewayResponses returns a GatewayResponses, or an error that lists every field it refuses. It
// copies cfg.
func NewGatewayResponses(cfg GatewayResponsesConfig) (*GatewayResponses, error) {
	m := mistakes.In("transform: GatewayResponsesConfig")
	own := map[gatekit.ResponseType]*gatewayResponse{}
	for _, kind := range slices.Sorted(maps.Keys(cfg.Responses)) {
		field := fmt.Sprintf("Responses[%v]", kind)
		switch {
		case kind == 0 || kind > gatekit.WAFFiltered:
			m.Add(field, "want a response type, got %d", kind)
		case kind == gatekit.RequestTooLarge:
			m.Add(field, "want another type, as this one can't be changed")
		default:
			own[kind] = newGatewayResponse(m.Under(field), kind, cfg.Responses[kind])
		}
	}
	if err := m.Err(); err != nil {
		return nil, err
	}
	g := &GatewayResponses{responses: map[gatekit.ResponseType]*gatewayResponse{}}
	for kind := gatekit.ResponseType(1); kind <= gatekit.WAFFiltered; kind++ {
		inherited := gatekit.Default5XX
		if (&gatekit.Rejection{Type: kind}).StatusFor(gatekit.REST) < 500 {
			inherited = gatekit.Default4XX
		}
		if response := own[kind]; response != nil {
			g.responses[kind] = response
		} else if response = own[inherited]; response != nil && kind != gatekit.RequestTooLarge {
			g.responses[kind] = response
		}
	}
	g.responder = g.respond
	return g, nil
}

func newGatewayResponse(m *mistakes.Mistakes, kind gatekit.ResponseType, from GatewayResponse) *gatewayResponse {
	response := &gatewayResponse{name: kind.String(), status: from.StatusCode}
	m.Require(from.StatusCode == 0 || from.StatusCode >= 200 && from.StatusCode <= 599,
		"StatusCode", "want 0 or a status from 200 to 599, got %d", from.StatusCode)
	for _, target := range slices.Sorted(maps.Keys(from.ResponseParameters)) {
		at := m.Under("ResponseParameters").Key(target)
		to, err := gatewayTargets.Parse(target)
		value, valueErr := gatewayVariables.Parse(from.ResponseParameters[target])
		switch {
		case err != nil:
			at.Add("", "%w", err)
		case isOwnGatewayHeader(to.Name):
			at.Add("", "want a header that may be set, got %q", to.Name)
		case slices.ContainsFunc(response.headers, func(h gatewayHeader) bool { return h.name == to.Name }):
			at.Add("", "want each header once, got %q again", to.Name)
		case valueErr != nil:
			at.Add("", "%w", valueErr)
		default:
			response.headers = append(response.headers, gatewayHeader{to.Name, value})
		}
	}
	for _, contentType := range slices.Sorted(maps.Keys(from.ResponseTemplates)) {
		media, _, err := mime.ParseMediaType(contentType)
		if err != nil || !strings.Contains(media, "/") || strings.ContainsFunc(contentType,
			func(c rune) bool { return c < ' ' || c > '~' }) {
			m.Under("ResponseTemplates").Key(contentType).Add("",
				"want a content type such as application/json, got %q", contentType)
			continue
		}
		response.bodies = append(response.bodies, gatewayBody{contentType, media,
			parseGatewayTemplate(from.ResponseTemplates[contentType])})
	}
	return response
}

// isOwnGatewayHeader reports whether a header says what the message is or whose it is, which a
// customized response can't change.
func isOwnGatewayHeader(name string) bool {
	switch name {
	case "Content-Length", "Apigw-Requestid", "X-Amz-Apigw-Id", "X-Amzn-Errortype", "X-Amzn-Requestid":
		return true
	}
	return hopbyhop.Framing(name)
}

// Middleware answers the refusals of the stations behind it.
func (g *GatewayResponses) Middleware(next http.Handler) http.Handler {
	return &gatewayResponsesStation{responses: g, next: next}
}

type gatewayResponsesStation struct {
	responses *GatewayResponses
	next      http.Handler
}

func (h *gatewayResponsesStation) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rc, r := gatekit.Attach(r)
	rc.SetResponder(h.responses.responder)
	h.next.ServeHTTP(w, r)
}

// Station implements [gatekit.Station].
func (h *gatewayResponsesStation) Station() (kind string, next http.Handler) {
	return "gatewayresponses", h.next
}

// respond is the responder. [gatekit.Reject] has written the request's IDs.
func (g *GatewayResponses) respond(w http.ResponseWriter, r *http.Request, rej *gatekit.Rejection) {
	response := g.responses[contextvar.ResponseType(rej)]
	if response == nil {
		gatekit.Reject(w, r, rej) // in the flavor's form, as this is a responder
		return
	}
	rc := gatekit.From(r.Context())
	status := response.status
	if status == 0 {
		status = rej.StatusFor(rc.API.Flavor)
	}
	h := w.Header()
	rej.SetHeaders(h)
	m := &selector.Message{Context: rc, Request: r}
	contentType, body := response.body(m, rej, status)
	h["Content-Type"] = contentType
	delete(h, "X-Amzn-Errortype")
	if rc.API.Flavor == gatekit.REST {
		h["X-Amzn-Errortype"] = []string{rej.ErrorType()}
	}
	for i := range response.headers {
		header := &response.headers[i]
		if text, ok := header.value.Last(m); ok {
			h[header.name] = []string{headerText(text)}
		}
	}
	if h["Content-Length"] = []string{strconv.Itoa(len(body))}; !httpword.BodyAllowed(status) {
		delete(h, "Content-Type")
		delete(h, "Content-Length")
	}
	w.WriteHeader(status)
	if httpword.BodySent(r.Method, status) {
		_, _ = w.Write(body) // a client that went away is no fault of ours
	}
}

// body returns the values of Content-Type, nil for none, and the body.
func (g *gatewayResponse) body(m *selector.Message, rej *gatekit.Rejection, status int) ([]string, []byte) {
	if len(g.bodies) > 0 {
		b := g.choose(m.Request.Header)
		g.answered(m.Context, b, status)
		return []string{b.contentType}, b.template.append(nil, m)
	}
	g.answered(m.Context, nil, status)
	flavor := m.Context.API.Flavor
	if flavor == gatekit.HTTP && status == http.StatusServiceUnavailable {
		return nil, rej.BodyFor(flavor) // recorded without a content type
	}
	return []string{applicationJSON}, rej.BodyFor(flavor)
}

// choose returns the template that the request's Accept asks for. Only its first type counts.
func (g *gatewayResponse) choose(h http.Header) *gatewayBody {
	for _, wanted := range [...]string{mediatype.Of(h.Get("Accept")), applicationJSON} {
		for i := range g.bodies {
			if g.bodies[i].mediaType == wanted {
				return &g.bodies[i]
			}
		}
	}
	return &g.bodies[0]
}
