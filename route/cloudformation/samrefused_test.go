package cloudformation_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/cloudformation"
	"github.com/gatekit-go/gatekit/route/definition"
)

// function is a function F with one event E; the API A is managed, unless a row has its own.
const (
	restFunction = "\n  F: {Type: AWS::Serverless::Function, Properties: {CodeUri: ., Handler: a.b, Runtime: c, Events: {E: {Type: Api, Properties: {" +
		"RestApiId: !Ref A, Path: /p, Method: get, …}}}}}"
	httpFunction = "\n  F: {Type: AWS::Serverless::Function, Properties: {CodeUri: ., Handler: a.b, Runtime: c, Events: {E: {Type: HttpApi, Properties: {" +
		"ApiId: !Ref A, Path: /p, Method: get, …}}}}}"
	emptyEvent = "\n  F: {Type: AWS::Serverless::Function, Properties: {CodeUri: ., Handler: a.b, Runtime: c, Events: {E: {Type: TYPE, Properties: {…}}}}}"
)

func withEvent(resource, properties string) string {
	return strings.Replace(resource, "…", properties, 1)
}

// machine makes a state machine of a function.
func machine(function string) string {
	return strings.NewReplacer("::Function", "::StateMachine", "CodeUri: ., Handler: a.b, Runtime: c", "Definition: {StartAt: A}").Replace(function)
}

func restAPI(properties string) string {
	return "\n  A: {Type: AWS::Serverless::Api, Properties: {StageName: s, " + properties + "}}"
}

func httpAPI(properties string) string {
	return "\n  A: {Type: AWS::Serverless::HttpApi, Properties: {" + properties + "}}"
}

func socketAPI(properties string) string {
	return "\n  A: {Type: AWS::Serverless::WebSocketApi, Properties: {" + properties + "}}"
}

// inlineBody is a document of the author's, with one method.
const inlineBody = "DefinitionBody: {swagger: '2.0', info: {title: t, version: '1'}, paths: {/p: {get: " +
	"{x-amazon-apigateway-integration: {type: mock}}}}}"

const (
	authorizers = "Auth: {Authorizers: {G: {FunctionArn: arn}}}"
	routes      = "RouteSelectionExpression: $request.body.action, Routes: {$connect: {FunctionArn: a}, say: {FunctionArn: a}}"
)

