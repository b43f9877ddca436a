package transform

import (
	"net/http"
	"strings"

	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/latewriter"
	"github.com/gatekit-go/gatekit/internal/selector"
)

// parametersWriter maps an answer at the last moment, however the handler answers.
type parametersWriter struct {
	latewriter.Writer
	parameters *Parameters
	message    selector.Message
	plan       *plan // what is done with the answer; nil is nothing
}

// Hold looks up what is done with an answer of this status, and holds as much of its body as that
// asks for.
func (w *parametersWriter) Hold(status int) int {
	if w.message.Context.Rejection() == nil { // a refusal isn't the integration's answer
		w.plan = w.parameters.responses[status]
	}
	if w.plan == nil || !w.plan.asksBody || !httpword.BodyAllowed(status) {
		return 0
	}
	return maxMappedBody
}

// Commit changes the headers.
func (w *parametersWriter) Commit(status int) int {
	if w.plan == nil {
		return status
	}
	h, held := w.Header(), w.Held()
	w.message.Header, w.message.Status, w.message.Body = h, status, held[:min(len(held), maxMappedBody)]
	res := &results{}
	w.plan.values(&w.message, res)
	w.plan.noteResponse(w.message.Context, w.message.Status, res)
	w.plan.editHeader(h, res)
	w.plan.dropAnnounced(h)
	for i := range w.plan.mappings {
		if m := &w.plan.mappings[i]; m.place == inStatus {
			status = m.status
		}
	}
	return status
}

// finish commits for a handler that has returned. A trailer of a mapped name would say behind the
// body what the mapping has changed or removed in front of it, so the client gets none: neither
// those that were announced, which [parametersWriter.Commit] has seen to, nor those that net/http
// takes by its prefix.
func (w *parametersWriter) finish() {
	w.Finish()
	if w.plan == nil {
		return
	}
	h := w.Header()
	for name := range h {
		if trailer, ok := strings.CutPrefix(name, http.TrailerPrefix); ok &&
			w.plan.mapsHeader(http.CanonicalHeaderKey(trailer)) {
			delete(h, name)
		}
	}
}

// dropAnnounced takes the names of mapped headers out of Trailer.
func (p *plan) dropAnnounced(h http.Header) {
	if lines := h["Trailer"]; len(lines) > 0 {
		setList(h, "Trailer", lines, func(name string) bool { return !p.mapsHeader(http.CanonicalHeaderKey(name)) })
	}
}

// setList sets a header to the members of a list that keep allows, or removes it.
func setList(h http.Header, header string, lines []string, keep func(string) bool) {
	var kept []string
	for _, line := range lines {
		for member := range strings.SplitSeq(line, ",") {
			if member = strings.Trim(member, " \t"); member != "" && keep(member) {
				kept = append(kept, member)
			}
		}
	}
	if delete(h, header); len(kept) > 0 {
		h[header] = []string{strings.Join(kept, ", ")}
	}
}
