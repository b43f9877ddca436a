package cloudformation_test

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/cloudformation"
	"github.com/gatekit-go/gatekit/route/definition"
)

// finding looks for one by severity and a part of what it says.
func finding(t *testing.T, doc *definition.Document, s definition.Severity, what string) definition.Finding {
	t.Helper()
	for _, f := range doc.Findings {
		if f.Severity == s && strings.Contains(f.What, what) {
			require.NotEmpty(t, f.Origin.Template)
			return f
		}
	}
	require.Fail(t, "no finding", "want %s %q, got %v", s, what, doc.Findings)
	return definition.Finding{}
}

func TestFindings(t *testing.T) {
	api := "\n  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: a}}"
	v2 := "\n  Api: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: a, ProtocolType: HTTP}}"
	for _, tt := range []struct {
		name, resources string
		severity        definition.Severity
		want            string
	}{
		{"property", "\n  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Naem: a}}", definition.Warning, `Api: AWS::ApiGateway::RestApi has no property "Naem"; the nearest are "Name"`},
		{"nested-property", api + "\n  M: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref Api, ResourceId: !GetAtt Api.RootResourceId, HttpMethod: GET, Integration: {Type: MOCK, Url: x}}}", definition.Warning, `M: AWS::ApiGateway::Method.Integration has no property "Url"; the nearest are "Uri"`},
		{"nested-list", api + "\n  M: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref Api, StageName: a, MethodSettings: [{ThrottlingRateLmit: 1}]}}", definition.Warning, `M: AWS::ApiGateway::Stage.MethodSettings has no property "ThrottlingRateLmit"; the nearest are "ThrottlingRateLimit"`},
		{"type", api + "\n  M: {Type: Method, Properties: {}}", definition.Warning, `M has the type "Method", which is none`},
		{"section", api + "\nMetadat: {}", definition.Warning, `a template has no section "Metadat"; the nearest are "Metadata"`},
		{"authorizer-unasked", api + "\n  M: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref Api, AuthorizationType: NONE, AuthorizerId: x}}", definition.Warning, "M names an authorizer, which isn't asked"},
		{"new-type", api + "\n  M: {Type: AWS::ApiGateway::Teapot}", definition.Unsupported, "resources of the type AWS::ApiGateway::Teapot aren't covered"},
		{"overrides", v2 + "\n  M: {Type: AWS::ApiGatewayV2::ApiGatewayManagedOverrides, Properties: {ApiId: !Ref Api, Route: {AuthorizationType: NONE}}}", definition.Unsupported, "overrides what isn't made"},
		{"function-url", api + "\n  M: {Type: AWS::Lambda::Url, Properties: {AuthType: NONE}}", definition.Unsupported, "M is a function's own URL"},
		{"alias", api + "\n  M: {Type: AWS::Lambda::Alias, Properties: {FunctionName: f, Name: n, RoutingConfig: {}}}", definition.Differs, "the alias M divides its calls"},
		{"api-elsewhere", "\n  M: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: abcdefghij}}", definition.Unsupported, `M belongs to the API "abcdefghij", which isn't in the import`},
		{"api-unknown", "\n  M: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !ImportValue x}}", definition.Unsupported, "M belongs to an API that isn't known: export x"},
		{"api-none", "\n  M: {Type: AWS::ApiGateway::Method, Properties: {}}", definition.Unsupported, "M belongs to no API"},
		{"resource-elsewhere", api + "\n  M: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref Api, ResourceId: abcdef}}", definition.Unsupported, `M is below the resource "abcdef"`},
		{"resource-circle", api + "\n  R: {Type: AWS::ApiGateway::Resource, Properties: {PathPart: a, ParentId: !Ref S}}\n  S: {Type: AWS::ApiGateway::Resource, Properties: {PathPart: a, ParentId: !Ref R}}\n  M: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref Api, ResourceId: !Ref R}}", definition.Unsupported, "M: its resource is its own parent"},
		{"resource-of-another", api + "\n  Other: {Type: AWS::ApiGateway::RestApi, Properties: {Name: b}}\n  M: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref Api, ResourceId: !GetAtt Other.RootResourceId}}", definition.Unsupported, "M: its resource is of another API, Other"},
		{"clone", "\n  Api: {Type: AWS::ApiGateway::RestApi, Properties: {CloneFrom: abcdef}}", definition.Unsupported, `Api is a copy of the API "abcdef"`},
		{"no-integration", api + "\n  M: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref Api, ResourceId: !GetAtt Api.RootResourceId, HttpMethod: GET}}", definition.Unsupported, "M has no integration"},
		{"bad-uri", api + "\n  M: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref Api, ResourceId: !GetAtt Api.RootResourceId, HttpMethod: GET, Integration: {Type: AWS_PROXY, Uri: nowhere}}}", definition.Unsupported, `M: the URI "nowhere" can't be called`},
		{"twice", api + strings.Repeat("\n  M#: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref Api, ResourceId: !GetAtt Api.RootResourceId, HttpMethod: GET, Integration: {Type: MOCK}}}", 2), definition.Warning, "the API Api has another route GET /"},
		{"route-twice", v2 + "\n  I: {Type: AWS::ApiGatewayV2::Integration, Properties: {ApiId: !Ref Api, IntegrationType: HTTP_PROXY, IntegrationUri: 'http://a.example'}}" + strings.Repeat("\n  M#: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Api, RouteKey: GET /, Target: !Sub 'integrations/${I}'}}", 2), definition.Warning, "the API Api has another route GET /"},
		{"route-without", v2 + "\n  M: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Api, RouteKey: GET /}}", definition.Unsupported, "M has no integration"},
		{"route-elsewhere", v2 + "\n  M: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Api, RouteKey: GET /, Target: integrations/x}}", definition.Unsupported, "M: its integration isn't in the import"},
		{"stage", api + "\n  M: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref Api}}", definition.Unsupported, "the stage M has no name"},
		{"number", api + "\n  M: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref Api, StageName: a, CanarySetting: {PercentTraffic: half}}}", definition.Unsupported, "M: want a number for PercentTraffic"},
		{"number-large", api + "\n  M: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref Api, StageName: a, CanarySetting: {PercentTraffic: 1e300}}}", definition.Unsupported, "it is too large"},
		{"plan", api + "\n  M: {Type: AWS::ApiGateway::UsagePlanKey, Properties: {KeyId: a, UsagePlanId: b}}", definition.Unsupported, "M: its usage plan isn't in the import"},
		{"key", api + "\n  P: {Type: AWS::ApiGateway::UsagePlan, Properties: {ApiStages: [{ApiId: x, Stage: y}]}}\n  M: {Type: AWS::ApiGateway::UsagePlanKey, Properties: {KeyId: a, UsagePlanId: !Ref P}}", definition.Unsupported, "M: its API key isn't in the import"},
		{"domain", api + "\n  M: {Type: AWS::ApiGateway::BasePathMapping, Properties: {DomainName: a.example, RestApiId: !Ref Api}}", definition.Differs, "the domain name a.example isn't in the import"},
		{"domain-nameless", "\n  M: {Type: AWS::ApiGateway::DomainName, Properties: {}}", definition.Unsupported, "the domain name M has no name"},
		{"stage-policy", v2 + "\n  M: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref Api, StageName: a, AutoDeploy: true, AccessPolicyId: x}}", definition.Unsupported, "M: access policies of stages aren't covered"},
		{"response-elsewhere", v2 + "\n  M: {Type: AWS::ApiGatewayV2::IntegrationResponse, Properties: {ApiId: !Ref Api, IntegrationId: x}}", definition.Unsupported, "M: its integration isn't in the import"},
		{"domain-none", api + "\n  M: {Type: AWS::ApiGateway::BasePathMapping, Properties: {RestApiId: !Ref Api}}", definition.Unsupported, "M is of no domain name"},
		{"acl-stage", api + "\n  M: {Type: AWS::WAFv2::WebACLAssociation, Properties: {WebACLArn: x, ResourceArn: !Sub 'arn:aws:apigateway:us-east-1::/restapis/${Api}/stages/x'}}", definition.Unsupported, `M: the API Api has no stage "x"`},
		{"acl-unknown", api + "\n  M: {Type: AWS::WAFv2::WebACLAssociation, Properties: {WebACLArn: x, ResourceArn: !ImportValue x}}", definition.Unsupported, "M protects something that isn't known: export x"},
		{"condition-unknown", api + "\n  M: {Type: AWS::ApiGateway::Account, Condition: Open}", definition.UnknownValue, "whether M is there hangs on condition Open"},
		{"condition-false", api + "\n  N: {Type: AWS::SQS::Queue, Condition: Never}\n  M: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref Api, StageName: !Ref N}}", definition.Unsupported, "the condition of N is false"},
		{"condition-false-attribute", api + "\n  N: {Type: AWS::SQS::Queue, Condition: Never}\n  M: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref Api, StageName: !GetAtt N.Arn}}", definition.Unsupported, "the condition of N is false"},
		{"nested", api + "\n  M: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: 'https://s3.amazonaws.com/b/k.yaml'}}", definition.Unsupported, "the template of the nested stack M isn't here"},
		{"nested-outside", api + "\n  M: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: ../../etc/passwd}}", definition.Unsupported, "want a file below the root"},
		{"nested-unknown", api + "\n  M: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: !ImportValue x}}", definition.Unsupported, "export x isn't known"},
		{"body-outside", "\n  Api: {Type: AWS::ApiGateway::RestApi, Properties: {BodyS3Location: ../../x.yaml}}", definition.Unsupported, "the routes of Api are in a document that isn't here"},
		{"body-unknown", "\n  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Body: !ImportValue x}}", definition.Unsupported, "export x isn't known"},
		{"rule-conditions", v2 + "\n  M: {Type: AWS::ApiGatewayV2::RoutingRule, Properties: {DomainNameArn: 'arn:aws:apigateway:us-east-1::/domainnames/a.example', Priority: 1, Actions: [{InvokeApi: {ApiId: !Ref Api, Stage: x}}], Conditions: [" + strings.Repeat("{MatchHeaders: {AnyOf: [{Header: a, ValueGlob: b}]}},", 3) + "]}}", definition.Unsupported, "M has more conditions of headers than two"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resources := strings.Replace(strings.Replace(tt.resources, "#", "1", 1), "#", "2", 1)
			doc := read(t, "Conditions:\n  Open: !Equals [!ImportValue x, y]\n  Never: !Equals [a, b]\nResources:"+resources+"\n", cloudformation.Options{})
			f := finding(t, doc, tt.severity, tt.want)
			require.NotZero(t, f.Origin.Line)
			require.NotEmpty(t, f.Do)
		})
	}
}

