// Package transformtest renders mapping templates against sample events, so that a golden test of a
// template is three lines:
//
//	got, err := transformtest.Render(template, transformtest.Event{Body: `{"id":7}`})
//	require.NoError(t, err)
//	require.JSONEq(t, `{"order":7}`, got.Output)
//
// [Render] takes a template, [Exchange] a whole method with its mappings and integration responses.
// Both work offline, and nothing in them needs a test: they serve programs as well.
package transformtest

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/transform"
	"github.com/gatekit-go/gatekit/transform/vtl"
)

// Result is what came of a template.
type Result struct {
	// Output is the text.
	Output string
	// Trace says what each reference of the template became, in the order in which they were
	// evaluated; of a template that failed, up to where it did.
	Trace []vtl.Reference
	// RequestOverride and ResponseOverride are what the template set in $context.
	RequestOverride, ResponseOverride transform.Override
	// Request is the integration request, for a request template of an integration of type HTTP.
	Request *Request
}

// Request is what an integration was sent.
type Request struct {
	// Method and URL are the request's. Without a URI in the configuration the URL is a path.
	Method, URL string
	// Host is the Host header.
	Host string
	// Header are the other headers. The trace ID is random and left out.
	Header http.Header
	// Body is the body.
	Body string
}

// Render renders a template for an event, whose Body is the payload. The error is that of
// [transform.NewTemplate], of a template that fails, or of a field of the event.
func Render(template string, e Event) (*Result, error) {
	t, err := transform.NewTemplate("template", template)
	if err != nil {
		return nil, err
	}
	r, err := e.request()
	if err != nil {
		return nil, err
	}
	got, err := t.Trace(r, []byte(e.Body))
	if err != nil {
		return &Result{Trace: got.Trace}, err
	}
	result := &Result{string(got.Output), got.Trace, got.Request, got.Response, nil}
	x, err := Exchange(transform.RESTConfig{
		Type: transform.HTTP, RequestTemplates: map[string]string{"$default": template},
		IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 200}},
	}, e, Answer{})
	if err != nil {
		return result, err
	}
	result.Request = x.Request
	return result, nil
}

// Answer is what the integration answers.
type Answer struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Status is the status, 0 for 200.
	Status int
	// Header are the headers.
	Header map[string]string
	// Body is the body.
	Body string
	// FunctionError is the errorMessage of a Lambda function that fails; its Body is then the error
	// as JSON.
	FunctionError string
}

// Outcome is one request through a method and back.
type Outcome struct {
	// Request is what the integration was sent, nil for a mock and for a request that was refused.
	Request *Request
	// Status, Header and Body are the method's response. Request and trace IDs are random and left
	// out.
	Status int
	Header http.Header
	Body   string
	// Rejection is why the gateway refused, or nil. Its Cause tells what a template or a mapping
	// has got wrong.
	Rejection *gatekit.Rejection
}

// Exchange sends an event through a method, to an integration that gives the answer. The error is
// that of [transform.NewREST], or of a field of the event; a refusal is an outcome.
func Exchange(c transform.RESTConfig, e Event, a Answer) (*Outcome, error) {
	m, err := transform.NewREST(c)
	if err != nil {
		return nil, err
	}
	r, err := e.request()
	if err != nil {
		return nil, err
	}
	outcome := &Outcome{}
	integration := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			gatekit.Reject(w, r, err)
			return
		}
		h := r.Header.Clone()
		delete(h, "X-Amzn-Trace-Id")
		outcome.Request = &Request{r.Method, r.URL.String(), r.Host, h, string(body)}
		for name, value := range a.Header {
			w.Header().Set(name, value)
		}
		if a.FunctionError != "" {
			gatekit.From(r.Context()).SetIntegration(gatekit.Integration{Status: http.StatusOK,
				FunctionError: a.FunctionError})
		}
		if a.Status != 0 {
			w.WriteHeader(a.Status)
		}
		_, _ = io.WriteString(w, a.Body)
	})
	w := httptest.NewRecorder()
	m.Middleware(integration).ServeHTTP(w, r)
	outcome.Status, outcome.Header, outcome.Body = w.Code, w.Header(), w.Body.String()
	outcome.Rejection = gatekit.From(r.Context()).Rejection()
	for _, random := range [...]string{"X-Amzn-Trace-Id", "X-Amzn-Requestid", "X-Amz-Apigw-Id"} {
		delete(outcome.Header, random)
	}
	return outcome, nil
}

// TraceText writes a trace as lines of "line:column reference = value", for a test's log.
func TraceText(trace []vtl.Reference) string {
	var b strings.Builder
	for _, ref := range trace {
		value := fmt.Sprintf("%q", vtl.ToString(ref.Value))
		if !ref.Defined {
			value = "undefined"
		}
		fmt.Fprintf(&b, "%d:%d %s = %s\n", ref.Line, ref.Column, ref.Text, value)
	}
	return b.String()
}

func sortedNames(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
