package cloudformation_test

import (
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"testing/fstest"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/cloudformation"
	"github.com/gatekit-go/gatekit/route/definition"
)

const template = `
Resources:
  Handler:
    Type: AWS::Lambda::Function
  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: hello, ProtocolType: HTTP}
  ToHandler:
    Type: AWS::ApiGatewayV2::Integration
    Properties: {ApiId: !Ref Api, IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt Handler.Arn, PayloadFormatVersion: '2.0'}
  Hello:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Api, RouteKey: 'GET /hello/{name}', Target: !Sub 'integrations/${ToHandler}'}
  Stage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref Api, StageName: $default, AutoDeploy: true}
`

// A template is served with the functions that it names.
func ExampleRead() {
	files := fstest.MapFS{"template.yaml": {Data: []byte(template)}} // or os.DirFS, or os.Root.FS
	doc := gatekit.Must(cloudformation.Read(files, "template.yaml", cloudformation.Options{}))
	gateway := gatekit.Must(definition.Build(context.Background(), doc, definition.Bindings{
		Functions: map[string]gatekit.Invoker{"Handler": hello{}},
	}))
	defer gateway.Close()

	w := httptest.NewRecorder()
	gateway.ServeHTTP(w, httptest.NewRequest("GET", "/hello/Ada", nil))
	body, _ := io.ReadAll(w.Body)
	fmt.Println(w.Code, string(body))
	// Output: 200 Hello
}

// hello is a function.
type hello struct{}

func (hello) Invoke(context.Context, []byte) ([]byte, error) { return []byte(`"Hello"`), nil }

// What only a deployment knows is named, and can be given.
func ExampleOptions() {
	files := fstest.MapFS{"template.yaml": {Data: []byte(strings.ReplaceAll(template, "!GetAtt Handler.Arn", "!ImportValue the-function"))}}
	doc := gatekit.Must(cloudformation.Read(files, "template.yaml", cloudformation.Options{}))
	for _, f := range doc.Findings {
		fmt.Println(f.Origin, "-", f.What+":", f.Do)
	}
	doc = gatekit.Must(cloudformation.Read(files, "template.yaml", cloudformation.Options{
		Exports: map[string]string{"the-function": "arn:aws:lambda:us-east-1:123456789012:function:theirs"},
	}))
	fmt.Println(doc.APIs[0].Routes["GET /hello/{name}"].Integration.Target.Name, len(doc.Findings))
	// Output:
	// template.yaml:10 ToHandler - export the-function is known to a deployment only: give Options.Exports["the-function"]
	// theirs 0
}

func ExampleTypes() {
	for _, t := range cloudformation.Types() {
		if strings.HasPrefix(t.Name, "AWS::Lambda::") {
			fmt.Println(t.Name, t.Treatment)
		}
	}
	// Output:
	// AWS::Lambda::Alias followed
	// AWS::Lambda::Function bound
	// AWS::Lambda::Permission ignored
	// AWS::Lambda::Url reported
	// AWS::Lambda::Version followed
}