// A name that is twice in a map is reported, and the later counts, as it does for the service; but
// not where it may say who calls.
func TestTwice(t *testing.T) {
	doc := read(t, "Resources:\n  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: a, Name: b}}\n", cloudformation.Options{})
	require.Equal(t, "b", doc.APIs[0].Name)
	require.Equal(t, 2, finding(t, doc, definition.Warning, `"Name" is there twice, also in line 2: the later counts`).Origin.Line)
	for _, name := range []string{"AuthorizationType", "Policy", "security", "ApiKeyRequired", "AuthorizationScopes", "Condition"} {
		_, err := tried("Resources:\n  M: {"+name+": a, "+name+": b}\n", cloudformation.Options{})
		require.ErrorContains(t, err, "cloudformation: t.yaml: line 2: \""+name+"\" is there twice")
	}
}

func TestErrors(t *testing.T) {
	body := "Resources: {Api: {Type: AWS::ApiGateway::RestApi, Properties: {Body: {swagger: '2.0', paths: {/a: {get: {x-amazon-apigateway-integration: {type: guess}}}}}}}}"
	for _, tt := range []struct{ name, text, want string }{
		{"yaml", "a: [", "cloudformation: t.yaml: invalid YAML"},
		{"no-resources", "a: b", "cloudformation: t.yaml: want a template, which is a map with Resources"},
		{"resources", "Resources: []", "want a template"},
		{"tag", "Resources: {a: !<tag:x,2000:y> b}", "line 1: the tag tag:x,2000:y isn't known"},
		{"body", body, "cloudformation: t.yaml: Api: openapi: Errors found during import:"},
		{"loop", "Transform: AWS::LanguageExtensions\nResources: {'Fn::ForEach::A': [a]}", "line 2: Fn::ForEach::A: want an identifier, a collection and a map"},
		{"loop-text", "Transform: AWS::LanguageExtensions\nResources: {'Fn::ForEach::A': [X, b, {}]}", "want a collection that is a list, and known"},
		{"loop-unknown", "Transform: AWS::LanguageExtensions\nParameters: {P: {Type: String}}\nResources: {'Fn::ForEach::A': [X, [!Ref P], {}]}", "want a collection of texts that are known"},
		{"loop-twice", "Transform: AWS::LanguageExtensions\nResources: {'Fn::ForEach::A': [X, [a, b], {Same: {Type: T}}]}", `"Same" is there twice`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc, err := tried(tt.text, cloudformation.Options{})
			require.ErrorContains(t, err, tt.want)
			require.Nil(t, doc)
		})
	}
	_, err := tried("", cloudformation.Options{Account: "1", Region: "moon"})
	require.ErrorContains(t, err, "Account: want twelve digits")
	require.ErrorContains(t, err, "Region: want a region such as us-east-1")
	_, err = cloudformation.Read(fstest.MapFS{}, "none.yaml", cloudformation.Options{})
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = cloudformation.Read(fstest.MapFS{}, "../x", cloudformation.Options{})
	require.Error(t, err)
}

