package definition_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/definition"
)

// parse reads a document of a test's.
func parse(t testing.TB, text string) *definition.Document {
	t.Helper()
	doc, err := definition.Unmarshal([]byte(text))
	require.NoError(t, err)
	return doc
}

func build(t testing.TB, text string, b definition.Bindings) *definition.Gateway {
	t.Helper()
	if b.Logger == nil {
		b.Logger = slog.New(slog.DiscardHandler)
	}
	g, err := definition.Build(t.Context(), parse(t, text), b)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, g.Close()) })
	return g
}

// fn is a function that answers with a text and the event's stage variables.
type fn string

func (f fn) Invoke(_ context.Context, event []byte) ([]byte, error) {
	var e struct {
		StageVariables map[string]string `json:"stageVariables"`
	}
	if err := json.Unmarshal(event, &e); err != nil {
		return nil, err
	}
	body := string(f)
	if len(e.StageVariables) > 0 {
		body += fmt.Sprint(" ", e.StageVariables)
	}
	return json.Marshal(map[string]any{"statusCode": 200, "body": body})
}

func functions(names ...string) map[string]gatekit.Invoker {
	all := map[string]gatekit.Invoker{}
	for _, name := range names {
		all[name] = fn(name)
	}
	return all
}

// ask sends a request and returns what is answered: "200 text".
func ask(h http.Handler, method, url string, headers ...string) string {
	r := httptest.NewRequest(method, url, nil)
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return fmt.Sprint(w.Code, " ", w.Body)
}

const pets = `{"apis":[{"id":"Pets","flavor":"REST","routes":{
	"GET /pets/{id}":{"auth":{"type":"NONE"},"integration":{"type":"AWS_PROXY","target":{"kind":"lambda","function":"Get"},"method":"POST"}},
	"OPTIONS /pets/{id}":{"auth":{"type":"NONE"},"integration":{"type":"MOCK","target":{"kind":"mock"},
		"request_templates":{"application/json":"{ statusCode: 200 }"},
		"responses":[{"status":"204","parameters":{"method.response.header.Access-Control-Allow-Origin":"'*'"}}]}}
	},"stages":{"prod":{"variables":{"a":"b"}},"beta":{}}}]}`

func TestServe(t *testing.T) {
	g := build(t, pets, definition.Bindings{Functions: functions("Get"), Strict: true, NoDifferences: true})
	require.Equal(t, "200 Get map[a:b]", ask(g, "GET", "/prod/pets/1"))
	require.Equal(t, "200 Get", ask(g, "GET", "/beta/pets/1"))
	require.Equal(t, "204 ", ask(g, "OPTIONS", "/beta/pets/1"))
	require.Equal(t, `403 {"message":"Missing Authentication Token"}`, ask(g, "GET", "/beta/dogs"))
	require.Equal(t, `403 {"message":"Forbidden"}`, ask(g, "GET", "/dev/pets"))
	served, all := g.Report().Served()
	require.Equal(t, []int{2, 2}, []int{served, all})
}
