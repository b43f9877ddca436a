package openapi_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/definition"
	"github.com/gatekit-go/gatekit/route/openapi"
)

// offline refuses every connection.
type offline struct{}

func (offline) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("offline") }

// useless is a function that answers no authorizer's question.
type useless struct{}

func (useless) Invoke(context.Context, []byte) ([]byte, error) { return []byte(`{}`), nil }

// bound binds all that a document refers to, and whatever is called says so in a header.
func bound() definition.Bindings {
	reached := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Reached", "yes") })
	return definition.Bindings{
		DefaultStage: "prod", ServePrivate: true, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		OtherHandler:  func(definition.Ref) (http.Handler, bool) { return reached, true },
		OtherFunction: func(definition.Ref) (gatekit.Invoker, bool) { return useless{}, true },
		OtherIssuer: func(definition.Ref) (definition.IssuerBinding, bool) {
			return definition.IssuerBinding{HTTPClient: &http.Client{Transport: offline{}}}, true
		},
	}
}

var pathVariable = regexp.MustCompile(`\{[^}]*\}`)

// asked is a stranger's request for a route.
func asked(h http.Handler, key string) *httptest.ResponseRecorder {
	method, path, ok := strings.Cut(key, " ")
	if method == "ANY" || !ok {
		method = http.MethodGet
	}
	if !ok {
		path = "/nothing/else"
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, "http://h"+pathVariable.ReplaceAllString(path, "v"), nil))
	return w
}

// Of our documents each route that is protected, which is written here by hand, refuses a stranger
// before anything is called, and each that is open answers: else the first would prove nothing.
func TestAttackStrangers(t *testing.T) {
	for _, tt := range []struct {
		file            string
		o               openapi.Options
		protected, open []string
	}{
		{"orders.yaml", openapi.Options{Region: "eu-west-1"},
			[]string{"OPTIONS /", "GET /orders", "POST /orders", "GET /orders/{orderId}", "DELETE /orders/{orderId}", "ANY /orders/{orderId}/items/{proxy+}"},
			[]string{"PUT /orders/{orderId}", "PATCH /orders/{orderId}"}},
		{"library.json", openapi.Options{}, []string{"GET /books/{isbn}"}, nil},
		{"tickets.yaml", openapi.Options{},
			[]string{"GET /tickets/{id}", "POST /tickets/{id}", "PATCH /tickets/{id}", "DELETE /tickets/{id}"},
			[]string{"$default", "POST /tickets/{ticket}/comments"}},
	} {
		t.Run(tt.file, func(t *testing.T) {
			doc := read(t, file(t, tt.file), tt.o)
			doc.APIs[0].Policy = nil // which refuses strangers everywhere
			g, err := definition.Build(t.Context(), doc, bound())
			require.NoError(t, err)
			defer g.Close()
			report := g.Report()
			require.Len(t, report.Routes, len(doc.APIs[0].Routes), "each route is served or refused")
			stage, err := g.Stage(doc.APIs[0].ID, "prod")
			require.NoError(t, err)
			for _, key := range tt.protected {
				w := asked(stage, key)
				require.GreaterOrEqual(t, w.Code, 400, key)
				require.Empty(t, w.Header().Get("X-Reached"), key)
			}
			for _, key := range tt.open {
				require.Equal(t, "yes", asked(stage, key).Header().Get("X-Reached"), "%s\n%s", key, report)
			}
		})
	}
}
