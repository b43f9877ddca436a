package definitiontest_test

import (
	"testing"

	"github.com/gatekit-go/gatekit/route/definition"
	"github.com/gatekit-go/gatekit/route/definition/definitiontest"
)

const hello = `{"apis":[{"id":"Hello","flavor":"REST","stages":{"prod":{}},"routes":{"GET /hello/{name}":{
	"auth":{"type":"NONE"},
	"integration":{"type":"AWS_PROXY","method":"POST","target":{"kind":"lambda","function":"Hello"}}}}}]}`

func ExampleSuite() {
	_ = func(t *testing.T) { // a test of one's own
		doc, err := definition.Unmarshal([]byte(hello))
		if err != nil {
			t.Fatal(err)
		}
		definitiontest.Suite{
			Document: doc,
			Answers:  map[string]string{"Hello": `{"statusCode":200,"body":"hello"}`},
			Cases: []definitiontest.Case{
				{
					Request: "GET /prod/hello/ann",
					Want:    "200\n\nhello",
					Calls:   []definitiontest.Call{{To: "Hello", Told: `{"pathParameters":{"name":"ann"}}`}},
				},
				{Request: "GET /prod/bye", Want: "403"},
			},
		}.Run(t)
	}
	// Output:
}