// Every refusal of the translation names the resource, the event if one is to blame, and the
// property.
func TestSAMRefused(t *testing.T) {
	for _, tt := range []struct{ name, resources, want string }{
		{"unknown-property", restAPI("Stagename: s"), `resource A: Stagename isn't a property of AWS::Serverless::Api; the nearest are "StageName"`},
		{"no-stage", "\n  A: {Type: AWS::Serverless::Api}", "resource A: StageName is required"},
		{"empty-stage", "\n  A: {Type: AWS::Serverless::Api, Properties: {StageName: ''}}", "resource A: StageName cannot be empty"},
		{"empty-stage-event", "\n  A: {Type: AWS::Serverless::Api, Properties: {StageName: ''}}" + withEvent(restFunction, ""), "resource A: StageName cannot be empty"},
		{"properties", "\n  A: {Type: AWS::Serverless::Api, Properties: [a]}", "resource A: Properties: want a map, got list"},
		{"kind-map", restAPI("Variables: [a]"), "resource A: Variables: want a map, got list"},
		{"kind-list", restAPI("MethodSettings: {a: b}"), "resource A: MethodSettings: want a list, got map"},
		{"kind-text", restAPI("OpenApiVersion: 3"), "resource A: OpenApiVersion: want text, got number"},
		{"kind-either", restAPI("Cors: [a]"), "resource A: Cors: want text or a map, got list"},
		{"kind-boolean", restAPI("TracingEnabled: 'true'"), "resource A: TracingEnabled: want true or false, got text"},
		{"kind-number", restAPI("MinimumCompressionSize: a"), "resource A: MinimumCompressionSize: want a number, got text"},
		{"version", restAPI("OpenApiVersion: '4.0'"), "resource A: OpenApiVersion: want a version such as 3.0.1"},
		{"body-and-uri", restAPI("DefinitionUri: 's3://b/k', " + inlineBody), "resource A: want DefinitionUri or DefinitionBody, not both"},
		{"merge-uri", restAPI("DefinitionUri: 's3://b/k', MergeDefinitions: true"), "MergeDefinitions is for a DefinitionBody"},
		{"uri", restAPI("DefinitionUri: 'https://b/k'"), "resource A: DefinitionUri: want s3://bucket/key"},
		{"uri-map", restAPI("DefinitionUri: {Bucket: b}"), "resource A: DefinitionUri: want Bucket and Key"},
		{"uri-auth", restAPI("DefinitionUri: 's3://b/k', " + authorizers), "resource A: Auth works with an inline DefinitionBody"},
		{"uri-cors", restAPI("DefinitionUri: 's3://b/k', Cors: a"), "resource A: Cors works with an inline DefinitionBody"},
		{"uri-models", restAPI("DefinitionUri: 's3://b/k', Models: {a: {type: object}}"), "resource A: Models works with an inline DefinitionBody"},
		{"uri-responses", restAPI("DefinitionUri: 's3://b/k', GatewayResponses: {DEFAULT_4XX: {}}"), "resource A: GatewayResponses works with an inline"},
		{"uri-endpoint", restAPI("DefinitionUri: 's3://b/k', DisableExecuteApiEndpoint: true"), "resource A: DisableExecuteApiEndpoint works with"},
		{"vpc", restAPI("EndpointConfiguration: {Type: PRIVATE, VPCEndpointIds: [a], VpcEndpointIds: [b]}"), "resource A: EndpointConfiguration"},
		{"cors-key", restAPI("Cors: {AllowOrigins: a}"), `resource A: Cors: AllowOrigins isn't known; the nearest are "AllowOrigin"`},
		{"cors-wildcard", restAPI("Cors: {AllowCredentials: true}"), "resource A: Cors: AllowCredentials takes an AllowOrigin that isn't '*'"},
		{"cors-origin", restAPI("Cors: {AllowOrigin: ''}, " + inlineBody), "resource A: Cors: AllowOrigin is required"},
		{"model", restAPI("Models: {a: b}"), "resource A: Models.a: want a map"},
		{"model-type", restAPI("Models: {a: {properties: {}}}"), "resource A: Models.a: want a type"},
		{"response", restAPI("GatewayResponses: {DEFAULT_4XX: !Ref A}"), "resource A: GatewayResponses.DEFAULT_4XX: want a map that is no function"},
		{"response-key", restAPI("GatewayResponses: {DEFAULT_4XX: {Status: 1}}"), "resource A: GatewayResponses.DEFAULT_4XX: Status isn't known"},
		{"response-status", restAPI("GatewayResponses: {DEFAULT_4XX: {StatusCode: abc}}"), "resource A: GatewayResponses.DEFAULT_4XX.StatusCode: want a number"},
		{"response-place", restAPI("GatewayResponses: {DEFAULT_4XX: {ResponseParameters: {Footers: {a: b}}}}"), "ResponseParameters.Footers: want a map Headers"},
		{"response-list", restAPI("GatewayResponses: {DEFAULT_4XX: {ResponseParameters: [a]}}"), "DEFAULT_4XX.ResponseParameters: want a map"},
		{"path-item", restAPI("Cors: a, DefinitionBody: {swagger: '2.0', paths: {/p: }}"), "resource A: DefinitionBody: paths./p: want a map"},
		{"path-item-3", restAPI("DefinitionBody: {openapi: 3.0.1, paths: {/p: a}}"), "resource A: DefinitionBody: paths./p: want a map"},

		{"auth", restAPI("Auth: [a]"), "resource A: Auth: want a map"},
		{"auth-key", restAPI("Auth: {Authorizer: a}"), `resource A: Auth: Authorizer isn't known; the nearest are "Authorizers"`},
		{"authorizers", restAPI("Auth: {Authorizers: [a]}"), "resource A: Auth.Authorizers: want a map"},
		{"authorizer", restAPI("Auth: {Authorizers: {G: a}}"), "resource A: Auth.Authorizers.G: want a map"},
		{"authorizer-nothing", restAPI("Auth: {Authorizers: {G: {Identity: {}}}}"), "resource A: Auth.Authorizers.G: want UserPoolArn or FunctionArn"},
		{"authorizer-scopes", restAPI("Auth: {Authorizers: {G: {UserPoolArn: a, AuthorizationScopes: s}}}"), "Auth.Authorizers.G.AuthorizationScopes: want a list"},
		{"authorizer-payload", restAPI("Auth: {Authorizers: {G: {FunctionArn: a, FunctionPayloadType: BODY}}}"), "FunctionPayloadType: want TOKEN or REQUEST"},
		{"authorizer-identity", restAPI("Auth: {Authorizers: {G: {FunctionArn: a, Identity: a}}}"), "Auth.Authorizers.G.Identity: want a map"},
		{"authorizer-no-identity", restAPI("Auth: {Authorizers: {G: {FunctionArn: a, FunctionPayloadType: REQUEST}}}"), "G.Identity: want at least one of Headers"},
		{"authorizer-kept", restAPI("Auth: {Authorizers: {G: {FunctionArn: a, FunctionPayloadType: REQUEST, Identity: {ReauthorizeEvery: 10}}}}"), "G.Identity: want at least one"},
		{"authorizer-headers", restAPI("Auth: {Authorizers: {G: {FunctionArn: a, FunctionPayloadType: REQUEST, Identity: {Headers: a}}}}"), "Identity.Headers: want a list"},
		{"authorizer-header", restAPI("Auth: {Authorizers: {G: {FunctionArn: a, FunctionPayloadType: REQUEST, Identity: {Headers: [a, {b: c}]}}}}"), "Identity.Headers[1]: want text"},
		{"default-unknown", restAPI("Auth: {DefaultAuthorizer: H, Authorizers: {G: {FunctionArn: a}}}"), `resource A: Auth.DefaultAuthorizer: Authorizers have no "H"`},
		{"default-alone", restAPI("Auth: {DefaultAuthorizer: H}"), `resource A: Auth.DefaultAuthorizer: Authorizers have no "H"`},
		{"default-function", restAPI("Auth: {DefaultAuthorizer: !Ref G, Authorizers: {G: {FunctionArn: a}}}"), "resource A: Auth.DefaultAuthorizer: want text"},
		{"policy", restAPI("Auth: {ResourcePolicy: a}"), "resource A: Auth.ResourcePolicy: want a map"},
		{"policy-vpc", restAPI(inlineBody + ", Auth: {ResourcePolicy: {SourceVpcWhitelist: [!Ref V]}}"), "ResourcePolicy.SourceVpcWhitelist: want a list of vpc-ID and vpce-ID"},
		{"policy-vpc-list", restAPI(inlineBody + ", Auth: {ResourcePolicy: {IntrinsicVpcWhitelist: a}}"), "ResourcePolicy.IntrinsicVpcWhitelist: want a list"},
		{"policy-accounts", restAPI(inlineBody + ", Auth: {ResourcePolicy: {AwsAccountWhitelist: a}}"), "ResourcePolicy.AwsAccountWhitelist: want a list"},
		{"plan", restAPI("Auth: {UsagePlan: a}"), "resource A: Auth.UsagePlan: want a map"},
		{"plan-key", restAPI("Auth: {UsagePlan: {Create: NONE}}"), "resource A: Auth.UsagePlan: Create isn't known"},
		{"plan-create", restAPI("Auth: {UsagePlan: {CreateUsagePlan: ALL}}"), "resource A: Auth.UsagePlan.CreateUsagePlan: want SHARED, PER_API or NONE"},

		{"domain", restAPI("Domain: {DomainName: a}"), "resource A: Domain: want DomainName and CertificateArn"},
		{"domain-endpoint", restAPI("Domain: {DomainName: a, CertificateArn: c, EndpointConfiguration: BOTH}"), "resource A: Domain.EndpointConfiguration"},
		{"domain-path", restAPI("Domain: {DomainName: a, CertificateArn: c, BasePath: [a, 5]}"), "resource A: Domain.BasePath: want text"},
		{"domain-tls", restAPI("Domain: {DomainName: a, CertificateArn: c, MutualTlsAuthentication: {Uri: a}}"), "resource A: Domain.MutualTlsAuthentication: Uri isn't known"},
		{"domain-tls-list", restAPI("Domain: {DomainName: a, CertificateArn: c, MutualTlsAuthentication: [a]}"), "resource A: Domain.MutualTlsAuthentication: want a map"},
		{"domain-route53", restAPI("Domain: {DomainName: a, CertificateArn: c, Route53: a}"), "resource A: Domain.Route53: want a map"},
		{"domain-zone", restAPI("Domain: {DomainName: a, CertificateArn: c, Route53: {}}"), "resource A: Domain.Route53: want HostedZoneId or HostedZoneName"},

		{"event-path", restAPI("") + strings.Replace(withEvent(emptyEvent, "Method: get"), "TYPE", "Api", 1), "resource F, event E: Path is required"},
		{"event-method", restAPI("") + strings.Replace(withEvent(emptyEvent, "Path: /"), "TYPE", "Api", 1), "resource F, event E: Method is required"},
		{"event-nothing", restAPI("") + strings.Replace(withEvent(emptyEvent, ""), "TYPE", "Api", 1), "resource F, event E: Path and Method are required"},
		{"event-path-list", strings.Replace(withEvent(emptyEvent, "Path: [/], Method: get"), "TYPE", "Api", 1), "resource F, event E: Path: want text, got list"},
		{"event-http-path", strings.Replace(withEvent(emptyEvent, "Path: /"), "TYPE", "HttpApi", 1), "resource F, event E: Method is required"},
		{"event-type", strings.Replace(withEvent(emptyEvent, "Path: /"), "TYPE", "HTTPApi", 1), `resource F, event E: Type: there are no events of type "HTTPApi" here; the nearest are "HttpApi"`},
		{"event-no-map", strings.Replace(emptyEvent, "{Type: TYPE, Properties: {…}}", "a", 1), "resource F, event E: want a map"},
		{"events", strings.Replace(emptyEvent, "{E: {Type: TYPE, Properties: {…}}}", "[a]", 1), "resource F: Events: want a map"},
		{"event-api", strings.Replace(withEvent(emptyEvent, "RestApiId: Gone, Path: /, Method: get"), "TYPE", "Api", 1), "resource F, event E: RestApiId: Gone is no AWS::Serverless::Api of the template"},
		{"event-api-function", strings.Replace(withEvent(emptyEvent, "RestApiId: !Sub A, Path: /, Method: get"), "TYPE", "Api", 1), "resource F, event E: RestApiId: want the name of an API"},
		{"event-other-flavor", httpAPI("") + withEvent(restFunction, ""), "resource F, event E: RestApiId: A is no AWS::Serverless::Api"},
		{"event-property", restAPI("") + withEvent(restFunction, "Timeout: 3"), "resource F, event E: Timeout isn't a property of an event of type Api"},
		{"event-twice", restAPI("") + strings.Replace(withEvent(restFunction, ""), "{E:", "{D: {Type: Api, Properties: {RestApiId: A, Path: /p, Method: GET}}, E:", 1), "resource F, event E: the method get of /p is defined more than once"},
		{"event-twice-http", httpAPI("") + strings.Replace(withEvent(httpFunction, ""), "{E:", "{D: {Type: HttpApi, Properties: {ApiId: A, Path: /p, Method: GET}}, E:", 1), "resource F, event E: the method get of /p is defined more than once"},
		{"event-auth", restAPI("") + withEvent(restFunction, "Auth: a"), "resource F, event E: Auth: want a map"},
		{"event-authorizer", restAPI(authorizers) + withEvent(restFunction, "Auth: {Authorizer: H}"), `resource F, event E: Auth.Authorizer: the API's Authorizers have no "H"; the nearest are "G"`},
		{"event-no-authorizers", restAPI("") + withEvent(restFunction, "Auth: {Authorizer: H}"), "resource F, event E: Auth.Authorizer: want the name of one of the API's Authorizers"},
		{"event-none", restAPI(authorizers) + withEvent(restFunction, "Auth: {Authorizer: NONE}"), "resource F, event E: Auth.Authorizer: NONE is for APIs with a DefaultAuthorizer"},
		{"event-scopes", restAPI(authorizers) + withEvent(restFunction, "Auth: {Authorizer: G, AuthorizationScopes: s}"), "resource F, event E: Auth.AuthorizationScopes: want a list"},
		{"event-key", restAPI("") + withEvent(restFunction, "Auth: {ApiKeyRequired: false}"), "resource F, event E: Auth.ApiKeyRequired: false is for APIs that require a key"},
		{"event-policy", restAPI("") + withEvent(restFunction, "Auth: {ResourcePolicy: a}"), "resource F, event E: Auth.ResourcePolicy: want a map"},
		{"event-model", restAPI("") + withEvent(restFunction, "RequestModel: {Model: M}"), `resource F, event E: RequestModel: the API's Models have no "M"`},
		{"event-model-kind", restAPI("") + withEvent(restFunction, "RequestModel: [a]"), "resource F, event E: RequestModel: want a map"},
		{"event-validator", restAPI("Models: {M: {type: object}}") + withEvent(restFunction, "RequestModel: {Model: M, ValidateBody: 'true'}"), "resource F, event E: RequestModel: want ValidateBody and"},
		{"event-parameters", restAPI("") + withEvent(restFunction, "RequestParameters: a"), "resource F, event E: RequestParameters: want a list"},
		{"event-parameter", restAPI("") + withEvent(restFunction, "RequestParameters: [method.request.body.a]"), "resource F, event E: RequestParameters: want method.request.querystring.NAME"},
		{"event-parameter-key", restAPI("") + withEvent(restFunction, "RequestParameters: [{method.request.header.a: {Cached: true}}]"), "want Required or Caching, got Cached"},
		{"function-unknown", restAPI("") + strings.Replace(withEvent(restFunction, ""), "Events:", "Event: {}, Events:", 1), "resource F: Event isn't a property of AWS::Serverless::Function; the nearest are \"Events\""},
		{"function-code", restAPI("") + strings.Replace(withEvent(restFunction, ""), "CodeUri: ., ", "", 1), "resource F: want CodeUri or InlineCode"},
		{"function-code-kind", restAPI("") + strings.Replace(withEvent(restFunction, ""), "CodeUri: .", "CodeUri: [a]", 1), "resource F: CodeUri: want text or a map, got list"},
		{"function-code-bucket", restAPI("") + strings.Replace(withEvent(restFunction, ""), "CodeUri: .", "CodeUri: {Bucket: b}", 1), "resource F: CodeUri: want Bucket and Key"},
		{"function-runtime", restAPI("") + strings.Replace(withEvent(restFunction, ""), ", Runtime: c", "", 1), "resource F: Runtime and Handler are required"},
		{"function-handler", restAPI("") + strings.Replace(withEvent(restFunction, ""), "Handler: a.b", "Handler: ''", 1), "resource F: Runtime and Handler are required"},
		{"function-image-config", restAPI("") + strings.Replace(withEvent(restFunction, ""), "Runtime: c", "Runtime: c, ImageConfig: {Command: [a]}", 1), "resource F: ImageConfig is for functions of the PackageType Image"},
		{"function-package", restAPI("") + strings.Replace(withEvent(restFunction, ""), "Runtime: c", "Runtime: c, PackageType: zip", 1), "resource F: PackageType: want Zip or Image, got \"zip\""},
		{"function-image", restAPI("") + strings.Replace(withEvent(restFunction, ""), "Runtime: c", "Runtime: c, PackageType: Image", 1), "resource F: ImageUri is required"},
		{"function-image-runtime", restAPI("") + strings.Replace(withEvent(restFunction, ""), "Runtime: c", "Runtime: c, PackageType: Image, ImageUri: x", 1), "resource F: Runtime isn't for functions of the PackageType Image"},
		{"function-role", restAPI("") + strings.Replace(withEvent(restFunction, ""), "Runtime: c", "Runtime: c, Role: [a]", 1), "resource F: Role: want text, got list"},
		{"function-policies", restAPI("") + strings.Replace(withEvent(restFunction, ""), "Runtime: c", "Runtime: c, Policies: 1", 1), "resource F: Policies: want names of policies, or documents, got number"},
		{"function-policy", restAPI("") + strings.Replace(withEvent(restFunction, ""), "Runtime: c", "Runtime: c, Policies: [a, {Version: a, Statemnt: []}]", 1), "number 2 is none"},
		{"function-preference", restAPI("") + strings.Replace(withEvent(restFunction, ""), "Runtime: c", "Runtime: c, DeploymentPreference: {Type: AllAtOnce}", 1), "resource F: DeploymentPreference is for functions with an AutoPublishAlias"},
		{"function-scaling", restAPI("") + strings.Replace(withEvent(restFunction, ""), "Runtime: c", "Runtime: c, FunctionScalingConfig: {a: b}", 1), "resource F: FunctionScalingConfig is for functions with a CapacityProviderConfig"},
		{"function-queue", restAPI("") + strings.Replace(withEvent(restFunction, ""), "Runtime: c", "Runtime: c, DeadLetterQueue: {Type: SQS}", 1), "resource F: DeadLetterQueue: want Type and TargetArn"},
		{"function-queue-type", restAPI("") + strings.Replace(withEvent(restFunction, ""), "Runtime: c", "Runtime: c, DeadLetterQueue: {Type: S3, TargetArn: a}", 1), "resource F: DeadLetterQueue.Type: want SQS or SNS"},
		{"function-url", restAPI("") + strings.Replace(withEvent(restFunction, ""), "Runtime: c", "Runtime: c, FunctionUrlConfig: {AuthType: IAM}", 1), "resource F: FunctionUrlConfig.AuthType: want AWS_IAM or NONE"},
		{"function-url-cors", restAPI("") + strings.Replace(withEvent(restFunction, ""), "Runtime: c", "Runtime: c, FunctionUrlConfig: {AuthType: NONE, Cors: a}", 1), "resource F: FunctionUrlConfig.Cors: want a map"},
		{"function-url-cors-unknown", restAPI("") + strings.Replace(withEvent(restFunction, ""), "Runtime: c", "Runtime: c, FunctionUrlConfig: {AuthType: NONE, Cors: {Origins: a}}", 1), "FunctionUrlConfig.Cors: Origins isn't known"},
		{"function-type", restAPI("") + strings.Replace(withEvent(restFunction, ""), "::Function", "::Functon", 1), "resource F: there is no type AWS::Serverless::Functon; the nearest is \"AWS::Serverless::Function\""},
		{"function-condition", restAPI("") + strings.Replace(withEvent(restFunction, ""), "Properties:", "Condition: [a], Properties:", 1), "resource F: Condition: want the name of a condition, got list"},
		{"function-id", restAPI("") + strings.Replace(withEvent(restFunction, ""), "F:", "F-G:", 1), "resource F-G: want a logical ID of letters and digits"},
		{"machine-definition", restAPI("") + strings.Replace(machine(withEvent(restFunction, "")), "Definition: {StartAt: A}", "Name: m", 1), "resource F: want Definition or DefinitionUri"},
		{"machine-bucket", restAPI("") + strings.Replace(machine(withEvent(restFunction, "")), "Definition: {StartAt: A}", "DefinitionUri: {Bucket: b}", 1), "resource F: DefinitionUri: want Bucket and Key"},
		{"machine-role", restAPI("") + strings.Replace(machine(withEvent(restFunction, "")), "Definition:", "Role: a, Policies: [b], Definition:", 1), "resource F: want Role or Policies, and not both"},
		{"machine-unknown", restAPI("") + strings.Replace(machine(withEvent(restFunction, "")), "Definition:", "Defintion: a, Definition:", 1), "resource F: Defintion isn't a property"},
		{"table", restAPI("") + "\n  T: {Type: AWS::Serverless::SimpleTable, Properties: {PrimaryKey: {Name: a}}}", "resource T: PrimaryKey.Type is required"},
		{"table-unknown", restAPI("") + "\n  T: {Type: AWS::Serverless::SimpleTable, Properties: {PrimryKey: a}}", "resource T: PrimryKey isn't a property"},
		{"layer", restAPI("") + "\n  T: {Type: AWS::Serverless::LayerVersion, Properties: {LayerName: a}}", "resource T: ContentUri is required"},
		{"application", restAPI("") + "\n  T: {Type: AWS::Serverless::Application}", "resource T: Location is required"},
		{"event-auth-unknown", restAPI(authorizers) + withEvent(restFunction, "Auth: {Authoriser: G}"), "resource F, event E: Auth: Authoriser isn't known; the nearest are \"Authorizer\""},
		{"event-auth-if", restAPI(authorizers) + withEvent(restFunction, "Auth: !If [C, {Authorizer: G}, {}]"), "resource F, event E: Auth: Fn::If isn't known"},
		{"event-scopes", restAPI(authorizers) + withEvent(restFunction, "Auth: {AuthorizationScopes: [a]}"), "resource F, event E: Auth.AuthorizationScopes: want an Authorizer beside them"},
		{"event-policy-unknown", restAPI(authorizers) + withEvent(restFunction, "Auth: {ResourcePolicy: {IpRangeWhiteList: [a]}}"), "resource F, event E: Auth.ResourcePolicy: IpRangeWhiteList isn't known"},
		{"event-policy-name", restAPI(authorizers) + withEvent(restFunction, "Auth: {ResourcePolcy: {IpRangeWhitelist: [a]}}"), "resource F, event E: Auth: ResourcePolcy isn't known"},
		{"event-http-unknown", httpAPI("Auth: {DefaultAuthorizer: G, Authorizers: {G: {FunctionArn: a, AuthorizerPayloadFormatVersion: 1.0}}}") + withEvent(httpFunction, "Auth: {Scopes: [a]}"), "resource F, event E: Auth: Scopes isn't known"},
		{"policy-unknown", restAPI(inlineBody + ", Auth: {ResourcePolicy: {IpWhitelist: [a]}}"), "resource A: Auth.ResourcePolicy: IpWhitelist isn't known"},
		{"policy-if", restAPI(inlineBody + ", Auth: {ResourcePolicy: !If [C, {IpRangeWhitelist: [a]}, {}]}"), "resource A: Auth.ResourcePolicy: Fn::If isn't known"},
		{"policy-nobody", restAPI(inlineBody + ", Auth: {ResourcePolicy: {IpRangeWhitelist: []}}"), "ResourcePolicy.IpRangeWhitelist: want at least one"},
		{"authorizer-scope", restAPI(inlineBody + ", Auth: {Authorizers: {G: {FunctionArn: a, AuthorizationScope: [a]}}}"), "resource A: Auth.Authorizers.G: AuthorizationScope isn't known; the nearest are \"AuthorizationScopes\""},
		{"authorizer-name", restAPI(inlineBody + ", Auth: {Authorizers: {api_key_false: {FunctionArn: a}}}"), "resource A: Auth.Authorizers.api_key_false: want another name"},
		{"default-empty", restAPI(inlineBody + ", Auth: {DefaultAuthorizer: '', Authorizers: {G: {FunctionArn: a}}}"), "resource A: Auth.DefaultAuthorizer: want the name of an authorizer, got none"},
		{"domain-letter", restAPI(inlineBody + ", Domain: {DomainName: a, CertificateArn: b, MutualTlsAuthenticaton: {TruststoreUri: 's3://a/b'}}"), "resource A: Domain: MutualTlsAuthenticaton isn't known"},
		{"domain-trust", restAPI(inlineBody + ", Domain: {DomainName: a, CertificateArn: b, MutualTlsAuthentication: {}}"), "resource A: Domain.MutualTlsAuthentication: want TruststoreUri"},
		{"default-of-included", strings.Replace(restAPI(inlineBody+", Auth: {DefaultAuthorizer: AWS_IAM}"), "{get: ", "{'Fn::Transform': {Name: AWS::Include, Parameters: {Location: a.yaml}}, get: ", 1), "DefinitionBody: paths./p: what Fn::Transform puts there can't be given an authorization"},
		{"default-of-included-method", strings.Replace(restAPI(inlineBody+", Auth: {ApiKeyRequired: true}"), "x-amazon", "'Fn::Transform': {Name: AWS::Include, Parameters: {Location: a.yaml}}, x-amazon", 1), "DefinitionBody: paths./p: what Fn::Transform puts there can't be given an authorization"},
		{"implicit-replaced", "\n  ServerlessRestApi: {Type: AWS::Serverless::Api, Properties: {StageName: s, Auth: {DefaultAuthorizer: AWS_IAM}}}" + strings.Replace(withEvent(restFunction, ""), "RestApiId: !Ref A, ", "", 1), "resource ServerlessRestApi: Auth is lost"},
		{"version-ref", restAPI("OpenApiVersion: !Ref V"), "resource A: OpenApiVersion: want a version such as 3.0.1"},
		{"properties-null", "\n  A: {Type: AWS::Serverless::Api, Properties: }", "resource A: Properties: want a map, got null"},
		{"connector", restAPI("") + "\n  T: {Type: AWS::Serverless::Connector, Properties: {Source: {Id: A}}}", "resource T: Destination is required"},
		{"socket-name", socketAPI(routes + ", Name: [a]"), "resource A: Name: want text, got list"},
		{"socket-disabled", socketAPI(routes + ", DisableExecuteApiEndpoint: 'true'"), "resource A: DisableExecuteApiEndpoint: want true or false"},
		{"alias", "\n  F: {Type: AWS::Serverless::Function, Properties: {CodeUri: ., Handler: a.b, Runtime: c, AutoPublishAlias: !GetAtt A.B}}", "resource F: AutoPublishAlias: want text"},
		{"machine", restAPI("") + machine(withEvent(restFunction, "Auth: {Authorizer: G}")), "resource F, event E: Auth.Authorizer: want the name"},
		{"machine-property", restAPI("") + machine(withEvent(restFunction, "TimeoutInMillis: 50")), "resource F, event E: TimeoutInMillis isn't a property"},
		{"machine-http", httpAPI("") + machine(withEvent(httpFunction, "")), `resource F, event E: Type: there are no events of type "HttpApi" here`},

		{"http-property", httpAPI("Cors: true"), "resource A: Cors isn't a property of AWS::Serverless::HttpApi"},
		{"http-cors", httpAPI("CorsConfiguration: [a]"), "resource A: CorsConfiguration: want true or a map"},
		{"http-cors-key", httpAPI("CorsConfiguration: {AllowOrigin: [a]}"), "resource A: CorsConfiguration: AllowOrigin isn't known"},
		{"http-cors-wildcard", httpAPI("CorsConfiguration: {AllowOrigins: ['*'], AllowCredentials: true}"), "resource A: CorsConfiguration: AllowCredentials takes"},
		{"http-tags", httpAPI("DefinitionUri: 's3://b/k', Tags: {a: b}"), "resource A: Tags works with an inline DefinitionBody"},
		{"http-cors-uri", httpAPI("DefinitionUri: 's3://b/k', CorsConfiguration: true"), "resource A: CorsConfiguration works with an inline"},
		{"http-auth-uri", httpAPI("DefinitionUri: 's3://b/k', Auth: {EnableIamAuthorizer: true}"), "resource A: Auth works with an inline"},
		{"http-name", httpAPI("Name: n, DefinitionBody: {openapi: 3.0.1, info: {title: t}, paths: {}}"), "resource A: Name: the DefinitionBody's info.title says it already"},
		{"http-swagger", httpAPI(inlineBody) + withEvent(httpFunction, ""), "resource A: DefinitionBody: want an OpenAPI 3 document with paths"},
		{"http-auth-key", httpAPI("Auth: {ApiKeyRequired: true}"), "resource A: Auth: ApiKeyRequired isn't known"},
		{"http-openid", httpAPI("Auth: {Authorizers: {G: {OpenIdConnectUrl: a}}}"), "resource A: Auth.Authorizers.G.OpenIdConnectUrl: isn't supported any more"},
		{"http-jwt-source", httpAPI("Auth: {Authorizers: {G: {JwtConfiguration: {issuer: a}}}}"), "resource A: Auth.Authorizers.G: want IdentitySource"},
		{"http-jwt-function", httpAPI("Auth: {Authorizers: {G: {JwtConfiguration: {issuer: a}, FunctionArn: b}}}"), "Auth.Authorizers.G.FunctionArn: is for authorizers with a FunctionArn"},
		{"http-jwt-kind", httpAPI("Auth: {Authorizers: {G: {JwtConfiguration: a}}}"), "Auth.Authorizers.G.JwtConfiguration: want a map"},
		{"http-function", httpAPI("Auth: {Authorizers: {G: {AuthorizerPayloadFormatVersion: 2.0}}}"), "Auth.Authorizers.G: want JwtConfiguration or FunctionArn"},
		{"http-payload", httpAPI("Auth: {Authorizers: {G: {FunctionArn: a}}}"), "Auth.Authorizers.G: want AuthorizerPayloadFormatVersion"},
		{"http-scopes", httpAPI("Auth: {Authorizers: {G: {FunctionArn: a, AuthorizationScopes: [b]}}}"), "Auth.Authorizers.G.AuthorizationScopes: is for authorizers with a JwtConfiguration"},
		{"http-permissions", httpAPI("Auth: {Authorizers: {G: {FunctionArn: a, AuthorizerPayloadFormatVersion: 2.0, EnableFunctionDefaultPermissions: b}}}"), "EnableFunctionDefaultPermissions: want true or false"},
		{"http-default", httpAPI("Auth: {DefaultAuthorizer: H, EnableIamAuthorizer: true}"), `resource A: Auth.DefaultAuthorizer: Authorizers have no "H"`},
		{"http-default-function", httpAPI("Auth: {DefaultAuthorizer: !Ref H}"), "resource A: Auth.DefaultAuthorizer: want text"},
		{"http-event-auth-null", httpAPI("Auth: ") + withEvent(httpFunction, "Auth: {Authorizer: NONE}"), "resource A: Auth: want a map, got null"},
		{"http-event-no-authorizer", httpAPI("") + withEvent(httpFunction, "Auth: {AuthorizationScopes: [a]}"), "resource F, event E: Auth: want an Authorizer, or a DefaultAuthorizer"},
		{"http-event-iam", httpAPI("") + withEvent(httpFunction, "Auth: {Authorizer: AWS_IAM}"), "resource F, event E: Auth.Authorizer: want the name"},
		{"http-event-settings", httpAPI("") + withEvent(httpFunction, "RouteSettings: "), "resource F, event E: RouteSettings: want a map"},
		{"http-domain", httpAPI("Domain: {DomainName: a, CertificateArn: c, EndpointConfiguration: EDGE}"), "resource A: Domain.EndpointConfiguration: want REGIONAL"},
		{"http-base-path", httpAPI("Domain: {DomainName: a, CertificateArn: c, BasePath: a.b}"), "resource A: Domain.BasePath: want letters, digits"},

		{"socket-routes", socketAPI("RouteSelectionExpression: a"), "resource A: Routes: want at least one route"},
		{"socket-selection", socketAPI("Routes: {a: {FunctionArn: b}}"), "resource A: RouteSelectionExpression is required"},
		{"socket-stage", socketAPI(routes + ", StageName: $default"), "resource A: StageName: a WebSocket API's stage isn't named $default"},
		{"socket-tls", socketAPI(routes + ", Domain: {MutualTlsAuthentication: {a: b}}"), "resource A: Domain: WebSocket APIs have no MutualTlsAuthentication"},
		{"socket-addresses", socketAPI(routes + ", IpAddressType: ipv5"), "resource A: IpAddressType: want ipv4 or dualstack"},
		{"socket-key", socketAPI("RouteSelectionExpression: a, Routes: {a-b: {FunctionArn: b}}"), `resource A: Routes: want a key of letters and digits`},
		{"socket-special", socketAPI("RouteSelectionExpression: a, Routes: {$a: {FunctionArn: b}}"), `resource A: Routes: want a key of letters and digits`},
		{"socket-function", socketAPI("RouteSelectionExpression: a, Routes: {a: {OperationName: b}}"), "resource A: Routes.a: want a FunctionArn"},
		{"socket-route", socketAPI("RouteSelectionExpression: a, Routes: {a: {FunctionArn: a, Key: b}}"), "resource A: Routes.a: Key isn't known"},
		{"socket-parameters", socketAPI("RouteSelectionExpression: a, Routes: {a: {FunctionArn: a, RequestParameters: {b: {}}}}"), "RequestParameters are for $connect"},
		{"socket-auth-type", socketAPI(routes + ", Auth: {AuthArn: a}"), "resource A: Auth.AuthType is required"},
		{"socket-auth-unknown", socketAPI(routes + ", Auth: {AuthType: JWT}"), "resource A: Auth.AuthType: want AWS_IAM, CUSTOM or NONE"},
		{"socket-auth-more", socketAPI(routes + ", Auth: {AuthType: AWS_IAM, AuthArn: a}"), "resource A: Auth: nothing else goes with AuthType AWS_IAM"},
		{"socket-auth-function", socketAPI(routes + ", Auth: {AuthType: CUSTOM}"), "resource A: Auth.AuthArn is required"},
		{"socket-auth-connect", socketAPI("RouteSelectionExpression: a, Routes: {a: {FunctionArn: b}}, Auth: {AuthType: AWS_IAM}"), "resource A: Auth is for the route $connect"},

		{"own-name", restAPI("") + "\n  AsStage: {Type: AWS::SNS::Topic}\n  AsDeployment: {Type: AWS::SNS::Topic}" + "\n  Asss: {Type: AWS::SNS::Topic}" + "\n  AsStageStage: {Type: AWS::SNS::Topic}", "resource A: its translation makes a resource AsStage"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tried("Transform: AWS::Serverless-2016-10-31\nResources:"+tt.resources+"\n", cloudformation.Options{})
			require.ErrorContains(t, err, tt.want)
			require.ErrorContains(t, err, "t.yaml:", "the line")
		})
	}
}

