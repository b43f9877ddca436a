package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"testing"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/route/definition"
	"github.com/gatekit-go/gatekit/route/openapi"
)

// documentOf is a REST API of so many routes in YAML, of some 60 lines each: half of them with
// mapping templates, half proxies, with models, a validator, an authorizer and keys.
func documentOf(routes int) []byte {
	const lambda = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:"
	var b strings.Builder
	b.WriteString(`openapi: 3.0.1
info: {title: Large, version: "1"}
security: [{caller: []}]
x-amazon-apigateway-request-validators: {all: {validateRequestBody: true, validateRequestParameters: true}}
x-amazon-apigateway-request-validator: all
paths:
`)
	for i := range (routes + 1) / 2 {
		fmt.Fprintf(&b, `  /things%[1]d/{id}:
    get:
      operationId: getThing%[1]d
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}}
        - {name: page, in: query, required: false, schema: {type: integer}}
        - {name: X-Tenant, in: header, required: true, schema: {type: string}}
      security: [{caller: [things.read]}, {key: []}]
      responses:
        "200":
          description: OK
          headers: {X-Total: {schema: {type: integer}}}
          content: {application/json: {schema: {$ref: '#/components/schemas/Thing%[1]d'}}}
        "404": {description: none}
      x-amazon-apigateway-integration:
        type: aws
        httpMethod: POST
        uri: %[2]sget%[1]d/invocations
        passthroughBehavior: never
        requestParameters:
          integration.request.header.X-Tenant: method.request.header.X-Tenant
        requestTemplates:
          application/json: |
            #set($inputRoot = $input.path('$'))
            {
              "id": "$util.escapeJavaScript($input.params('id'))",
              "page": "$input.params('page')",
              "caller": "$context.authorizer.principalId",
              "stage": "$context.stage"
            }
        responses:
          default:
            statusCode: "200"
            responseParameters: {method.response.header.X-Total: integration.response.body.total}
            responseTemplates: {application/json: $input.json('$.thing')}
          "not found.*": {statusCode: "404"}
    post:
      operationId: postThing%[1]d
      requestBody:
        content: {application/json: {schema: {$ref: '#/components/schemas/Thing%[1]d'}}}
      x-amazon-apigateway-integration:
        type: aws_proxy
        httpMethod: POST
        uri: %[2]spost%[1]d:live/invocations
`, i, lambda)
	}
	b.WriteString("components:\n  schemas:\n")
	for i := range (routes + 1) / 2 {
		fmt.Fprintf(&b, `    Thing%[1]d:
      type: object
      required: [id, name]
      properties:
        id: {type: string, maxLength: 40}
        name: {type: string, minLength: 1, maxLength: 200}
        count: {type: integer, minimum: 0}
        tags: {type: array, items: {type: string}}
        next: {$ref: '#/components/schemas/Thing%[2]d'}
`, i, (i+1)%((routes+1)/2))
	}
	fmt.Fprintf(&b, `  securitySchemes:
    key: {type: apiKey, in: header, name: x-api-key}
    caller:
      type: apiKey
      in: header
      name: Authorization
      x-amazon-apigateway-authorizer: {type: token, authorizerUri: '%swho/invocations'}
`, lambda)
	return []byte(b.String())
}

type nobody struct{}

func (nobody) Invoke(context.Context, []byte) ([]byte, error) { return []byte("{}"), nil }

func buildDocument(doc *definition.Document) error {
	g, err := definition.Build(context.Background(), doc, definition.Bindings{
		DefaultStage: "prod", Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		OtherFunction: func(definition.Ref) (gatekit.Invoker, bool) { return nobody{}, true },
	})
	if err != nil {
		return err
	}
	return g.Close()
}

// importRoutes are those of a large document, and importBytes what reading and building it may
// allocate in all. It should take less than 100 ms, which the benchmark says.
const (
	importRoutes = 300
	importBytes  = 40 << 20
)

// BenchmarkImport reads documents of APIs, and builds them.
func BenchmarkImport(b *testing.B) {
	yaml := documentOf(importRoutes)
	tree := must[*doctree.Node](b)(doctree.Parse(yaml, doctree.Limits{Bytes: 1 << 24, Depth: 100, Values: 1 << 20}))
	doc := must[*definition.Document](b)(openapi.Read(yaml, openapi.Options{}))
	if n := len(doc.APIs[0].Routes); n != importRoutes {
		b.Fatalf("want %d routes, got %d", importRoutes, n)
	}
	for _, f := range []struct {
		form string
		text []byte
	}{{"yaml", yaml}, {"json", tree.AppendJSON(nil)}} {
		b.Run(fmt.Sprintf("routes=%d/form=%s/step=read", importRoutes, f.form), func(b *testing.B) {
			b.SetBytes(int64(len(f.text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := openapi.Read(f.text, openapi.Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("routes=%d/form=%s/step=read-and-build", importRoutes, f.form), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				doc, err := openapi.Read(f.text, openapi.Options{})
				if err == nil {
					err = buildDocument(doc)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run(fmt.Sprintf("routes=%d/step=write", importRoutes), func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if text, err := openapi.Write(doc, "", openapi.Options{}); err != nil || !bytes.Contains(text, []byte("getThing0")) {
				b.Fatal(err)
			}
		}
	})
}

// What is allocated doesn't depend on the machine, and so is a test.
func TestImportMemory(t *testing.T) {
	yaml := documentOf(importRoutes)
	build := func() {
		if err := buildDocument(must[*definition.Document](t)(openapi.Read(yaml, openapi.Options{}))); err != nil {
			t.Fatal(err)
		}
	}
	build() // what is made once in a process
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	build()
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > importBytes {
		t.Errorf("want at most %d bytes for %d routes, got %d", importBytes, importRoutes, got)
	}
}
