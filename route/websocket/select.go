package websocket

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/wholebody"
)

// Select returns a middleware that chooses one of choices by a selection expression over the
// message, and "$default" where none has the key that it evaluates to, or where the message isn't
// JSON. So models and templates are selected (Route.ModelSelectionExpression,
// Integration.TemplateSelectionExpression):
//
//	models, err := websocket.Select("$request.body.v", map[string]gatekit.Middleware{
//		"1": joinV1.Middleware, "$default": join.Middleware, // validate.New
//	})
//	api.Handle("join", h, models)
//
// A message for which there is no choice is refused as a bad request body. Where it is to pass, as
// for templates under WHEN_NO_MATCH, "$default" is a middleware that returns what it gets.
//
// The error names an expression or a choice that can't be one. It is for routes of messages;
// $connect has no body.
func Select(expression string, choices map[string]gatekit.Middleware) (gatekit.Middleware, error) {
	s, err := parseSelection(expression)
	if err != nil {
		return nil, fmt.Errorf("websocket: Select: expression: %w", err)
	}
	if len(choices) == 0 {
		return nil, errors.New("websocket: Select: choices: want at least one")
	}
	for _, key := range slices.Sorted(maps.Keys(choices)) {
		if choices[key] == nil {
			return nil, fmt.Errorf("websocket: Select: choices[%q]: want a middleware, got nil", key)
		}
	}
	choices = maps.Clone(choices)
	return func(next http.Handler) http.Handler {
		h := &selected{selection: s, next: next, choices: make(map[string]http.Handler, len(choices))}
		for key, mw := range choices {
			h.choices[key] = mw(next)
		}
		return h
	}, nil
}

type selected struct {
	selection *selection
	choices   map[string]http.Handler
	next      http.Handler
}

// Station implements [gatekit.Station].
func (h *selected) Station() (kind string, next http.Handler) { return "websocket.Select", h.next }

var errNoChoice = &gatekit.Rejection{Type: gatekit.BadRequestBody, Cause: errors.New(
	"websocket: Select: no choice for the message, and no $default")}

func (h *selected) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := wholebody.Read("websocket: Select", r, maxSelected)
	if err != nil {
		gatekit.Reject(w, r, err)
		return
	}
	key, ok := h.selection.evaluate(body)
	if !ok || h.choices[key] == nil {
		key = defaultKey
	}
	chosen := h.choices[key]
	if rc := gatekit.From(r.Context()); rc.Keeps(gatekit.KeepOutcomes) && chosen != nil {
		rc.Note(gatekit.Note{Phase: gatekit.PhaseTransform, Rule: key, Reason: "selected by the message"})
	}
	if chosen == nil {
		gatekit.Reject(w, r, errNoChoice)
		return
	}
	chosen.ServeHTTP(w, r)
}

// maxSelected bounds a body that is read here: as much as any template or model takes.
const maxSelected = 10 << 20
