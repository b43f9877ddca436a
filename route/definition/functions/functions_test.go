package functions_test

import (
	"archive/zip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/definition"
	"github.com/gatekit-go/gatekit/route/definition/functions"
	"github.com/gatekit-go/gatekit/route/integration"
)

// document has these functions.
func document(all map[string]*definition.Resource) *definition.Document {
	for id, r := range all {
		r.Type = "AWS::Lambda::Function"
		if r.Timeout == 0 {
			r.Timeout = 60 // busy machines
		}
		if r.Name == "" {
			r.Name = "stack-" + id
		}
		r.ARN = "arn:aws:lambda:eu-west-1:123456789012:function:" + r.Name
	}
	return &definition.Document{Resources: all}
}

func start(t *testing.T, doc *definition.Document, c functions.Config) *functions.Functions {
	t.Helper()
	if c.Root == "" {
		c.Root = "testdata"
	}
	if c.Log == nil {
		c.Log = io.Discard
	}
	f, err := functions.New(doc, c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	return f
}

// call calls a function by one of its names.
func call(t *testing.T, f *functions.Functions, ref definition.Ref) string {
	t.Helper()
	called, ok := f.Function(ref)
	require.True(t, ok, "%v: %v", ref, f.Findings())
	out, err := called.Invoke(t.Context(), []byte("{}"))
	require.NoError(t, err)
	return string(out)
}

func id(logical string) definition.Ref { return definition.Ref{LogicalID: logical} }

// Each function is found by its names and runs the code that the document has, or that is told.
func TestFunctions(t *testing.T) {
	shop := map[string]string{"SHOP": "books"}
	doc := document(map[string]*definition.Resource{
		"Node":   {Runtime: "nodejs22.x", Handler: "index.handler", Code: "node", Environment: shop, Path: "Shop/Node"},
		"Go":     {Runtime: "provided.al2023", Handler: "bootstrap", Code: "go", Environment: shop},
		"Inline": {Runtime: "python3.13", Handler: "index.handler", InlineCode: "def handler(event, context): return context.invoked_function_arn\n"},
		"Script": {Runtime: "nodejs20.x", Handler: "index.f", InlineCode: "exports.f = (e, c, done) => done(null, process.env.AWS_REGION);"},
		"Told":   {Runtime: "provided", Code: "nowhere"},
	})
	f := start(t, doc, functions.Config{Code: map[string]string{"stack-Told": "testdata/go"}})
	require.Empty(t, f.Findings())
	for _, ref := range []definition.Ref{id("Node"), {Path: "Shop/Node"}, {Name: "stack-Node"}, {ARN: doc.Resources["Node"].ARN, Qualifier: "live"}} {
		require.Contains(t, call(t, f, ref), `"books"`)
	}
	require.Equal(t, `"go for books"`, call(t, f, id("Go")))
	require.Equal(t, `"`+doc.Resources["Inline"].ARN+`"`, call(t, f, id("Inline")))
	require.Equal(t, `"eu-west-1"`, call(t, f, id("Script")))
	require.Equal(t, `"go for "`, call(t, f, id("Told")))
	_, ok := f.Function(definition.Ref{LogicalID: "Other"})
	require.False(t, ok)
	_, ok = f.Function(definition.Ref{})
	require.False(t, ok)
	require.NoError(t, f.Close())
	called, _ := f.Function(id("Node"))
	_, err := called.Invoke(t.Context(), []byte("{}"))
	var refused *integration.InvokeError
	require.ErrorAs(t, err, &refused)
}

// What can't be run is a finding that says why, and isn't bound: its routes refuse.
func TestFindings(t *testing.T) {
	dir := t.TempDir()
	archive, err := os.Create(filepath.Join(dir, "code.zip"))
	require.NoError(t, err)
	require.NoError(t, zip.NewWriter(archive).Close())
	require.NoError(t, archive.Close())
	require.NoError(t, os.Mkdir(filepath.Join(dir, "broken"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "broken", "main.go"), []byte("package main\n\nfunc main() { nonsense }\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module broken\n"), 0o600))
	require.NoError(t, os.Symlink("/etc", filepath.Join(dir, "out")))
	doc := document(map[string]*definition.Resource{
		"Java":    {Runtime: "java21", Handler: "a.B", InlineCode: "x"},
		"Image":   {},
		"Archive": {Runtime: "nodejs22.x", Handler: "index.handler", Code: "code.zip"},
		"Gone":    {Runtime: "nodejs22.x", Handler: "index.handler", Code: "gone"},
		"Out":     {Runtime: "nodejs22.x", Handler: "index.handler", Code: "out"},
		"Climbs":  {Runtime: "nodejs22.x", Handler: "index.handler", Code: "../" + filepath.Base(dir)},
		"Broken":  {Runtime: "provided.al2023", Code: "broken"},
		"Unknown": {Runtime: "nodejs22.x", Handler: "index.f", InlineCode: "exports.f = async () => [process.env.A, process.env.B]",
			Environment: map[string]string{"A": "a", "B": "b" + definition.Unknown("the attribute X.Y")}},
	})
	f := start(t, doc, functions.Config{Root: dir})
	found := map[string]string{}
	for _, finding := range f.Findings() {
		require.Equal(t, definition.Warning, finding.Severity)
		found[strings.Fields(finding.What)[2]] = finding.What
	}
	for name, want := range map[string]string{
		"Java": "java21", "Image": "its code isn't in the template", "Archive": "archive", "Gone": "no such file", "Out": "escapes",
		"Climbs": "escapes", "Broken": "undefined: nonsense", "Unknown": "runs without the variable B: the attribute X.Y isn't known",
	} {
		require.Contains(t, found[name], want, name)
		_, ok := f.Function(id(name))
		require.Equal(t, name == "Unknown", ok, name)
	}
	require.Len(t, found, 8)
	require.Equal(t, `["a",null]`, call(t, f, id("Unknown")))
	for _, entry := range f.Findings() {
		require.NotContains(t, entry.What, "\n", "a line of a table")
	}

	_, err = functions.New(doc, functions.Config{Root: dir, Code: map[string]string{"Jova": "x"}})
	require.ErrorContains(t, err, `functions: Config.Code["Jova"]: want a function of the document`)
	require.ErrorContains(t, err, "Java")
	_, err = functions.New(doc, functions.Config{Root: filepath.Join(dir, "nowhere")})
	require.ErrorContains(t, err, "functions: Config.Root")
}

// A document without functions has whatever is named, as it looks.
func TestUndescribed(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "lambda_function.py"), []byte("def lambda_handler(event, context): return 'guessed'\n"), 0o600))
	var asked string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.Path
		_, _ = io.WriteString(w, `"elsewhere"`)
	}))
	defer server.Close()
	const arn = "arn:aws:lambda:eu-west-1:111122223333:function:far"
	f := start(t, &definition.Document{}, functions.Config{Code: map[string]string{"near": dir, arn: server.URL}})
	require.Equal(t, `"guessed"`, call(t, f, definition.Ref{Name: "near"}))
	require.Equal(t, `"elsewhere"`, call(t, f, definition.Ref{Name: "far", ARN: arn}))
	require.Equal(t, "/2015-03-31/functions/far/invocations", asked)
}