func TestAssemblyErrors(t *testing.T) {
	stack := `{"artifacts":{"S":{"type":"aws:cloudformation:stack","properties":{"templateFile":"S.json"}},"S.assets":{"type":"cdk:asset-manifest","properties":{"file":"assets.json"}}}}`
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"manifest", map[string]string{"manifest.json": `{"artifacts":[]}`}, "manifest.json: json:"},
		{"no-template", map[string]string{"manifest.json": stack}, "the stack S: open S.json"},
		{"template", map[string]string{"manifest.json": stack, "S.json": "{"}, "S.json: invalid JSON"},
		{"assets", map[string]string{"manifest.json": stack, "S.json": `{"Resources":{}}`, "assets.json": "["}, "assets.json: unexpected end"},
		{"inner", map[string]string{"manifest.json": `{"artifacts":{"A":{"type":"cdk:cloud-assembly","properties":{"directoryName":"a"}}}}`}, "A: open a/manifest.json"},
		{"inner-itself", map[string]string{"manifest.json": `{"artifacts":{"A":{"type":"cdk:cloud-assembly","properties":{"directoryName":"."}}}}`}, "want at most 10 levels of cloud assemblies"},
		{"nested-itself", map[string]string{"manifest.json": stack, "S.json": `{"Resources":{"N":{"Type":"AWS::CloudFormation::Stack","Properties":{"TemplateURL":"S.json"}}}}`}, "want at most 10 levels of nested stacks"},
		{"nested-bad", map[string]string{"manifest.json": stack, "S.json": `{"Resources":{"N":{"Type":"AWS::CloudFormation::Stack","Properties":{"TemplateURL":"N.json"}}}}`, "N.json": "{"}, "N.json: invalid JSON"},
		{"folder", map[string]string{"manifest.json/x": ""}, "want a file of at most"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fsys := fstest.MapFS{}
			for name, text := range tt.files {
				fsys[name] = &fstest.MapFile{Data: []byte(text)}
			}
			_, err := cloudformation.Read(fsys, ".", cloudformation.Options{})
			require.ErrorContains(t, err, tt.want)
		})
	}
}

