package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/definition"
)

const shopDocument = `{"apis":[{"id":"Shop","flavor":"HTTP","stages":{"prod":{}},"routes":{
	"GET /orders/{id}":{"auth":{"type":"NONE"},"integration":{"type":"AWS_PROXY","payload_format":"2.0","target":{"kind":"lambda","function":"Get"}}},
	"GET /locked":{"auth":{"type":"AWS_IAM"},"integration":{"type":"AWS_PROXY","payload_format":"2.0","target":{"kind":"lambda","function":"Get"}}}}}]}`

// invoker is a function that answers with its event's headers, and what it is given.
type invoker string

func (f invoker) Invoke(context.Context, []byte) ([]byte, error) { return []byte(f), nil }

func shopGateway(t *testing.T, answer string) *definition.Gateway {
	t.Helper()
	doc, err := definition.Unmarshal([]byte(shopDocument))
	require.NoError(t, err)
	g, err := definition.Build(t.Context(), doc, definition.Bindings{Functions: map[string]gatekit.Invoker{"Get": invoker(answer)}})
	require.NoError(t, err)
	t.Cleanup(func() { _ = g.Close() })
	return g
}

// flagsOf are what a command line says.
func flagsOf(t *testing.T, args ...string) (compareOptions, error) {
	t.Helper()
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	o := compareFlags(flags)
	err := flags.Parse(args)
	return *o, err
}

// Two gateways of one document differ in what their functions say, and in nothing else; the routes
// are told, and no secret.
func TestCompare(t *testing.T) {
	t.Setenv("TOKEN", "Bearer hunter2")
	old := shopGateway(t, `{"statusCode":200,"headers":{"content-type":"application/json","x-v":"1"},"body":"{\"price\":1,\"token\":\"hunter2\"}"}`)
	remote := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer hunter2" {
			t.Errorf("want the credentials, got %q", r.Header)
		}
		old.ServeHTTP(w, r)
	}))
	defer remote.Close()
	opts, err := flagsOf(t, "-rate=1000", "-header-from=Authorization=env:TOKEN")
	require.NoError(t, err)
	var out bytes.Buffer
	log := `{"httpMethod":"GET","routeKey":"GET /orders/{id}","path":"/prod/orders/7"}` + "\nGET /locked HTTP/1.1\n/none\n{\"httpMethod\":\"POST\",\"path\":\"/x\"}\n"
	err = compareMain(t.Context(), shopGateway(t, `{"statusCode":200,"headers":{"content-type":"application/json"},"body":"{\"price\":2,\"token\":\"x\"}"}`),
		remote.URL+"/prod", strings.NewReader(log), opts, &out)
	require.ErrorIs(t, err, errDiffers)
	require.Equal(t, `line 1: GET /orders/7 (GET /orders/{id}): header X-V: (absent) at the gateway, "1" at the remote
line 1: GET /orders/7 (GET /orders/{id}): body .price: 2 at the gateway, 1 at the remote
line 1: GET /orders/7 (GET /orders/{id}): body .token: (not shown) at the gateway, (not shown) at the remote

3 requests answered by both, 2 alike, 1 not

COUNT  DIFFERENT    ROUTE             FIRST
1      header X-V   GET /orders/{id}  line 1
1      body .price  GET /orders/{id}  line 1
1      body .token  GET /orders/{id}  line 1

COUNT  NOT COMPARED       FIRST
1      of another method  line 4
`, out.String())

	out.Reset()
	require.NoError(t, compareMain(t.Context(), old, remote.URL+"/prod", strings.NewReader(log), opts, &out), "with itself")
	require.Contains(t, out.String(), "3 requests answered by both, 3 alike, 0 not\n")
}

func TestCompareFlags(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(file, []byte("abc\n"), 0o600))
	t.Setenv("EMPTY", "")
	t.Setenv("KEY", "def")
	o, err := flagsOf(t, "-methods=GET,POST", "-header-from=x-api-key=file:"+file, "-own-header-from=X-Api-Key=env:KEY", "-ignore=header Server", "-ignore=body .x")
	require.NoError(t, err)
	require.Equal(t, "abc", o.Header.Get("X-Api-Key"))
	require.Equal(t, "def", o.GatewayHeader.Get("X-Api-Key"))
	require.Equal(t, []string{"header Server", "body .x"}, o.Ignore)
	for _, value := range []string{"", "X", "X=", "X=hunter2", "X=env:EMPTY", "X=file:" + file + ".gone", "=env:KEY", "X=text:hunter2"} {
		_, err := flagsOf(t, "-header-from="+value)
		require.Error(t, err, value)
	}
	var out bytes.Buffer
	o.Rate = -1
	err = compareMain(t.Context(), http.NotFoundHandler(), "http://example.com", strings.NewReader(""), o, &out)
	require.ErrorContains(t, err, "compare: Config.Remote: want https")
	require.Empty(t, out.String())
	require.NotContains(t, fmt.Sprint(err), "abc")
}

// The README's line has flags that there are.
func TestREADMEsLine(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	_, line, ok := strings.Cut(string(readme), "\ngo run ./examples/serve ")
	require.True(t, ok)
	line, _, _ = strings.Cut(line, "\n```")
	t.Setenv("TOKEN", "Bearer x")
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	options := compareFlags(flags)
	remote := flags.String("compare", "", "")
	for _, name := range []string{"template", "issuer", "log"} { // of the program
		flags.String(name, "", "")
	}
	require.NoError(t, flags.Parse(strings.Fields(strings.ReplaceAll(line, "\\\n", " "))))
	require.Empty(t, flags.Args())
	require.Equal(t, http.Header{"Authorization": {"Bearer x"}}, options.Header)
	require.NoError(t, compareMain(t.Context(), http.NotFoundHandler(), *remote, strings.NewReader(""), *options, io.Discard))
}
