package cloudformation_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/cloudformation"
)

// What Ref and Fn::GetAtt give has the service's form, as templates take it apart.
func TestForms(t *testing.T) {
	const account = "us-east-1:123456789012"
	for _, tt := range []struct{ kind, properties, expression, want string }{
		{"AWS::ApiGateway::RestApi", "Name: a", "!Ref X", `[a-z0-9]{10}`},
		{"AWS::ApiGateway::RestApi", "Name: a", "!GetAtt X.RootResourceId", `[a-z0-9]{10}`},
		{"AWS::ApiGateway::Resource", "PathPart: a", "!Ref X", `[a-z0-9]{6}`},
		{"AWS::ApiGateway::Stage", "StageName: live", "!Ref X", `live`},
		{"AWS::ApiGateway::Model", "Name: M", "!Ref X", `M`},
		{"AWS::ApiGateway::ApiKey", "Name: k", "!GetAtt X.APIKeyId", `[a-z0-9]{10}`},
		{"AWS::ApiGateway::DomainName", "DomainName: a.example", "!Ref X", `a\.example`},
		{"AWS::ApiGateway::DomainName", "DomainName: a.example", "!GetAtt X.RegionalDomainName", `d-[a-z0-9]{10}\.execute-api\.us-east-1\.amazonaws\.com`},
		{"AWS::ApiGateway::DomainNameV2", "DomainName: a.example", "!Ref X", `arn:aws:apigateway:` + account + `:/domainnames/a\.example\+[a-z0-9]{10}`},
		{"AWS::ApiGatewayV2::Api", "ProtocolType: HTTP", "!GetAtt X.ApiEndpoint", `https://[a-z0-9]{10}\.execute-api\.us-east-1\.amazonaws\.com`},
		{"AWS::ApiGatewayV2::Api", "ProtocolType: WEBSOCKET", "!GetAtt X.ApiEndpoint", `wss://[a-z0-9]{10}\.execute-api\.us-east-1\.amazonaws\.com`},
		{"AWS::ApiGatewayV2::Integration", "IntegrationType: MOCK", "!Ref X", `[a-z0-9]{7}`},
		{"AWS::Lambda::Function", "Handler: x", "!Ref X", `stack-X-[A-Z0-9]{12}`},
		{"AWS::Lambda::Function", "Handler: x", "!GetAtt X.Arn", `arn:aws:lambda:` + account + `:function:stack-X-[A-Z0-9]{12}`},
		{"AWS::Lambda::Version", "FunctionName: fn", "!Ref X", `arn:aws:lambda:` + account + `:function:fn:1`},
		{"AWS::Lambda::Version", "FunctionName: fn", "!GetAtt X.Version", `1`},
		{"AWS::Lambda::Version", "FunctionName: fn", "!GetAtt X.FunctionArn", `arn:aws:lambda:` + account + `:function:fn:1`},
		{"AWS::Lambda::Alias", "{FunctionName: 'arn:aws:lambda:eu-west-1:111122223333:function:f:7', Name: live}", "!Ref X", `arn:aws:lambda:eu-west-1:111122223333:function:f:live`},
		{"AWS::Lambda::Alias", "{FunctionName: fn, Name: live, FunctionVersion: '3'}", "!GetAtt X.FunctionVersion", `3`},
		{"AWS::Lambda::Alias", "{FunctionName: fn, Name: live}", "!GetAtt X.Nothing", `⟨unknown: X\.Nothing⟩`},
		{"AWS::Lambda::Url", "{TargetFunctionArn: 'arn:aws:lambda:eu-west-1:111122223333:function:f', AuthType: NONE}", "!GetAtt X.FunctionUrl", `https://[a-z0-9]{32}\.lambda-url\.us-east-1\.on\.aws/`},
		{"AWS::Cognito::UserPool", "UserPoolName: a", "!Ref X", `us-east-1_[A-Za-z0-9]{9}`},
		{"AWS::Cognito::UserPool", "UserPoolName: a", "!GetAtt X.ProviderName", `cognito-idp\.us-east-1\.amazonaws\.com/us-east-1_[A-Za-z0-9]{9}`},
		{"AWS::Cognito::UserPoolClient", "ClientName: a", "!Ref X", `[a-z0-9]{26}`},
		{"AWS::Cognito::UserPoolClient", "ClientName: a", "!GetAtt X.ClientSecret", `⟨unknown: X\.ClientSecret⟩`},
		{"AWS::ElasticLoadBalancingV2::LoadBalancer", "Name: a", "!Ref X", `arn:aws:elasticloadbalancing:` + account + `:loadbalancer/app/a/[0-9a-f]{16}`},
		{"AWS::ElasticLoadBalancingV2::Listener", "LoadBalancerArn: 'arn:aws:elasticloadbalancing:" + account + ":loadbalancer/net/a/0123456789abcdef'", "!Ref X", `arn:aws:elasticloadbalancing:` + account + `:listener/net/a/0123456789abcdef/[0-9a-f]{16}`},
		{"AWS::ServiceDiscovery::Service", "Name: a", "!GetAtt X.Arn", `arn:aws:servicediscovery:` + account + `:service/srv-[a-z0-9]{17}`},
		{"AWS::CertificateManager::Certificate", "DomainName: a", "!Ref X", `arn:aws:acm:` + account + `:certificate/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}`},
		{"AWS::SQS::Queue", "QueueName: q", "!Ref X", `https://sqs\.us-east-1\.amazonaws\.com/123456789012/q`},
		{"AWS::S3::Bucket", "VersioningConfiguration: {}", "!Ref X", `stack-x-[a-z0-9]{12}`},
		{"AWS::Logs::LogGroup", "LogGroupName: /l", "!GetAtt X.Arn", `arn:aws:logs:` + account + `:log-group:/l:\*`},
		{"AWS::WAFv2::WebACL", "{Name: w, Scope: REGIONAL}", "!GetAtt X.Arn", `arn:aws:wafv2:` + account + `:regional/webacl/w/[-0-9a-f]{36}`},
		{"AWS::CloudFormation::Stack", "TemplateURL: x", "!Ref X", `arn:aws:cloudformation:` + account + `:stack/stack-X-[A-Z0-9]{12}/[-0-9a-f]{36}`},
		{"AWS::CloudFormation::Stack", "TemplateURL: x", "!GetAtt X.Outputs.Y", `⟨unknown: X\.Outputs\.Y⟩`},
		{"AWS::SSM::Parameter", "{Value: v, Type: String}", "!GetAtt X.Value", `v`},
		{"AWS::New::Thing", "A: b", "!Ref X", `stack-X-[A-Z0-9]{12}`},
		{"AWS::New::Thing", "A: b", "!GetAtt X.ThingArn", `arn:aws:new:` + account + `:stack-X-[A-Z0-9]{12}`},
		{"AWS::New::Thing", "A: b", "!GetAtt X.Size", `⟨unknown: X\.Size⟩`},
		{"Custom::Thing", "A: b", "!GetAtt X.Arn", `⟨unknown: X\.Arn⟩`},
		{"AWS::CloudFormation::CustomResource", "A: b", "!Ref X", `⟨unknown: X⟩`},
		{"Org::Own::Thing", "A: b", "!GetAtt X.Arn", `⟨unknown: X\.Arn⟩`},
	} {
		t.Run(tt.kind+" "+tt.expression, func(t *testing.T) {
			properties := tt.properties
			if !strings.HasPrefix(properties, "{") {
				properties = "{" + properties + "}"
			}
			text := "Resources:\n  Of: {Type: AWS::ApiGatewayV2::Api, Properties: {Description: " + tt.expression + "}}\n  X: {Type: '" + tt.kind + "', Properties: " + properties + "}\n"
			first := read(t, text, cloudformation.Options{}).APIs[0].Description
			require.Regexp(t, regexp.MustCompile(`^`+tt.want+`$`), first)
			require.Equal(t, first, read(t, text, cloudformation.Options{}).APIs[0].Description)
		})
	}
}