// Exports are those of an account and a region: a program may have a stack in each of several.
func TestExportsOfSeveralRegions(t *testing.T) {
	fsys := fstest.MapFS{}
	artifacts := ""
	for _, region := range []string{"eu-west-1", "us-east-1"} {
		for _, stack := range []string{"shared", "web"} {
			artifacts += `"` + region + stack + `":{"type":"aws:cloudformation:stack","environment":"aws://111122223333/` + region + `","properties":{"templateFile":"` + stack + `.json"}},`
		}
	}
	fsys["manifest.json"] = &fstest.MapFile{Data: []byte(`{"artifacts":{` + strings.TrimSuffix(artifacts, ",") + `}}`)}
	fsys["shared.json"] = &fstest.MapFile{Data: []byte(`{"Resources":{"F":{"Type":"AWS::Lambda::Function"}},"Outputs":{"O":{"Value":{"Fn::GetAtt":["F","Arn"]},"Export":{"Name":"arn"}}}}`)}
	fsys["web.json"] = &fstest.MapFile{Data: []byte(`{"Resources":{"A":{"Type":"AWS::ApiGatewayV2::Api","Properties":{"ProtocolType":"HTTP","Target":{"Fn::ImportValue":"arn"}}}}}`)}
	doc, err := cloudformation.Read(fsys, ".", cloudformation.Options{})
	require.NoError(t, err)
	require.Len(t, doc.APIs, 2)
	for _, a := range doc.APIs {
		function := doc.Resources[a.Routes["$default"].Integration.Target.Function]
		require.Contains(t, function.ARN, ":"+a.Region+":")
	}
	elsewhere, err := cloudformation.Read(fstest.MapFS{
		"manifest.json": {Data: []byte(strings.Replace(string(fsys["manifest.json"].Data), "us-east-1\",\"properties\":{\"templateFile\":\"web", "sa-east-1\",\"properties\":{\"templateFile\":\"web", 1))},
		"shared.json":   fsys["shared.json"], "web.json": fsys["web.json"]}, ".", cloudformation.Options{})
	require.NoError(t, err)
	finding(t, elsewhere, definition.UnknownValue, "export arn is known to a deployment only")
}

