package transform

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit"
)

// What texts are noted as, in the words of execution logs. (Developer guide, "Set up CloudWatch
// logging for REST APIs in API Gateway"; the words as recorded.)
const (
	textMethodBody     = "Method request body before transformations"
	textURI            = "Endpoint request URI"
	textHeaders        = "Endpoint request headers"
	textBody           = "Endpoint request body after transformations"
	textAnswerHeaders  = "Endpoint response headers"
	textAnswerBody     = "Endpoint response body before transformations"
	textResponseBody   = "Method response body after transformations"
	textMethodResponse = "Method response headers"

	maxText = 1024 // of an entry of such a log
)

// masked are headers whose values no note shows.
var masked = map[string]bool{
	"Authorization": true, "Proxy-Authorization": true, "Cookie": true, "Set-Cookie": true,
	"X-Api-Key": true, "X-Amz-Security-Token": true,
}

// text notes what is worked on, for those who want to see that.
func (e *exchange) text(what string, text []byte) {
	if e.rc.Keeps(gatekit.KeepTexts) {
		e.rc.Note(gatekit.Note{
			Phase: gatekit.PhaseTransform, Rule: what, Reason: string(text[:min(len(text), maxText)]),
		})
	}
}

// headers notes headers as {name=value, other=value}.
func (e *exchange) headers(what string, h http.Header) {
	if !e.rc.Keeps(gatekit.KeepTexts) {
		return
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(h)) {
		if b.Len() > maxText {
			break
		}
		value := strings.Join(h[name], ",")
		if masked[name] {
			value = "****"
		}
		b.WriteString(", " + name + "=" + value)
	}
	e.text(what, []byte("{"+strings.TrimPrefix(b.String(), ", ")+"}"))
}

// request notes what is sent to the backend. body is nil where it streams.
func (e *exchange) request(out *http.Request, body []byte) {
	if !e.rc.Keeps(gatekit.KeepTexts) {
		return
	}
	e.text(textURI, []byte(out.URL.String()))
	e.headers(textHeaders, out.Header)
	if body != nil {
		e.text(textBody, body)
	}
}
