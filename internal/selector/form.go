package selector

import "strings"

// Form is a way to write selectors: of a flavor of API, and of the place in its configuration.
type Form uint8

const (
	// Method is that of REST APIs: "method.request.header.NAME", "context.NAME",
	// "stageVariables.NAME".
	Method Form = iota
	// Route is that of WebSocket APIs: "route.request.header.NAME".
	Route
	// Dollar is that of the identity sources of HTTP APIs: "$request.header.NAME", "$context.NAME".
	Dollar
	// Request is that of HTTP APIs' mappings and of WebSocket selection expressions, without the $
	// or ${} that a text marks it by: "request.header.NAME".
	Request
	// Response is the same for answers: "response.header.NAME".
	Response
	// IntegrationResponse is a backend's answer in REST and WebSocket APIs:
	// "integration.response.header.NAME".
	IntegrationResponse
	// IntegrationRequest is the request to a backend, which mappings write to:
	// "integration.request.header.NAME".
	IntegrationRequest
	// MethodResponse is the answer of a REST API's method, which mappings write to:
	// "method.response.header.NAME".
	MethodResponse
	// GatewayResponse is an answer of the gateway's own, which mappings write to:
	// "gatewayresponse.header.NAME".
	GatewayResponse
)

// spelling is what sets a form apart.
type spelling struct {
	message     string // how a part of the message begins
	sigil       string // what stands before everything
	answer      bool   // it is about an answer and not a request
	anyQuery    bool   // queries may have names of any characters
	simplePaths bool   // JSON paths have no descent and no filters
	semicolons  bool   // queries are split at semicolons too
}

var spellings = [...]spelling{
	Method:              {message: "method.request", semicolons: true},
	Route:               {message: "route.request", semicolons: true},
	Dollar:              {message: "request", sigil: "$", anyQuery: true, simplePaths: true},
	Request:             {message: "request", anyQuery: true, simplePaths: true},
	Response:            {message: "response", answer: true, simplePaths: true},
	IntegrationResponse: {message: "integration.response", answer: true},
	IntegrationRequest:  {message: "integration.request"},
	MethodResponse:      {message: "method.response", answer: true},
	GatewayResponse:     {message: "gatewayresponse", answer: true},
}

func (f Form) spelling() *spelling { return &spellings[f] }

// word is how a kind is written behind the message.
type word struct {
	kind  Kind
	word  string
	named string // what stands for the name in errors; "" for kinds without one
	valid func(name string, in *spelling) bool
}

// words are tried in this order. That of a BodyPart takes what stands behind "body" as a whole, as
// a JSON path may begin with a dot or a bracket.
var words = [...]word{
	{Header, "header", "NAME", isHeader},
	{Headers, "multivalueheader", "NAME", isHeader},
	{Query, "querystring", "NAME", isQuery},
	{Queries, "multivaluequerystring", "NAME", isQuery},
	{PathVariable, "path", "NAME", isPathVariable},
	{Path, "path", "", nil},
	{Body, "body", "", nil},
	{BodyPart, "body", "PATH", nil},
	{Status, "statuscode", "", nil},
}

// named returns what stands for the name of a kind in examples.
func named(k Kind) string {
	for _, w := range words {
		if w.kind == k {
			return w.named
		}
	}
	return "NAME"
}

// example returns a kind as it is written in the form, with NAME or PATH for what differs.
func (f Form) example(k Kind) string {
	p := f.spelling()
	switch k {
	case Context, SourceContext:
		return p.sigil + "context.NAME"
	case StageVariable:
		return p.sigil + "stageVariables.NAME"
	}
	for _, w := range words {
		if w.kind == k {
			return strings.TrimSuffix(p.sigil+p.message+"."+w.word+"."+w.named, ".")
		}
	}
	return ""
}