// Functions are told where the document's APIs are here.
func TestAddresses(t *testing.T) {
	environment := map[string]string{"URL": "https://abcdefghij.execute-api.eu-west-1.amazonaws.com/prod", "OTHER": "https://example.com"}
	const script = "exports.f = async () => [process.env.URL, process.env.OTHER, process.env.AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI, process.env.MORE]"
	doc := document(map[string]*definition.Resource{
		"F": {Runtime: "nodejs22.x", Handler: "index.f", InlineCode: script, Environment: environment},
		"G": {Runtime: "nodejs22.x", Handler: "index.f", InlineCode: script, Environment: map[string]string{"URL": "wss://klmnopqrst.execute-api.us-east-1.amazonaws.com/live"}},
	})
	route := func(function string) map[string]*definition.Route {
		return map[string]*definition.Route{"$default": {Integration: &definition.Integration{Target: definition.Target{Kind: definition.KindLambda, Function: function}}}, "nothing": {}}
	}
	doc.APIs = []*definition.API{
		{ID: "Http", Flavor: definition.FlavorHTTP, APIID: "abcdefghij", Region: "eu-west-1"},
		{ID: "Chat", Flavor: definition.FlavorWebSocket, APIID: "klmnopqrst", Stages: map[string]*definition.Stage{"live": {}}, Routes: route("H")},
		{ID: "Talk", Flavor: definition.FlavorWebSocket, APIID: "uvwxyzabcd", Stages: map[string]*definition.Stage{"prod": {}}, Routes: route("G")},
		{ID: "None", Flavor: definition.FlavorHTTP},
	}
	f := start(t, doc, functions.Config{
		APIs:        map[string]string{"Http": "http://127.0.0.1:1", "Chat": "https://127.0.0.1:2/", "Talk": "http://127.0.0.1:3"},
		Environment: func(id string, variables map[string]string) { variables["MORE"] = id },
	})
	require.JSONEq(t, `["http://127.0.0.1:1/prod","https://example.com","https://127.0.0.1:2/live","F"]`, call(t, f, id("F")))
	require.JSONEq(t, `["wss://127.0.0.1:2/live",null,"http://127.0.0.1:3/prod","G"]`, call(t, f, id("G")))
	require.Equal(t, "https://abcdefghij.execute-api.eu-west-1.amazonaws.com/prod", environment["URL"], "the document isn't changed")
}