// What nobody is to read isn't in findings.
func TestSecretsStayOut(t *testing.T) {
	doc := read(t, `
Parameters: {Secret: {Type: String, NoEcho: true}}
Resources:
  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: a}}
  Key: {Type: AWS::ApiGateway::ApiKey, Properties: {Value: another-secret-value}}
  M: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref Api, ResourceId: !Ref Secret, HttpMethod: GET}}
  N: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref Api, ResourceId: another-secret-value, HttpMethod: GET}}
`, cloudformation.Options{Parameters: map[string]string{"Secret": "the-secret-value"}})
	finding(t, doc, definition.Unsupported, `M is below the resource "****"`)
	for _, f := range doc.Findings {
		require.NotContains(t, f.What+f.Do, "secret-value")
	}
}

// Every resource is built, bound, followed, reported or ignored by a rule that is listed.
func TestTypes(t *testing.T) {
	all := cloudformation.Types()
	rules := map[string]cloudformation.Type{}
	for i, one := range all {
		require.NotEmpty(t, one.Treatment)
		require.True(t, i == 0 || all[i-1].Name < one.Name, one.Name)
		rules[one.Name] = one
	}
	require.Equal(t, cloudformation.Built, rules["AWS::ApiGateway::Method"].Treatment)
	require.Contains(t, rules["AWS::ApiGateway::Method"].Properties, "AuthorizationType")
	require.Equal(t, cloudformation.Reported, rules["AWS::ApiGateway::*"].Treatment)
	require.Equal(t, cloudformation.Ignored, rules["*"].Treatment)
	require.Equal(t, cloudformation.Bound, rules["AWS::Lambda::Function"].Treatment)
	require.Equal(t, cloudformation.Followed, rules["AWS::CloudFormation::Stack"].Treatment)
}

