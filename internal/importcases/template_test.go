package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const template = `
Parameters: {Name: {Type: String}, Types: {Type: CommaDelimitedList}}
Resources:
  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: !Ref Name, BinaryMediaTypes: !Ref Types}}
  Get:
    Type: AWS::ApiGateway::Method
    Properties: {RestApiId: !Ref Api, ResourceId: !GetAtt Api.RootResourceId, HttpMethod: GET, AuthorizationType: AWS_IAM, Integration: {Type: MOCK, RequestTemplates: {application/json: '{"statusCode":200}'}, IntegrationResponses: [{StatusCode: 200}]}}
  Nameless: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref Api}}
  Stage: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref Api, StageName: live}}
  Key: {Type: AWS::ApiGateway::ApiKey, Properties: {Name: k}}
  Plan: {Type: AWS::ApiGateway::UsagePlan, Properties: {ApiStages: [{ApiId: !Ref Api, Stage: !Ref Stage}]}}
  Domain: {Type: AWS::ApiGateway::DomainName, Properties: {DomainName: a.example}}
  Mapping: {Type: AWS::ApiGateway::BasePathMapping, Properties: {DomainName: !Ref Domain, RestApiId: !Ref Api, Stage: live}}
`

const templateExpected = `{"apis":[{"id":"Api","flavor":"REST","name":"given","binary_media_types":["a/b","c/d"],
	"routes":{"GET /":{"auth":{"type":"AWS_IAM"}}},"stages":{"live":{},"":{}}}],
	"usage_plans":{"Plan":{"stages":[{"api":"Api","stage":"live"}]}},"api_keys":{"Key":{"enabled":false}},
	"domains":{"a.example":{"mappings":[{"api":"Api","stage":"live"}]}}}`

// triedTemplate runs the command on one case of a template.
func triedTemplate(t *testing.T, config map[string]any, expected string) (int, string) {
	t.Helper()
	line, err := json.Marshal(map[string]any{"name": "case", "config": config, "expected": json.RawMessage(expected)})
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "cloudformation.jsonl"), append(line, '\n'), 0o600))
	var out strings.Builder
	return run(dir, &out), out.String()
}

var templateConfig = map[string]any{"template": map[string]string{"$yaml": template}, "stack": "s",
	"parameters": map[string]any{"Name": "given", "Types": []string{"a/b", "c/d"}}}

func TestTemplate(t *testing.T) {
	code, out := triedTemplate(t, templateConfig, templateExpected)
	require.Zero(t, code, out)
	for _, tt := range []struct{ from, to, want string }{
		{`"id":"Api"`, `"id":"Apis"`, `apis: want "Apis", which isn't there`},
		{`"AWS_IAM"`, `"NONE"`, `Api.routes.GET /.auth.type: want "NONE", got "AWS_IAM"`},
		{`"live":{}`, `"other":{}`, `Api.stages: want "other", which isn't there`},
		{`"Plan":`, `"Plans":`, `usage_plans: want "Plans", which isn't there`},
		{`"Key":`, `"Keys":`, `api_keys: got "Key", which isn't expected`},
		{`"mappings":[{"api":"Api"`, `"mappings":[{"api":"B"`, `domains.a.example.mappings[0].api: want "B", got "Api"`},
		{`"name":"given"`, `"name":"other"`, `Api.name: want "other", got "given"`},
	} {
		require.Contains(t, templateExpected, tt.from)
		code, out := triedTemplate(t, templateConfig, strings.Replace(templateExpected, tt.from, tt.to, 1))
		require.Contains(t, out, tt.want)
		require.Equal(t, 1, code)
	}
}

// A route that the case protects and the template leaves open is found by asking it.
func TestATemplateThatIsOpen(t *testing.T) {
	opened := map[string]any{"template": map[string]string{"$yaml": strings.Replace(template, "AWS_IAM", "NONE", 1)}, "parameters": templateConfig["parameters"]}
	_, out := triedTemplate(t, opened, templateExpected)
	require.Contains(t, out, "closed: GET / on the stage live answers a stranger with 200")
}

