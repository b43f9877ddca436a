package browser

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// template is an HTTP API with a user pool's token and CORS for one page, and a function in Node.
const template = `
Transform: AWS::Serverless-2016-10-31
Parameters: {Page: {Type: String}}
Resources:
  Shop:
    Type: AWS::Serverless::HttpApi
    Properties:
      CorsConfiguration: {AllowOrigins: [!Ref Page], AllowHeaders: [Authorization], AllowMethods: [GET]}
      Auth:
        DefaultAuthorizer: users
        Authorizers:
          users: {IdentitySource: $request.header.Authorization, JwtConfiguration: {issuer: "https://login.example", audience: [shop]}}
  GetOrder:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: nodejs22.x
      Handler: index.handler
      InlineCode: "exports.handler = async event => event.pathParameters.id === '0' ? process.exit(1) : 'order ' + event.pathParameters.id;"
      Timeout: 30
      Events: {Get: {Type: HttpApi, Properties: {ApiId: !Ref Shop, Path: "/orders/{id}", Method: get}}}
`

// A page of the origin that a template names reads what examples/serve answers, refusals and failures
// too; a page of another origin reads nothing.
func TestServedTemplateInABrowser(t *testing.T) {
	chromium, err := exec.LookPath("chromium")
	require.NoError(t, err, "this module's tests need Chromium; .ci/run installs it")
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "template.yaml"), []byte(template), 0o600))
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "serve"), "./examples/serve")
	build.Dir = "../.."
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)

	document := ""
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, document)
	})
	allowed, other := httptest.NewServer(page), httptest.NewServer(page)
	defer allowed.Close()
	defer other.Close()
	set := serve(t, filepath.Join(dir, "serve"), "-template", filepath.Join(dir, "template.yaml"), "-parameter", "Page="+allowed.URL, "-strict")
	w, err := http.Post(set["MINT"], "", strings.NewReader("aud=shop"))
	require.NoError(t, err)
	defer w.Body.Close()
	token, err := io.ReadAll(w.Body)
	require.NoError(t, err)

	withToken := map[string]any{"headers": map[string]string{"Authorization": "Bearer " + string(token)}}
	requests, err := json.Marshal([][]any{
		{"get", set["API"] + "/orders/7", withToken}, {"fails", set["API"] + "/orders/0", withToken},
		{"unauthorized", set["API"] + "/orders/7", map[string]any{}},
	})
	require.NoError(t, err)
	document = `<!doctype html><body></body><script type="module">const requests = ` + string(requests) + ";\n" + script + "</script>"
	require.Equal(t, map[string]string{
		"get":          "200 order 7 total=null secret=null",
		"fails":        `500 {"message":"Internal Server Error"} total=null secret=null`,
		"unauthorized": `401 {"message":"Unauthorized"} total=null secret=null`,
	}, browse(t, chromium, allowed.URL))
	for name, result := range browse(t, chromium, other.URL) {
		require.Equal(t, "kept from the page", result, name)
	}
}

// serve starts examples/serve, and returns the variables that it prints.
func serve(t *testing.T, program string, args ...string) map[string]string {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		require.NoError(t, cmd.Process.Signal(os.Interrupt))
		require.NoError(t, cmd.Wait())
	})
	set := map[string]string{}
	for lines := bufio.NewScanner(out); lines.Scan() && lines.Text() != "# ctrl-c ends it"; {
		if name, value, ok := strings.Cut(lines.Text(), "="); ok {
			set[name] = value
		}
	}
	return set
}
