package bench

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/gatekit-go/gatekit/route/cloudformation"
	"github.com/gatekit-go/gatekit/route/definition"
)

// samOf is a SAM template of so many functions, each with a method of the implicit API, with CORS
// and an authorizer. It stands for three to four times as many resources.
func samOf(functions int) []byte {
	var b strings.Builder
	b.WriteString(`Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {Runtime: nodejs22.x, CodeUri: ./src, Timeout: 10, Environment: {Variables: {A: a, B: b}}}
  Api:
    Cors: {AllowOrigin: "'*'", AllowHeaders: "'X-Thing'"}
    Auth: {DefaultAuthorizer: Who, AddDefaultAuthorizerToCorsPreflight: false, Authorizers: {Who: {FunctionArn: !GetAtt Handler0.Arn}}}
Resources:
`)
	for i := range functions {
		fmt.Fprintf(&b, `  Handler%[1]d:
    Type: AWS::Serverless::Function
    Properties:
      Handler: index.handler%[1]d
      Events:
        Get: {Type: Api, Properties: {Path: '/things%[1]d/{id}', Method: get, RequestParameters: [method.request.querystring.page]}}
`, i)
	}
	return []byte(b.String())
}

// BenchmarkSAM translates and reads a template. It should take less than 150 ms.
func BenchmarkSAM(b *testing.B) {
	text := samOf(templateResources)
	b.Run(fmt.Sprintf("functions=%d", templateResources), func(b *testing.B) {
		fsys := fstest.MapFS{"template": {Data: text}}
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			doc := must[*definition.Document](b)(cloudformation.Read(fsys, "template", cloudformation.Options{}))
			if n := len(doc.APIs[0].Routes); n != 2*templateResources || len(doc.Findings) > 0 {
				b.Fatalf("got %d routes, and %v", n, doc.Findings)
			}
		}
	})
}

// What is allocated doesn't depend on the machine, and so is a test.
func TestSAMMemory(t *testing.T) {
	fsys := fstest.MapFS{"template": {Data: samOf(templateResources)}}
	read := func() {
		must[*definition.Document](t)(cloudformation.Read(fsys, "template", cloudformation.Options{}))
	}
	read() // what is made once in a process
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	read()
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > templateBytes {
		t.Errorf("want at most %d bytes for %d functions, got %d", templateBytes, templateResources, got)
	}
}
