package cloudformation_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/cloudformation"
	"github.com/gatekit-go/gatekit/route/definition"
)

// translated is the resources of a translation.
func translated(t *testing.T, text string) map[string]any {
	t.Helper()
	before, after, out, err := cloudformation.TranslateSAM([]byte(text))
	require.NoError(t, err)
	require.Equal(t, before, after, "the template is left as it is")
	var all struct{ Resources map[string]any }
	require.NoError(t, json.Unmarshal([]byte(out), &all))
	require.NotContains(t, out, "AWS::Serverless")
	return all.Resources
}

// at follows names into maps.
func at(v any, names ...string) any {
	for _, name := range names {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

// Globals: maps are merged, lists follow one another, and of all else the resource's own counts.
func TestSAMGlobals(t *testing.T) {
	const api = "  A: {Type: AWS::Serverless::Api, MORE Properties: {StageName: s, LOCAL}}\n"
	for _, tt := range []struct{ name, global, more, local, property, want string }{
		{"only-global", "Variables: {a: b}", "", "Name: n", "Variables", `{"a":"b"}`},
		{"only-local", "Name: n", "", "Variables: {a: b}", "Variables", `{"a":"b"}`},
		{"maps", "Variables: {a: b, c: d}", "", "Variables: {c: e, f: g}", "Variables", `{"a":"b","c":"e","f":"g"}`},
		{"deep", "AccessLogSetting: {a: {b: c}}", "", "AccessLogSetting: {a: {d: e}}", "AccessLogSetting", `{"a":{"b":"c","d":"e"}}`},
		{"lists", "MethodSettings: [{a: b}]", "", "MethodSettings: [{a: b}, {c: d}]", "MethodSettings", `[{"a":"b"},{"a":"b"},{"c":"d"}]`},
		{"scalars", "TracingEnabled: true", "", "TracingEnabled: false", "TracingEnabled", `false`},
		{"local-function", "Variables: {a: b}", "", "Variables: !If [c, {}, {}]", "Variables", `{"Fn::If":["c",{},{}]}`},
		{"global-function", "Variables: !If [c, {}, {}]", "", "Variables: {a: b}", "Variables", `{"a":"b"}`},
		{"a-ref-in-a-map", "Variables: {a: {b: c}}", "", "Variables: {a: !Ref D}", "Variables", `{"a":{"Ref":"D"}}`},
		{"ignored-all", "Variables: {a: b}", "IgnoreGlobals: '*',", "Name: n", "Variables", `null`},
		{"ignored-one", "Variables: {a: b}, TracingEnabled: true", "IgnoreGlobals: [Variables],", "Name: n", "Variables", `null`},
		{"ignored-other", "Variables: {a: b}, TracingEnabled: true", "IgnoreGlobals: [TracingEnabled],", "Name: n", "Variables", `{"a":"b"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := "Globals: {Api: {" + tt.global + "}}\nResources:\n" +
				strings.NewReplacer("MORE", tt.more, "LOCAL", tt.local).Replace(api)
			got, err := json.Marshal(at(translated(t, text)["AsStage"], "Properties", tt.property))
			require.NoError(t, err)
			require.JSONEq(t, tt.want, string(got))
		})
	}
}

func TestSAMGlobalsRefused(t *testing.T) {
	const resources = "\nResources: {A: {Type: AWS::Serverless::Api, ATTRIBUTES Properties: {StageName: s}}}\n"
	for _, tt := range []struct{ name, globals, attributes, want string }{
		{"list", "[a]", "", "Globals: want a map"},
		{"section", "{Apis: {}}", "", `Globals: "Apis" isn't supported; want one of Api, Function`},
		{"section-list", "{Api: [a]}", "", "Globals: Api: want a map"},
		{"property", "{Api: {StageName: s}}", "", `Globals: "StageName" is not a supported property of "Api"`},
		{"property-http", "{HttpApi: {Cors: a}}", "", `"Cors" is not a supported property of "HttpApi"`},
		{"property-socket", "{WebSocketApi: {Routes: {}}}", "", `"Routes" is not a supported property of "WebSocketApi"`},
		{"ignored-unknown", "{Api: {Name: n}}", "IgnoreGlobals: [Cors],", `resource A: IgnoreGlobals: "Cors" isn't among the globals`},
		{"ignored-map", "{Api: {Name: n}}", "IgnoreGlobals: {a: b},", `resource A: IgnoreGlobals: want "*" or a list`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tried("Globals: "+tt.globals+strings.Replace(resources, "ATTRIBUTES", tt.attributes, 1), cloudformation.Options{})
			require.ErrorContains(t, err, tt.want)
		})
	}
}

// The logical IDs are those that the rest of a template may name, and "API.Stage" is one of them.
func TestSAMNames(t *testing.T) {
	all := translated(t, `
Parameters: {Stage: {Type: String, Default: prod}}
Resources:
  A: {Type: AWS::Serverless::Api, Properties: {StageName: v1}}
  B: {Type: AWS::Serverless::Api, Properties: {StageName: blue-green}}
  C: {Type: AWS::Serverless::Api, Properties: {StageName: !Ref Stage, OpenApiVersion: 3.0.1}}
  H: {Type: AWS::Serverless::HttpApi}
  I: {Type: AWS::Serverless::HttpApi, Properties: {StageName: v2}}
  W:
    Type: AWS::Serverless::WebSocketApi
    Properties: {RouteSelectionExpression: a, Routes: {$connect: {FunctionArn: a}, sayHello: {FunctionArn: a}}, Auth: {AuthType: custom, AuthArn: a}}
  F:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: ., Handler: a.b, Runtime: c, AutoPublishAlias: live, Events: {Get: {Type: Api, Properties: {RestApiId: A, Path: /, Method: get}}, Web: {Type: HttpApi, Properties: {ApiId: H}}}}
  G: {Type: AWS::Serverless::Function, Properties: {Role: arn, CodeUri: ., Handler: a.b, Runtime: c, FunctionUrlConfig: {AuthType: NONE}}}
  M: {Type: AWS::Serverless::StateMachine, Properties: {Name: m, Definition: {StartAt: A}, Events: {Go: {Type: Api, Properties: {RestApiId: A, Path: /m, Method: get}}}}}
  N: {Type: AWS::Serverless::Application, Properties: {Location: nested.yaml, Parameters: {a: b}}}
  T:
    Type: AWS::SNS::Topic
    Properties:
      TopicName: !Ref A.Stage
      DisplayName: !Sub ['${A.Stage} ${B.Deployment} ${own.Stage} ${F.Alias} ${F.Alias.AliasArn} ${!A.Stage} ${AWS::Region}', {own.Stage: a}]
      KmsMasterKeyId: !GetAtt F.Version.Version
      Other: {Fn::GetAtt: 'F.Alias.AliasArn'}
      Own: !Sub ['${A.Stage}', {A.Stage: mine}]
`)
	for _, id := range []string{"A", "Av1Stage", "CStage", "HApiGatewayDefaultStage", "Iv2Stage", "WDefaultStage",
		"WConnectRoute", "WConnectIntegration", "WConnectPermission", "WSayhelloRoute", "WConnectAuthorizer", "FRole", "FAliaslive",
		"FGetPermissionv1", "FWebPermission", "GUrl", "MRole", "MGoRole", "N"} {
		require.Contains(t, all, id)
	}
	require.NotContains(t, all, "GRole", "a role is given")
	require.Equal(t, "AWS::CloudFormation::Stack", at(all["N"], "Type"))
	require.Equal(t, "nested.yaml", at(all["N"], "Properties", "TemplateURL"))
	require.Equal(t, "CUSTOM", at(all["WConnectRoute"], "Properties", "AuthorizationType"), "in any case: else it would be open")

	topic := at(all["T"], "Properties")
	require.Equal(t, "Av1Stage", at(topic, "TopicName", "Ref"))
	require.Equal(t, []any{"FAliaslive", "AliasArn"}, at(topic, "Other", "Fn::GetAtt"))
	require.Equal(t, "${A.Stage}", at(topic, "Own", "Fn::Sub").([]any)[0], "the text's own value goes first")
	sub := at(topic, "DisplayName", "Fn::Sub").([]any)[0].(string)
	require.Regexp(t, `^\$\{Av1Stage\} \$\{BDeployment[0-9a-f]{10}\} \$\{own\.Stage\} \$\{FAliaslive\} \$\{FAliaslive\.AliasArn\} `+
		`\$\{!A\.Stage\} \$\{AWS::Region\}$`, sub)
	version := at(topic, "KmsMasterKeyId", "Fn::GetAtt").([]any)[0].(string)
	require.Regexp(t, `^FVersion[0-9a-f]{10}$`, version)
	require.Contains(t, all, version)
	for id, r := range all {
		if at(r, "Type") == "AWS::ApiGateway::Deployment" {
			want := any("Stage")
			if strings.HasPrefix(id, "C") {
				want = nil // with OpenApiVersion there is no second stage
			}
			require.Equal(t, want, at(r, "Properties", "StageName"), id)
		}
		if strings.HasPrefix(id, "BStage") {
			require.Regexp(t, `^BStage[0-9a-f]{10}$`, id)
		}
	}
}

// Each generated resource, and each method, points at what it came from.
func TestSAMLines(t *testing.T) {
	doc := read(t, `Transform: AWS::Serverless-2016-10-31
Resources:
  A:
    Type: AWS::Serverless::Api
    Properties: {StageName: s, Models: {M: {type: object}}}
  F:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: .
      Events:
        First: {Type: Api, Properties: {RestApiId: A, Path: /a, Method: get}}
        Second:
          Type: Api
          Properties: {RestApiId: A, Path: /b, Method: get}
Globals: {Function: {Handler: a.b, Runtime: c}}
`, cloudformation.Options{})
	a := doc.APIs[0]
	require.Equal(t, definition.Origin{Template: "t.yaml", LogicalID: "A", Line: 3}, a.Origin)
	require.Equal(t, 3, a.Stages["s"].Origin.Line)
	require.Equal(t, 11, a.Routes["GET /a"].Origin.Line)
	require.Equal(t, 12, a.Routes["GET /b"].Origin.Line)
}

// What isn't obvious of the order of work and of defaults.
func TestSAMTraps(t *testing.T) {
	const cors = "Cors: CORS, Auth: {DefaultAuthorizer: G, PREFLIGHT Authorizers: {G: {FunctionArn: !GetAtt F.Arn}}}"
	rest := func(origin, preflight string) *definition.API {
		text := restAPI(strings.NewReplacer("CORS", origin, "PREFLIGHT", preflight).Replace(cors)) + withEvent(restFunction, "")
		return read(t, "Resources:"+text+"\n", cloudformation.Options{}).APIs[0]
	}
	a := rest(`"'*'"`, "")
	require.Equal(t, definition.Auth{Type: definition.AuthCustom, Authorizer: "G"}, a.Routes["OPTIONS /p"].Auth,
		"CORS comes before the default authorizer")
	require.Equal(t, "'*'", a.Routes["OPTIONS /p"].Integration.Responses[0].Parameters["method.response.header.Access-Control-Allow-Origin"])
	require.Equal(t, definition.AuthNone, rest(`"'*'"`, "AddDefaultAuthorizerToCorsPreflight: false,").Routes["OPTIONS /p"].Auth.Type)
	require.Equal(t, "*", rest("'*'", "").Routes["OPTIONS /p"].Integration.Responses[0].Parameters["method.response.header.Access-Control-Allow-Origin"],
		"what has no quotes is passed on as it is")
	require.Equal(t, "600", rest("{MaxAge: 600}", "").Routes["OPTIONS /p"].Integration.Responses[0].Parameters["method.response.header.Access-Control-Max-Age"])

	http := read(t, "Resources:"+httpAPI("Auth: {EnableIamAuthorizer: true, DefaultAuthorizer: AWS_IAM}")+
		strings.Replace(withEvent(httpFunction, ""), "{E:", "{O: {Type: HttpApi, Properties: {ApiId: A, Path: /p, Method: options}}, E:", 1)+"\n",
		cloudformation.Options{}).APIs[0]
	require.Equal(t, definition.AuthNone, http.Routes["OPTIONS /p"].Auth.Type, "an HTTP API's default spares it")
	require.Equal(t, definition.AuthIAM, http.Routes["GET /p"].Auth.Type)

	both := strings.Replace(inlineBody, "swagger: '2.0'", "swagger: '2.0', openapi: 3.0.1", 1)
	doc := read(t, "Resources:"+restAPI(both+", Auth: {ApiKeyRequired: true}")+"\n", cloudformation.Options{})
	require.True(t, doc.APIs[0].Routes["GET /p"].APIKeyRequired)
	require.Contains(t, doc.Findings[0].What, "swagger and openapi")

	// The caller's credentials go with the default, and with what a method says of itself.
	for auth, want := range map[string]string{"": "arn:aws:iam::*:user/*", "Auth: {Authorizer: NONE}": ""} {
		iam := read(t, "Resources:"+restAPI("Auth: {DefaultAuthorizer: AWS_IAM}")+withEvent(restFunction, auth)+"\n",
			cloudformation.Options{}).APIs[0].Routes["GET /p"]
		require.Equal(t, want, iam.Integration.Credentials)
		require.Equal(t, want != "", iam.Auth.Type == definition.AuthIAM)
	}

	// A path, and an API, is there as soon as one of its methods is.
	mixed := read(t, "Globals: {Function: {CodeUri: ., Handler: a.b, Runtime: c}}\nConditions: {Never: !Equals [a, b]}\nResources: {F: {Type: AWS::Serverless::Function, Condition: Never, Properties: "+
		"{Events: {E: {Type: Api, Properties: {Path: /p, Method: get}}}}}, G: {Type: AWS::Serverless::Function, Properties: "+
		"{Events: {E: {Type: Api, Properties: {Path: /p, Method: put}}}}}}\n", cloudformation.Options{})
	require.Equal(t, []string{"PUT /p"}, slices.Sorted(maps.Keys(mixed.APIs[0].Routes)))

	// A resource of that name stays if no event is for the implicit API, and gives way else.
	for events, flavor := range map[string]string{"": "", "Events: {E: {Type: HttpApi}}": definition.FlavorHTTP} {
		doc := read(t, "Resources: {F: {Type: AWS::Serverless::Function, Properties: {CodeUri: ., Handler: a.b, Runtime: c, "+events+"}}, "+
			"ServerlessHttpApi: {Type: AWS::SNS::Topic}}\n", cloudformation.Options{})
		if flavor == "" {
			require.Empty(t, doc.APIs)
			continue
		}
		require.Equal(t, flavor, doc.APIs[0].Flavor)
		require.Contains(t, doc.APIs[0].Routes, "$default")
	}
}

// All goldens are pure translations, whose own templates have no SAM left.
func TestSAMIsPure(t *testing.T) {
	for _, name := range samTemplates {
		text, err := os.ReadFile("testdata/sam/" + name + ".yaml")
		require.NoError(t, err)
		before, after, out, err := cloudformation.TranslateSAM(text)
		require.NoError(t, err)
		require.Equal(t, before, after)
		require.NotContains(t, out, `"Type":"AWS::Serverless`)
		require.NotContains(t, out, `"Globals"`)
		require.NotContains(t, out, "AWS::Serverless-2016-10-31")
	}
}

// Who has forgotten the line Transform means SAM, if an API would be lost else.
func TestSAMWithoutTransform(t *testing.T) {
	for name, text := range map[string]string{
		"api":       restAPI("Name: n"),
		"http":      httpAPI("Name: n"),
		"websocket": socketAPI(routes),
		"event":     "\n  F: {Type: AWS::Serverless::Function, Properties: {CodeUri: ., Handler: a.b, Runtime: c, Events: {E: {Type: HttpApi}}}}",
	} {
		require.Len(t, read(t, "Resources:"+text+"\n", cloudformation.Options{}).APIs, 1, name)
	}
	_, _, out, err := cloudformation.TranslateSAM([]byte("Resources: {F: {Type: AWS::Serverless::Function, Properties: {Events: {E: {Type: SQS}}}}}"))
	require.NoError(t, err)
	require.Empty(t, out)
	_, _, _, err = cloudformation.TranslateSAM([]byte("Resources: {F: {Type: AWS::Serverless::Function, Properties: {Event: {E: {Type: Api}}}}}"))
	require.ErrorContains(t, err, "Event isn't a property")
	_, _, out, err = cloudformation.TranslateSAM([]byte("Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]\n" +
		"Resources: {F: {Type: AWS::Serverless::Function, Properties: {CodeUri: ., Handler: a.b, Runtime: c}}}"))
	require.NoError(t, err)
	require.Contains(t, out, `"Transform":["AWS::LanguageExtensions"]`, "the others stay")
	require.Contains(t, out, "AWS::Lambda::Function")
}

// The default of a parameter that the Systems Manager holds is a name there.
func TestSAMParameters(t *testing.T) {
	for typ, want := range map[string]any{
		"String":                             "named",
		"AWS::SSM::Parameter::Value<String>": map[string]any{"Ref": "Host"},
	} {
		found := 0
		for id, r := range translated(t, "Parameters: {Host: {Type: '"+typ+"', Default: named}}\nResources:"+
			restAPI("Domain: {DomainName: !Ref Host, CertificateArn: c}")+"\n") {
			if at(r, "Type") == "AWS::ApiGateway::DomainName" {
				found++
				require.Equal(t, want, at(r, "Properties", "DomainName"))
				require.Regexp(t, "^ApiGatewayDomainName[0-9a-f]{10}$", id)
			}
		}
		require.Equal(t, 1, found)
	}
}

// Two resources may come to make one of the same name. The translator says nothing of it.
func TestSAMNamesThatMeet(t *testing.T) {
	doc := read(t, "Resources:\n  My: {Type: AWS::Serverless::Api, Properties: {StageName: ApiProd}}\n"+
		"  MyApi: {Type: AWS::Serverless::Api, Properties: {StageName: Prod}}\n", cloudformation.Options{})
	require.NotContains(t, doc.APIs[0].Stages, "ApiProd")
	require.Contains(t, doc.APIs[1].Stages, "Prod")
	require.Equal(t, definition.Differs, doc.Findings[0].Severity)
	require.Contains(t, doc.Findings[0].What, "MyApiProdStage of MyApi takes the place of another resource's, of line 2")
}

// What the translator's own tests don't say, and its code does.
func TestSAMSmallThings(t *testing.T) {
	all := translated(t, `Transform: AWS::Serverless-2016-10-31
Resources:
  A:
    Type: AWS::Serverless::Api
    Properties:
      StageName: s
      OpenApiVersion: 3.0.1
      Domain: {DomainName: a.example, CertificateArn: c, SecurityPolicy: a, EndpointAccessMode: STRICT}
      Auth: {Authorizers: {G: {UserPoolArn: [], FunctionArn: arn}}}
  F: {Type: AWS::Serverless::Function, Properties: {InlineCode: '', Handler: a.b, Runtime: c, Policies: {}}}
`)
	body := at(all["A"], "Properties", "Body")
	require.Equal(t, "3.0.1", at(body, "openapi"), "also without events")
	require.Equal(t, "token", at(body, "components", "securitySchemes", "G", "x-amazon-apigateway-authorizer", "type"))
	for id, r := range all {
		if strings.HasPrefix(id, "ApiGatewayDomainName") {
			require.Equal(t, "STRICT", at(r, "Properties", "EndpointAccessMode"))
		}
	}
}

// A path that no request can have is in the document, and refuses; if it isn't open, so does all.
func TestSAMOddPath(t *testing.T) {
	events := "Transform: AWS::Serverless-2016-10-31\nResources:\n  Api: {Type: AWS::Serverless::Api, Properties: {StageName: v1}}\n  F: {Type: AWS::Serverless::Function, Properties: {CodeUri: ., Handler: a.b, Runtime: c, Events: " +
		"{Odd: {Type: Api, Properties: {RestApiId: !Ref Api, Path: '/{proxy++}', Method: any MORE}}, Even: {Type: Api, Properties: {RestApiId: !Ref Api, Path: '/{proxy+}', Method: any}}}}}\n"
	for more, open := range map[string]bool{"": true, ", Auth: {Authorizer: AWS_IAM}": false} {
		doc := read(t, strings.Replace(events, " MORE", more, 1), cloudformation.Options{})
		g, err := definition.Build(t.Context(), doc, definition.Bindings{Logger: slog.New(slog.DiscardHandler),
			OtherFunction: func(definition.Ref) (gatekit.Invoker, bool) { return says("{\"statusCode\":200}"), true }})
		require.NoError(t, err)
		defer g.Close()
		served := map[string]bool{}
		for _, r := range g.Report().Routes {
			served[r.Route] = r.Served
		}
		require.Equal(t, map[string]bool{"ANY /{proxy++}": false, "ANY /{proxy+}": open}, served)
	}
}

// says is a function that always says the same.
type says string

func (s says) Invoke(context.Context, []byte) ([]byte, error) { return []byte(s), nil }
