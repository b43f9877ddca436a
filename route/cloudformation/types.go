package cloudformation

import (
	"slices"
	"strings"
)

// Treatment says what becomes of the resources of a type.
type Treatment string

// The treatments.
const (
	// Built is what the document has: APIs and their parts.
	Built Treatment = "built"
	// Bound is what the document refers to, and a program brings.
	Bound Treatment = "bound"
	// Followed is what is followed for its values or what is in it, and has no part of its own.
	Followed Treatment = "followed"
	// Reported is what changes answers and isn't covered: each is a finding.
	Reported Treatment = "reported"
	// Ignored is what has no effect on answers but by its names and ARNs, which are made up.
	Ignored Treatment = "ignored"
)

// Type is what [Read] does with the resources of a type.
type Type struct {
	// Name is the type, or the beginning of types, with * behind it.
	Name string
	// Treatment is what becomes of its resources.
	Treatment Treatment
	// Properties are those that are known. Others of a resource are reported as likely mistakes; of
	// types without any none is.
	Properties []string
}

// Types lists the rules by which resources are treated, sorted by name. Of two that fit, the longer
// name counts.
func Types() []Type {
	all := make([]Type, 0, len(rules))
	for _, r := range rules {
		all = append(all, Type{Name: r.name, Treatment: r.treatment, Properties: strings.Fields(r.properties)})
	}
	slices.SortFunc(all, func(a, b Type) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// rule is a rule with what it does.
type rule struct {
	name       string
	treatment  Treatment
	properties string
	pass       pass
	build      func(*builder, *resource)
}

// pass is when resources of a type are built: what others refer to comes first.
type pass int

const (
	passAPI pass = iota
	passPart
	passRoute
	passStage
	passDeployment
	passPlan
	passMapping
	lastPass = passMapping
)

const (
	settings = "AccessLogSetting CacheClusterEnabled CacheClusterSize CanarySetting ClientCertificateId " +
		"Description DocumentationVersion MethodSettings Tags TracingEnabled Variables "
	domainProperties = "DomainName EndpointConfiguration SecurityPolicy MutualTlsAuthentication RoutingMode Tags "
)

// rules are those of [Types].
var rules = []*rule{
	{"AWS::ApiGateway::*", Reported, "", passPart, (*builder).notCovered},
	{"AWS::ApiGateway::Account", Ignored, "CloudWatchRoleArn", 0, nil},
	{typeRestKey, Built, "CustomerId Description Enabled GenerateDistinctId Name StageKeys Tags Value", passPlan,
		(*builder).apiKey},
	{typeRestAuthorizer, Built, "AuthType AuthorizerCredentials AuthorizerResultTtlInSeconds AuthorizerUri " +
		"IdentitySource IdentityValidationExpression Name ProviderARNs RestApiId " +
		"Type", passPart, (*builder).restAuthorizer},
	{"AWS::ApiGateway::BasePathMapping", Built, "BasePath DomainName Id RestApiId " +
		"Stage", passMapping, (*builder).mapping},
	{"AWS::ApiGateway::BasePathMappingV2", Built, "BasePath DomainNameArn RestApiId Stage", passMapping,
		(*builder).mapping},
	{"AWS::ApiGateway::ClientCertificate", Bound, "Description Tags", 0, nil},
	{"AWS::ApiGateway::Deployment", Built, "DeploymentCanarySettings Description RestApiId StageDescription " +
		"StageName",
		passDeployment, (*builder).restDeployment},
	{"AWS::ApiGateway::DocumentationPart", Ignored, "Location Properties RestApiId", 0, nil},
	{"AWS::ApiGateway::DocumentationVersion", Ignored, "Description DocumentationVersion RestApiId", 0, nil},
	{"AWS::ApiGateway::DomainName", Built, domainProperties + "CertificateArn " +
		"OwnershipVerificationCertificateArn RegionalCertificateArn " +
		"EndpointAccessMode", passPlan, (*builder).domainName},
	{"AWS::ApiGateway::DomainNameAccessAssociation", Ignored, "AccessAssociationSource " +
		"AccessAssociationSourceType DomainNameArn Tags", 0, nil},
	{"AWS::ApiGateway::DomainNameV2", Built, domainProperties + "CertificateArn Policy EndpointAccessMode", passPlan,
		(*builder).domainName},
	{"AWS::ApiGateway::GatewayResponse", Built, "ResponseParameters ResponseTemplates ResponseType RestApiId " +
		"StatusCode",
		passPart, (*builder).gatewayResponse},
	{"AWS::ApiGateway::Method", Built, "ApiKeyRequired AuthorizationScopes AuthorizationType AuthorizerId " +
		"HttpMethod Integration MethodResponses OperationName RequestModels RequestParameters " +
		"RequestValidatorId ResourceId RestApiId",
		passRoute, (*builder).restMethod},
	{typeRestModel, Built, "ContentType Description Name RestApiId " +
		"Schema", passPart, (*builder).restModel},
	{typeRestValidator, Built, "Name RestApiId ValidateRequestBody ValidateRequestParameters", passPart,
		(*builder).restValidator},
	{typeResource, Built, "ParentId PathPart RestApiId", passPart, (*builder).restResource},
	{typeRestAPI, Built, "ApiKeySourceType BinaryMediaTypes Body BodyS3Location CloneFrom Description " +
		"DisableExecuteApiEndpoint EndpointAccessMode EndpointConfiguration FailOnWarnings " +
		"MinimumCompressionSize Mode Name Parameters Policy SecurityPolicy Tags " +
		"Version", passAPI, (*builder).restAPI},
	{typeRestStage, Built, settings + "DeploymentId RestApiId StageName", passStage, (*builder).restStage},
	{typeRestPlan, Built, "ApiStages Description Quota Tags Throttle UsagePlanName", passPlan, (*builder).usagePlan},
	{"AWS::ApiGateway::UsagePlanKey", Built, "KeyId KeyType UsagePlanId", passMapping, (*builder).planKey},
	{typeRestLink, Bound, "Description Name Tags TargetArns", 0, nil},

	{"AWS::ApiGatewayV2::*", Reported, "", passPart, (*builder).notCovered},
	{typeV2API, Built, "ApiKeySelectionExpression BasePath Body BodyS3Location CorsConfiguration " +
		"CredentialsArn Description DisableExecuteApiEndpoint DisableSchemaValidation FailOnWarnings " +
		"IpAddressType Name ProtocolType RouteKey RouteSelectionExpression Tags Target " +
		"Version", passAPI, (*builder).v2API},
	{typeV2Overrides, Built, "ApiId Integration Route Stage", passDeployment, (*builder).overrides},
	{"AWS::ApiGatewayV2::ApiMapping", Built, "ApiId ApiMappingKey DomainName Stage", passMapping, (*builder).mapping},
	{typeV2Authorizer, Built, "ApiId AuthorizerCredentialsArn AuthorizerPayloadFormatVersion " +
		"AuthorizerResultTtlInSeconds AuthorizerType AuthorizerUri EnableSimpleResponses IdentitySource " +
		"IdentityValidationExpression JwtConfiguration Name",
		passPart, (*builder).v2Authorizer},
	{"AWS::ApiGatewayV2::Deployment", Built, "ApiId Description StageName", passPart, (*builder).v2Deployment},
	{"AWS::ApiGatewayV2::DomainName", Built, domainProperties + "DomainNameConfigurations", passPlan,
		(*builder).domainName},
	{typeV2Integration, Built, "ApiId ConnectionId ConnectionType ContentHandlingStrategy CredentialsArn " +
		"Description IntegrationMethod IntegrationSubtype IntegrationType IntegrationUri PassthroughBehavior " +
		"PayloadFormatVersion RequestParameters RequestTemplates ResponseParameters " +
		"TemplateSelectionExpression TimeoutInMillis TlsConfig", passPart,
		(*builder).v2Integration},
	{"AWS::ApiGatewayV2::IntegrationResponse", Built, "ApiId ContentHandlingStrategy IntegrationId " +
		"IntegrationResponseKey ResponseParameters ResponseTemplates TemplateSelectionExpression", passPart,
		(*builder).integrationResponse},
	{"AWS::ApiGatewayV2::Model", Built, "ApiId ContentType Description Name Schema", passPart, (*builder).v2Model},
	{"AWS::ApiGatewayV2::Portal*", Ignored, "", 0, nil},
	{"AWS::ApiGatewayV2::ProductPage", Ignored, "", 0, nil},
	{"AWS::ApiGatewayV2::ProductRestEndpointPage", Ignored, "", 0, nil},
	{typeV2Route, Built, "ApiId ApiKeyRequired AuthorizationScopes AuthorizationType AuthorizerId " +
		"ModelSelectionExpression OperationName RequestModels RequestParameters RouteKey " +
		"RouteResponseSelectionExpression Target", passRoute,
		(*builder).v2Route},
	{"AWS::ApiGatewayV2::RouteResponse", Followed, "ApiId ModelSelectionExpression ResponseModels " +
		"ResponseParameters RouteId RouteResponseKey", 0, nil},
	{"AWS::ApiGatewayV2::RoutingRule", Built, "Actions Conditions DomainNameArn Priority", passMapping,
		(*builder).routingRule},
	{typeV2Stage, Built, "AccessLogSettings AccessPolicyId ApiId AutoDeploy ClientCertificateId " +
		"DefaultRouteSettings DeploymentId Description RouteSettings StageName StageVariables " +
		"Tags", passStage, (*builder).v2Stage},
	{typeV2Link, Bound, "Name SecurityGroupIds SubnetIds Tags", 0, nil},

	{lambdaFunction, Bound, "", passAPI, (*builder).function},
	{lambdaAlias, Followed, "", passAPI, (*builder).alias},
	{lambdaVersion, Followed, "", passAPI, (*builder).version},
	{"AWS::Lambda::Permission", Ignored, "", 0, nil},
	{lambdaURL, Reported, "", passPart, (*builder).functionURL},
	{cognitoPool, Bound, "", passAPI, (*builder).bound},
	{"AWS::Cognito::UserPoolClient", Bound, "", 0, nil},
	{balancer, Bound, "", passAPI, (*builder).bound},
	{listener, Bound, "", passAPI, (*builder).bound},
	{cloudMapService, Bound, "", passAPI, (*builder).bound},
	{"AWS::ServiceDiscovery::Instance", Built, "InstanceAttributes InstanceId ServiceId", passPart,
		(*builder).instance},
	{certificate, Bound, "", 0, nil},
	{"AWS::IAM::Role", Bound, "", 0, nil},
	{"AWS::WAFv2::WebACL", Bound, "", 0, nil},
	{"AWS::WAFRegional::WebACL", Bound, "", 0, nil},
	{"AWS::WAFRegional::WebACLAssociation", Built, "ResourceArn WebACLId", passMapping, (*builder).association},
	{"AWS::WAFv2::WebACLAssociation", Built, "ResourceArn WebACLArn", passMapping, (*builder).association},
	{nestedStack, Followed, "", 0, nil},
	{customResource, Ignored, "", 0, nil},
	{"AWS::SSM::Parameter", Followed, "", 0, nil},
	{"AWS::Serverless::*", Reported, "", passPart, (*builder).notCovered},
	{"Custom::*", Ignored, "", 0, nil},
	{"*", Ignored, "", 0, nil},
}

// ruleOf is the rule of a type: the one that names it, or the longest that it begins with.
func ruleOf(kind string) *rule {
	var best *rule
	for _, r := range rules {
		if r.name == kind {
			return r
		}
		if begin, ok := strings.CutSuffix(r.name, "*"); ok && strings.HasPrefix(kind, begin) &&
			(best == nil || len(r.name) > len(best.name)) {
			best = r
		}
	}
	return best
}

// nested are the properties of some properties that are maps, or lists of maps.
var nested = map[string]string{
	"EndpointConfiguration":   "IpAddressType Types VpcEndpointIds",
	"MutualTlsAuthentication": "TruststoreUri TruststoreVersion",
	"MethodSettings": "CacheDataEncrypted CacheTtlInSeconds CachingEnabled DataTraceEnabled HttpMethod LoggingLevel " +
		"MetricsEnabled ResourcePath ThrottlingBurstLimit ThrottlingRateLimit",
	typeRestPlan + ".ApiStages":               "ApiId Stage Throttle",
	typeRestStage + ".CanarySetting":          "DeploymentId PercentTraffic StageVariableOverrides UseStageCache",
	typeRestStage + ".AccessLogSetting":       "DestinationArn Format",
	typeV2Stage + ".AccessLogSettings":        "DestinationArn Format",
	"AWS::ApiGateway::Method.MethodResponses": "ResponseModels ResponseParameters StatusCode",
	"AWS::ApiGateway::Method.Integration": "CacheKeyParameters CacheNamespace ConnectionId ConnectionType " +
		"ContentHandling Credentials IntegrationHttpMethod IntegrationResponses IntegrationTarget " +
		"PassthroughBehavior RequestParameters RequestTemplates ResponseTransferMode TimeoutInMillis Type Uri",
	"AWS::ApiGateway::UsagePlan.Quota":    "Limit Offset Period",
	"AWS::ApiGateway::UsagePlan.Throttle": "BurstLimit RateLimit",
	typeV2API + ".CorsConfiguration": "AllowCredentials AllowHeaders AllowMethods AllowOrigins " +
		"ExposeHeaders MaxAge",
	typeV2Authorizer + ".JwtConfiguration": "Audience Issuer",
	"AWS::ApiGateway::Deployment.StageDescription": settings + "CacheDataEncrypted CacheTtlInSeconds " +
		"CachingEnabled DataTraceEnabled LoggingLevel MetricsEnabled ThrottlingBurstLimit ThrottlingRateLimit",
	typeV2Overrides + ".Integration": "Description IntegrationMethod PayloadFormatVersion TimeoutInMillis",
	typeV2Overrides + ".Route":       "AuthorizationScopes AuthorizationType AuthorizerId OperationName Target",
	typeV2Overrides + ".Stage": "AccessLogSettings AutoDeploy DefaultRouteSettings Description RouteSettings " +
		"StageVariables",
	typeV2Stage + ".DefaultRouteSettings": "DataTraceEnabled DetailedMetricsEnabled LoggingLevel " +
		"ThrottlingBurstLimit ThrottlingRateLimit",
}