func TestTemplateForms(t *testing.T) {
	assembly := map[string]any{"manifest.json": map[string]any{"artifacts": map[string]any{"S": map[string]any{
		"type": "aws:cloudformation:stack", "properties": map[string]any{"templateFile": "S.json"}}}},
		"S.json": map[string]any{"Resources": map[string]any{"Api": map[string]any{"Type": "AWS::ApiGateway::RestApi"}}}}
	code, out := triedTemplate(t, map[string]any{"assembly": assembly}, `{"apis":[{"id":"Api","flavor":"REST"}]}`)
	require.Zero(t, code, out)
	beside := map[string]any{"files": map[string]any{"pets.yaml": map[string]any{"$text": "swagger: '2.0'\ninfo: {title: Pets}\n"}},
		"template": map[string]any{"Resources": map[string]any{"Api": map[string]any{"Type": "AWS::ApiGateway::RestApi", "Properties": map[string]any{"BodyS3Location": "pets.yaml"}}}}}
	code, out = triedTemplate(t, beside, `{"apis":[{"id":"Api","flavor":"REST","name":"Pets","routes":{}}]}`)
	require.Zero(t, code, out)
	code, out = triedTemplate(t, map[string]any{"template": map[string]string{"$text": "none"}}, `{"refused":true,"names":["template"]}`)
	require.Zero(t, code, out)
	_, out = triedTemplate(t, map[string]any{"template": map[string]string{"$text": "none"}}, `{"apis":[]}`)
	require.Contains(t, out, "want a template")
	_, out = triedTemplate(t, map[string]any{"template": 7}, `{"apis":[]}`)
	require.Contains(t, out, "the case's document:")
}

const samTemplate = `
Resources:
  A:
    Type: AWS::Serverless::Api
    Properties:
      StageName: !Sub '${Gone}'
      Domain: {DomainName: a.example, CertificateArn: c, BasePath: [y, x]}
      DefinitionBody: {swagger: '2.0', info: {title: t}, paths: {/p: {get: {security: [{U: []}], x-amazon-apigateway-integration: {type: mock}}}},
        securityDefinitions: {U: {type: apiKey, name: Authorization, in: header, x-amazon-apigateway-authorizer: {type: cognito_user_pools, providerARNs: [null]}}}}
  Inner: {Type: AWS::ApiGateway::DomainNameV2, Properties: {DomainName: inner.example, EndpointConfiguration: {Types: [PRIVATE]}}}
`

// What a case of SAM leaves open: the name of a stage that a deployment would know, the order of
// mappings, private domain names, what the document says to be nothing. Of a refusal it is whom it
// blames, and not its wording.
func TestSAM(t *testing.T) {
	config := map[string]any{"template": map[string]string{"$yaml": samTemplate}}
	const expected = `{"apis":[{"id":"A","flavor":"REST","routes":{"GET /p":{"auth":{"type":"COGNITO_USER_POOLS"}}},
		"authorizers":{"U":{"type":"COGNITO_USER_POOLS","providers":[null]}},"stages":{"Stage":{},"<?Stage>":{}}}],
		"domains":{"a.example":{"mappings":[{"api":"A","base_path":"x","stage":"<?Stage>"},{"api":"A","base_path":"y","stage":"<?Stage>"}]}}}`
	code, out := triedTemplate(t, config, expected)
	require.Zero(t, code, out)
	for from, to := range map[string]string{`"base_path":"x"`: `"base_path":"z"`, `"a.example"`: `"inner.example"`, `[null]`: `["a"]`,
		`"Stage":{},`: `"Stage":{},"<?Other>":{},`} {
		require.Contains(t, expected, from)
		code, out = triedTemplate(t, config, strings.Replace(expected, from, to, 1))
		require.Equal(t, 1, code, out)
	}
	config = map[string]any{"template": map[string]string{"$yaml": strings.Replace(samTemplate, "CertificateArn: c, ", "", 1)}}
	code, out = triedTemplate(t, config, `{"refused":true,"message":"in other words","names":["A"]}`)
	require.Zero(t, code, out)
	_, out = triedTemplate(t, config, `{"refused":true,"names":["B9"]}`)
	require.Contains(t, out, `want the name "B9" in the error`)
}
