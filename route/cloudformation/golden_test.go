package cloudformation_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"log/slog"
	"net/http"
	"os"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/route/cloudformation"
	"github.com/gatekit-go/gatekit/route/definition"
)

var update = flag.Bool("update", false, "write the golden files anew")

// templates are all of ours.
var templates = []struct {
	file, golden string
	o            cloudformation.Options
}{
	{"orders.yaml", "orders.json", cloudformation.Options{Stack: "shop"}},
	{"shop.yaml", "shop.json", cloudformation.Options{Stack: "shop", Region: "eu-west-1", Account: "111122223333"}},
	{"chat.json", "chat.read.json", cloudformation.Options{Region: "cn-north-1"}},
	{"loops.yaml", "loops.json", cloudformation.Options{}},
	{"imported.yaml", "imported.json", cloudformation.Options{Files: map[string]string{"s3://documents/pets.yaml": "pets.yaml"}}},
	{"cdk.out", "cdk.json", cloudformation.Options{}},
	{"cdk/http", "cdk/http.json", cloudformation.Options{}},
	{"cdk/rest", "cdk/rest.json", cloudformation.Options{}},
	{"cdk/websocket", "cdk/websocket.json", cloudformation.Options{}},
	{"cdk/nested", "cdk/nested.json", cloudformation.Options{}},
	{"cdk/domain", "cdk/domain.json", cloudformation.Options{}},
}

// golden compares got with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile("testdata/"+name, got, 0o644))
	}
	want, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "%s (-update writes it anew)", name)
}

// pretty is a document's JSON form for people.
func pretty(t *testing.T, doc *definition.Document) []byte {
	t.Helper()
	text, err := doc.MarshalJSON()
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, json.Indent(&b, text, "", " "))
	b.WriteByte('\n')
	return b.Bytes()
}

func TestReadGolden(t *testing.T) {
	for _, tt := range templates {
		t.Run(tt.file, func(t *testing.T) {
			doc, err := cloudformation.Read(os.DirFS("testdata"), tt.file, tt.o)
			require.NoError(t, err)
			golden(t, tt.golden, pretty(t, doc))
			again, err := cloudformation.Read(os.DirFS("testdata"), tt.file, tt.o)
			require.NoError(t, err)
			require.Equal(t, pretty(t, doc), pretty(t, again), "the same input, the same document")
		})
	}
}

// What the CDK synthesizes is served: all of its routes, once the functions, pools and the like are
// bound.
func TestSynthesizedIsServed(t *testing.T) {
	for _, name := range []string{"http", "rest", "websocket", "nested", "domain"} {
		t.Run(name, func(t *testing.T) {
			doc, err := cloudformation.Read(os.DirFS("testdata/cdk"), name, cloudformation.Options{})
			require.NoError(t, err)
			require.Empty(t, doc.Findings)
			g, err := definition.Build(t.Context(), doc, definition.Bindings{
				OtherFunction: func(definition.Ref) (gatekit.Invoker, bool) { return hello{}, true },
				OtherHandler:  func(definition.Ref) (http.Handler, bool) { return http.NotFoundHandler(), true },
				OtherKey:      func(definition.Ref) (string, bool) { return "a-key-of-twenty-characters", true },
				OtherIssuer: func(definition.Ref) (definition.IssuerBinding, bool) {
					return definition.IssuerBinding{HTTPClient: &http.Client{Transport: nowhere{}}}, true
				},
				Credentials: auth.StaticCredentials{}, DefaultStage: "live",
				InsecureAllowAnyOrigin: true, Logger: slog.New(slog.DiscardHandler)})
			require.NoError(t, err)
			defer g.Close()
			for _, r := range g.Report().Routes {
				require.True(t, r.Served, "%s %s: %s", r.API, r.Route, r.Why)
			}
		})
	}
}

// read reads one template.
func read(t *testing.T, text string, o cloudformation.Options) *definition.Document {
	t.Helper()
	doc, err := tried(text, o)
	require.NoError(t, err)
	return doc
}

func tried(text string, o cloudformation.Options) (*definition.Document, error) {
	return cloudformation.Read(fstest.MapFS{"t.yaml": {Data: []byte(text)}}, "t.yaml", o)
}

// nowhere is a network on which nobody answers.
type nowhere struct{}

func (nowhere) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("no network") }