// Whatever way a template writes a function's ARN, it is the function.
func TestFunctionsAreFound(t *testing.T) {
	const path = "lambda:path/2015-03-31/functions"
	for _, tt := range []struct{ name, uri, function, named, qualifier string }{
		{"join", "!Join ['', ['arn:', !Ref AWS::Partition, ':apigateway:', !Ref AWS::Region, ':" + path + "/', !GetAtt F.Arn, /invocations]]", "F", "", ""},
		{"pieces", "!Join ['', ['arn:', !Select [1, !Split [':', !GetAtt F.Arn]], ':apigateway:', !Select [3, !Split [':', !GetAtt F.Arn]], ':" + path + "/', !GetAtt F.Arn, /invocations]]", "F", "", ""},
		{"sub", "!Sub 'arn:aws:apigateway:${AWS::Region}:" + path + "/${F.Arn}/invocations'", "F", "", ""},
		{"sub-own", "!Sub ['arn:aws:apigateway:${AWS::Region}:" + path + "/${Arn}/invocations', {Arn: !GetAtt F.Arn}]", "F", "", ""},
		{"alias", "!Sub 'arn:aws:apigateway:${AWS::Region}:" + path + "/${A}/invocations'", "F", "", "live"},
		{"alias-function", "!Sub 'arn:aws:apigateway:${AWS::Region}:" + path + "/${A.FunctionArn}/invocations'", "F", "", ""},
		{"version", "!Sub 'arn:aws:apigateway:${AWS::Region}:" + path + "/${V}/invocations'", "F", "", "1"},
		{"qualified", "!Join ['', ['arn:aws:apigateway:us-east-1:" + path + "/', !GetAtt F.Arn, ':', blue, /invocations]]", "F", "", "blue"},
		{"by-name", "!Sub 'arn:aws:apigateway:us-east-1:" + path + "/arn:aws:lambda:us-east-1:${AWS::AccountId}:function:${F}/invocations'", "F", "", ""},
		{"stage-variable", "!Sub 'arn:aws:apigateway:us-east-1:" + path + "/${F.Arn}:${!stageVariables.alias}/invocations'", "F", "", "${stageVariables.alias}"},
		{"written-out", "'arn:aws:apigateway:us-east-1:" + path + "/arn:aws:lambda:us-east-1:123456789012:function:named/invocations'", "N", "", ""},
		{"unknown-name", "!Sub 'arn:aws:apigateway:us-east-1:" + path + "/${U.Arn}/invocations'", "U", "", ""},
		{"elsewhere", "'arn:aws:apigateway:us-east-1:" + path + "/arn:aws:lambda:us-east-1:111122223333:function:theirs:q/invocations'", "", "theirs", "q"},
		{"parameter", "!Ref Given", "", "given", ""},
		{"unknown", "!Sub 'arn:aws:apigateway:us-east-1:" + path + "/${C.Arn}/invocations'", "", "⟨unknown: C.Arn⟩", ""},
		{"unknown-whole", "!GetAtt C.Uri", "", "⟨unknown: C.Uri⟩", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc := read(t, `
Parameters: {Given: {Type: String}}
Resources:
  F: {Type: AWS::Lambda::Function}
  N: {Type: AWS::Lambda::Function, Properties: {FunctionName: named}}
  U: {Type: AWS::Lambda::Function, Properties: {FunctionName: !GetAtt C.Name}}
  A: {Type: AWS::Lambda::Alias, Properties: {FunctionName: !Ref F, Name: live}}
  V: {Type: AWS::Lambda::Version, Properties: {FunctionName: !GetAtt F.Arn}}
  C: {Type: Custom::C}
  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: a}}
  Get:
    Type: AWS::ApiGateway::Method
    Properties: {RestApiId: !Ref Api, ResourceId: !GetAtt Api.RootResourceId, HttpMethod: GET, AuthorizationType: NONE, Integration: {Type: AWS_PROXY, Uri: `+tt.uri+`}}
`, cloudformation.Options{Parameters: map[string]string{"Given": "arn:aws:apigateway:us-east-1:" + path + "/arn:aws:lambda:eu-west-1:111122223333:function:given/invocations"}})
			got := doc.APIs[0].Routes["GET /"].Integration.Target
			require.Equal(t, "lambda", got.Kind)
			require.Equal(t, [3]string{tt.function, tt.named, tt.qualifier}, [3]string{got.Function, got.Name, got.Qualifier})
			if tt.function != "" {
				require.Equal(t, "AWS::Lambda::Function", doc.Resources[tt.function].Type)
			}
		})
	}
}
