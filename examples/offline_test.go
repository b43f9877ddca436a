package examples_test

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth/authtest"
	"github.com/gatekit-go/gatekit/route/cloudformation"
	"github.com/gatekit-go/gatekit/route/definition/definitiontest"
)

var repository = fstest.MapFS{"template.yaml": {Data: []byte(shop)}}

func TestTemplate(t *testing.T) {
	doc := gatekit.Must(cloudformation.Read(repository, "template.yaml", cloudformation.Options{})) // repository: os.DirFS("..")
	definitiontest.Suite{
		Document: doc,
		Answers:  map[string]string{"Orders": `{"statusCode":200,"body":"[]"}`}, // a function that isn't bound
		Cases: []definitiontest.Case{
			{API: "People", Request: "GET /orders/7", Want: "401"},
			{API: "People", Request: "GET /orders/7", Claims: authtest.Claims{"scope": "orders:read"}, Want: "200\n\n[]",
				Calls: []definitiontest.Call{{To: "Orders", Told: `{"pathParameters":{"id":"7"}}`}}},
		},
	}.Run(t)
}

// What the README has of leaving and of testing offline is these tests' code, word for word.
func TestREADMEOfLeaving(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	for file, ends := range map[string][2]string{
		"leaving_test.go": {"\t// README: Leaving\n", "\t// README: end\n"},
		"offline_test.go": {"\nfunc TestTemplate", "\n}\n"},
	} {
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		_, code, ok := strings.Cut(string(source), ends[0])
		require.True(t, ok)
		code, _, ok = strings.Cut(code, ends[1])
		require.True(t, ok)
		if ends[0][0] == '\t' {
			code = strings.TrimPrefix(strings.ReplaceAll("\n"+code, "\n\t", "\n"), "\n")
		} else {
			code = strings.TrimPrefix(ends[0], "\n") + code + ends[1]
		}
		require.True(t, strings.Contains(string(readme), "```go\n"+code+"```\n"), "%s:\n%s", file, code)
	}
}