// A Stage goes before a Deployment that names it, wherever they stand.
func TestStageBeforeDeployment(t *testing.T) {
	api := "Resources:\n  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: a}}\n"
	stage := "  Stage: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref Api, StageName: live, Variables: {by: stage}}}\n"
	deployment := "  Deployment: {Type: AWS::ApiGateway::Deployment, Properties: {RestApiId: !Ref Api, StageName: live, StageDescription: {Variables: {by: deployment}}, DeploymentCanarySettings: {PercentTraffic: 5}}}\n"
	for _, text := range []string{api + stage + deployment, api + deployment + stage} {
		doc := read(t, text, cloudformation.Options{})
		require.Len(t, doc.APIs[0].Stages, 1)
		require.Equal(t, map[string]string{"by": "stage"}, doc.APIs[0].Stages["live"].Variables)
	}
	made := read(t, api+deployment, cloudformation.Options{}).APIs[0].Stages["live"]
	require.Equal(t, map[string]string{"by": "deployment"}, made.Variables)
	require.InDelta(t, 5, made.Canary.Percent, 0)
}

// What the resource says goes before what its document says.
func TestPropertiesBeforeTheBody(t *testing.T) {
	a := read(t, `
Resources:
  Api:
    Type: AWS::ApiGateway::RestApi
    Properties:
      Name: mine
      Mode: merge
      BinaryMediaTypes: [a/b, c/d]
      ApiKeySourceType: AUTHORIZER
      DisableExecuteApiEndpoint: true
      Policy: {Version: mine}
      Body: {swagger: '2.0', info: {title: theirs, version: 7}, x-amazon-apigateway-binary-media-types: [e/f, a/b], x-amazon-apigateway-api-key-source: HEADER, paths: {/a: {get: {x-amazon-apigateway-integration: {type: mock}}}}}
  Get: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref Api, ResourceId: !GetAtt Api.RootResourceId, HttpMethod: GET, AuthorizationType: AWS_IAM, Integration: {Type: MOCK}}}
`, cloudformation.Options{}).APIs[0]
	require.Equal(t, "mine", a.Name)
	require.Equal(t, "7", a.Version)
	require.Equal(t, []string{"e/f", "a/b", "c/d"}, a.BinaryMediaTypes)
	require.Equal(t, "AUTHORIZER", a.APIKeySource)
	require.True(t, a.DefaultEndpointDisabled)
	require.JSONEq(t, `{"Version":"mine"}`, string(a.Policy))
	require.Equal(t, "AWS_IAM", a.Routes["GET /"].Auth.Type)
	require.Contains(t, a.Routes, "GET /a")
}

// A finding about an API's document stands on the template's line.
func TestBodyLines(t *testing.T) {
	doc := read(t, `Resources:
  Api:
    Type: AWS::ApiGateway::RestApi
    Properties:
      Body:
        swagger: '2.0'
        paths:
          /a:
            get:
              x-amazon-apigateway-integration:
                type: mock
                requestParameters:
                  integration.request.header.a: true
`, cloudformation.Options{})
	f := finding(t, doc, definition.Warning, "Invalid format for 'requestParameters'")
	require.Equal(t, 13, f.Origin.Line)
	require.Equal(t, "Api", f.Origin.LogicalID)
	require.Equal(t, "Api", doc.APIs[0].Routes["GET /a"].Origin.LogicalID)
	require.Equal(t, 10, doc.APIs[0].Routes["GET /a"].Origin.Line)
}

// A value for a parameter that no template has is told, with the names that there are.
func TestParameterWithoutUse(t *testing.T) {
	text := `
Parameters: {Stage: {Type: String, Default: dev}, Unused: {Type: String}}
Resources: {Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: !Ref Stage}}}
`
	doc := read(t, text, cloudformation.Options{Stack: "mine", Parameters: map[string]string{"Stgae": "prod-value"}})
	finding(t, doc, definition.UnusedBinding, `Options.Parameters["Stgae"] is for no parameter of a template; the nearest are "Stage"`)
	for _, f := range doc.Findings {
		require.NotContains(t, f.What+f.Do, "prod-value")
	}
	doc = read(t, text, cloudformation.Options{Stack: "mine", Parameters: map[string]string{"mine.Stage": "a", "Unused": "b"}})
	for _, f := range doc.Findings {
		require.NotEqual(t, definition.UnusedBinding, f.Severity, f.What)
	}
}