// Globals are held to what they may have, and nothing takes their place.
func TestSAMGlobalsAreHeld(t *testing.T) {
	for globals, want := range map[string]string{
		"{Function: {Events: {}}}":                    `Globals: "Events" is not a supported property of "Function"`,
		"{Function: {Role: a}}":                       `"Role" is not a supported property`,
		"{Function: }":                                "Globals: Function: want a map",
		"{SimpleTable: {Foo: a}}":                     `"Foo" is not a supported property of "SimpleTable"; the nearest are "SSESpecification"`,
		"{Api: {Auth: {DefaultAuthorizer: AWS_IAM}}}": "resource A: Auth: there is nothing, in the place of the Auth of Globals",
	} {
		_, err := tried("Globals: "+globals+"\nResources:"+restAPI("Auth: ")+"\n", cloudformation.Options{})
		require.ErrorContains(t, err, want)
	}
	doc := read(t, "Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]\nResources:\n  Fn::ForEach::X: [X, [A, B], {'${X}': {Type: AWS::Serverless::Function, Properties: "+
		"{CodeUri: ., Handler: a.b, Runtime: c, Events: {E: {Type: Api, Properties: {Path: !Sub '/${X}', Method: get}}}}}}]\n", cloudformation.Options{})
	require.Len(t, doc.APIs[0].Routes, 2, "a path that is a text once the loop is expanded")
	doc = read(t, "Resources:"+restAPI(authorizers)+withEvent(restFunction, "Auth: {Authorizer: G, Odd: a}")+"\n", cloudformation.Options{})
	finding(t, doc, definition.Warning, `Auth has no member "Odd"`)
}