// A function whose description stays goes on; another takes over without a call that fails; one
// that is gone ends a document later.
func TestUpdate(t *testing.T) {
	describe := func(shop string, more ...string) *definition.Document {
		all := map[string]*definition.Resource{
			"Same":  {Runtime: "nodejs22.x", Handler: "index.handler", Code: "node"},
			"Other": {Runtime: "nodejs22.x", Handler: "index.handler", Code: "node", Environment: map[string]string{"SHOP": shop}},
		}
		for _, id := range more {
			all[id] = &definition.Resource{Runtime: "nodejs22.x", Handler: "index.handler", Code: "node"}
		}
		return document(all)
	}
	f := start(t, describe("0", "Gone"), functions.Config{Concurrency: 1})
	same := call(t, f, id("Same"))
	other, _ := f.Function(id("Other"))
	gone, _ := f.Function(id("Gone"))
	stop := make(chan struct{})
	var load sync.WaitGroup
	for range 3 {
		load.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := other.Invoke(t.Context(), []byte("{}")); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for n := range 4 {
		require.NoError(t, f.Update(describe(fmt.Sprint(n))))
		var out []any
		require.NoError(t, json.Unmarshal([]byte(call(t, f, id("Other"))), &out))
		require.Equal(t, fmt.Sprint(n), out[1])
		_, err := gone.Invoke(t.Context(), []byte("{}"))
		require.Equal(t, n == 0, err == nil, "%d: %v", n, err)
		_, ok := f.Function(id("Gone"))
		require.False(t, ok)
	}
	close(stop)
	load.Wait()
	require.Equal(t, same, call(t, f, id("Same")), "by the same process")
	require.NoError(t, f.Update(&definition.Document{Resources: map[string]*definition.Resource{"F": nil}}))
	_, ok := f.Function(id("Same"))
	require.False(t, ok)
}

// Go source that changes is built again.
func TestRebuild(t *testing.T) {
	dir := filepath.Join("testdata", "rebuilt-"+fmt.Sprint(os.Getpid())) // within the module, whose dependencies it has
	require.NoError(t, os.CopyFS(filepath.Join(dir, "go"), os.DirFS("testdata/go")))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	f := start(t, document(map[string]*definition.Resource{"Go": {Runtime: "provided.al2023", Code: "go"}}), functions.Config{Root: dir, Reload: true})
	require.Equal(t, `"go for "`, call(t, f, id("Go")))
	source := filepath.Join(dir, "go", "main.go")
	text, err := os.ReadFile(source)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(source, []byte(strings.Replace(string(text), "go for", "new for", 1)), 0o600))
	require.Eventually(t, func() bool { return call(t, f, id("Go")) == `"new for "` }, time.Minute, 5*time.Millisecond)
}

// Go source that can't be built is told at once; once it is repaired it is served, without another
// Update. What was built before goes on until then.
func TestBuildIsRepaired(t *testing.T) {
	dir := filepath.Join("testdata", "repaired-"+fmt.Sprint(os.Getpid()))
	require.NoError(t, os.CopyFS(filepath.Join(dir, "go"), os.DirFS("testdata/go")))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	source := filepath.Join(dir, "go", "main.go")
	text, err := os.ReadFile(source)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(source, []byte("package main\nfunc main() { nonsense }\n"), 0o600))
	describe := func(shop string) *definition.Document {
		return document(map[string]*definition.Resource{"Go": {
			Runtime: "provided.al2023", Code: "go", Environment: map[string]string{"SHOP": shop}}})
	}
	f := start(t, describe("books"), functions.Config{Root: dir, Reload: true})
	require.Len(t, f.Findings(), 1)
	require.Contains(t, f.Findings()[0].What, "the function Go isn't built: go build: exit status 1")
	called, ok := f.Function(id("Go"))
	require.True(t, ok)
	_, err = called.Invoke(t.Context(), []byte("{}"))
	require.ErrorContains(t, err, "Runtime.BuildError: go build: exit status 1")
	answers := func(want string) {
		t.Helper()
		require.Eventually(t, func() bool {
			out, err := called.Invoke(t.Context(), []byte("{}"))
			return err == nil && string(out) == want
		}, time.Minute, 5*time.Millisecond)
	}
	require.NoError(t, os.WriteFile(source, text, 0o600))
	answers(`"go for books"`)
	require.NoError(t, os.WriteFile(source, []byte("package main\nfunc main() { more nonsense }\n"), 0o600))
	require.NoError(t, f.Update(describe("music")))
	require.Len(t, f.Findings(), 1)
	answers(`"go for music"`)
}

// The gateway serves a document with the functions that it has.
func Example() {
	doc := gatekit.Must(definition.Unmarshal([]byte(`{
		"apis": [{"id": "Hello", "flavor": "HTTP", "stages": {"$default": {}}, "routes": {"GET /hello": {
			"auth": {"type": "NONE"},
			"integration": {"type": "AWS_PROXY", "method": "POST", "payload_format": "2.0", "target": {"kind": "lambda", "function": "Hello"}}}}}],
		"resources": {"Hello": {"type": "AWS::Lambda::Function", "runtime": "nodejs22.x", "handler": "index.handler",
			"inline_code": "exports.handler = async event => 'hello to ' + event.queryStringParameters.name"}}}`)))
	code := gatekit.Must(functions.New(doc, functions.Config{}))
	defer code.Close()
	gateway := gatekit.Must(definition.Build(context.Background(), doc, definition.Bindings{OtherFunction: code.Function}))
	defer gateway.Close()

	w := httptest.NewRecorder()
	gateway.ServeHTTP(w, httptest.NewRequest("GET", "/hello?name=ann", nil))
	fmt.Println(w.Code, w.Body)
	// Output: 200 hello to ann
}
