package bench

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/route/cloudformation"
	"github.com/gatekit-go/gatekit/route/definition"
)

// templateResources is how many resources the service lets a template have, and templateBytes what
// reading one may allocate in all. It should take less than 150 ms, which the benchmark says.
const (
	templateResources = 500
	templateBytes     = 60 << 20
)

// templateOf is a template of a REST API of so many resources, as the CDK writes them: of each four
// one is a function, one its permission, one a resource of the API, and one a method.
func templateOf(resources int) []byte {
	var b strings.Builder
	b.WriteString(`Resources:
  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: large}}
  Who: {Type: AWS::Lambda::Function}
  Authorizer:
    Type: AWS::ApiGateway::Authorizer
    Properties:
      RestApiId: !Ref Api
      Type: TOKEN
      IdentitySource: method.request.header.Authorization
      AuthorizerUri: !Sub 'arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Who.Arn}/invocations'
  Stage: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref Api, StageName: live}}
`)
	for i := range (resources - 4) / 4 {
		fmt.Fprintf(&b, `  Handler%[1]d:
    Type: AWS::Lambda::Function
    Metadata: {'aws:cdk:path': Large/Handler%[1]d/Resource}
    Properties:
      Handler: index.handler
      Runtime: nodejs22.x
      Timeout: 10
      Environment: {Variables: {SELF: !Sub 'https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/live'}}
  Permission%[1]d:
    Type: AWS::Lambda::Permission
    Properties:
      Action: lambda:InvokeFunction
      FunctionName: !GetAtt Handler%[1]d.Arn
      Principal: apigateway.amazonaws.com
      SourceArn: !Join ['', ['arn:', !Ref AWS::Partition, ':execute-api:', !Ref AWS::Region, ':', !Ref AWS::AccountId, ':', !Ref Api, '/live/GET/things%[1]d']]
  Things%[1]d:
    Type: AWS::ApiGateway::Resource
    Properties: {RestApiId: !Ref Api, ParentId: !GetAtt Api.RootResourceId, PathPart: things%[1]d}
  Get%[1]d:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !Ref Things%[1]d
      HttpMethod: GET
      AuthorizationType: CUSTOM
      AuthorizerId: !Ref Authorizer
      OperationName: getThings%[1]d
      RequestParameters: {method.request.querystring.page: false}
      MethodResponses: [{StatusCode: '200', ResponseParameters: {method.response.header.Access-Control-Allow-Origin: true}}]
      Integration:
        Type: AWS_PROXY
        IntegrationHttpMethod: POST
        Uri: !Join ['', ['arn:', !Ref AWS::Partition, ':apigateway:', !Ref AWS::Region, ':lambda:path/2015-03-31/functions/', !GetAtt Handler%[1]d.Arn, '/invocations']]
`, i)
	}
	return []byte(b.String())
}

// BenchmarkTemplate reads a template.
func BenchmarkTemplate(b *testing.B) {
	yaml := templateOf(templateResources)
	for _, f := range []struct {
		form string
		text []byte
	}{{"yaml", yaml}, {"json", longForms(b, yaml)}} {
		b.Run(fmt.Sprintf("resources=%d/form=%s", templateResources, f.form), func(b *testing.B) {
			fsys := fstest.MapFS{"template": {Data: f.text}}
			b.SetBytes(int64(len(f.text)))
			b.ReportAllocs()
			for b.Loop() {
				doc := must[*definition.Document](b)(cloudformation.Read(fsys, "template", cloudformation.Options{}))
				if n := len(doc.APIs[0].Routes); n != (templateResources-4)/4 || len(doc.Findings) > 0 {
					b.Fatalf("got %d routes, and %v", n, doc.Findings)
				}
			}
		})
	}
}

// longForms is a template as JSON, with its short tags spelled out.
func longForms(tb testing.TB, yaml []byte) []byte {
	tree := must[*doctree.Node](tb)(doctree.Parse(yaml, doctree.Limits{Bytes: 1 << 24, Depth: 100, Values: 1 << 20}))
	return spelled(tree).AppendJSON(nil)
}

func spelled(n *doctree.Node) *doctree.Node {
	for i, item := range n.Items {
		n.Items[i] = spelled(item)
	}
	for i := range n.Members {
		n.Members[i].Value = spelled(n.Members[i].Value)
	}
	name, ok := strings.CutPrefix(n.Tag, "!")
	if !ok {
		return n
	}
	if name != "Ref" {
		name = "Fn::" + name
	}
	long := &doctree.Node{Kind: doctree.Map}
	long.Set(name, n)
	return long
}

// What is allocated doesn't depend on the machine, and so is a test.
func TestTemplateMemory(t *testing.T) {
	fsys := fstest.MapFS{"template": {Data: templateOf(templateResources)}}
	read := func() {
		must[*definition.Document](t)(cloudformation.Read(fsys, "template", cloudformation.Options{}))
	}
	read() // what is made once in a process
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	read()
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > templateBytes {
		t.Errorf("want at most %d bytes for %d resources, got %d", templateBytes, templateResources, got)
	}
}
