package cloudformation

// shape is what Ref and Fn::GetAtt give of resources of a type. In a pattern {P}, {R}, {A} and
// {U} are partition, region, account and URL suffix; {name} the resource's name, given or made
// up; {lower} the same in lower case; {ref} what Ref gives; {=Property} a property; and {id:6},
// {hex:16} or {alnum:9} so many characters of the kind, made up of the stack and the logical ID,
// the same for one word behind another colon ("{id:10:root}").
type shape struct {
	// name is the property with the resource's name.
	name string
	// ref is the pattern of Ref. Empty: {name}.
	ref string
	// attributes are patterns by name.
	attributes map[string]string
}

// shapes are the types whose values have a form that templates take apart or put together. (The
// "Return values" of each type in the CloudFormation reference.)
var shapes = map[string]shape{
	"AWS::ApiGateway::RestApi": {ref: "{id:10}", attributes: map[string]string{
		"RootResourceId": "{id:10:root}", "RestApiId": "{ref}"}},
	"AWS::ApiGateway::Resource":          identified("6", "ResourceId"),
	"AWS::ApiGateway::Authorizer":        identified("6", "AuthorizerId"),
	"AWS::ApiGateway::Deployment":        identified("6", "DeploymentId"),
	"AWS::ApiGateway::RequestValidator":  identified("6", "RequestValidatorId"),
	"AWS::ApiGateway::UsagePlan":         identified("6", "Id"),
	"AWS::ApiGateway::VpcLink":           identified("6", "VpcLinkId"),
	"AWS::ApiGateway::ApiKey":            identified("10", "APIKeyId"),
	"AWS::ApiGateway::UsagePlanKey":      identified("10", "Id"),
	"AWS::ApiGateway::GatewayResponse":   identified("10", "Id"),
	"AWS::ApiGateway::DocumentationPart": identified("6", "DocumentationPartId"),
	"AWS::ApiGateway::ClientCertificate": identified("6", "ClientCertificateId"),
	"AWS::ApiGateway::Account":           identified("10", "Id"),
	"AWS::ApiGateway::Method":            identified("10", "Id"),
	"AWS::ApiGateway::BasePathMapping":   identified("10", "Id"),
	typeRestModel:                        {name: "Name"},
	"AWS::ApiGateway::Stage":             {name: "StageName"},
	"AWS::ApiGateway::DomainName":        domainShape,
	"AWS::ApiGatewayV2::DomainName":      domainShape,
	"AWS::ApiGateway::DomainNameV2":      privateDomainShape,
	"AWS::ApiGateway::BasePathMappingV2": {ref: "arn:{P}:apigateway:{R}:{A}:/basepathmappings/{id:10}"},
	"AWS::ApiGateway::DomainNameAccessAssociation": {
		ref: "arn:{P}:apigateway:{R}:{A}:/domainnameaccessassociations/{id:10}"},

	"AWS::ApiGatewayV2::Api": {ref: "{id:10}", attributes: map[string]string{
		"ApiId": "{ref}", "ApiEndpoint": "https://{ref}.execute-api.{R}.{U}",
		"ExecuteApiArn": "arn:{P}:execute-api:{R}:{A}:{ref}"}},
	"AWS::ApiGatewayV2::Integration":         identified("7", "IntegrationId"),
	"AWS::ApiGatewayV2::Route":               identified("7", "RouteId"),
	"AWS::ApiGatewayV2::Authorizer":          identified("6", "AuthorizerId"),
	"AWS::ApiGatewayV2::Deployment":          identified("6", "DeploymentId"),
	"AWS::ApiGatewayV2::ApiMapping":          identified("6", "ApiMappingId"),
	"AWS::ApiGatewayV2::VpcLink":             identified("6", "VpcLinkId"),
	"AWS::ApiGatewayV2::Model":               identified("6", "ModelId"),
	"AWS::ApiGatewayV2::RouteResponse":       identified("7", "RouteResponseId"),
	"AWS::ApiGatewayV2::IntegrationResponse": identified("7", "IntegrationResponseId"),
	"AWS::ApiGatewayV2::Stage":               {name: "StageName"},
	"AWS::ApiGatewayV2::RoutingRule": {ref: "arn:{P}:apigateway:{R}:{A}:/domainnames/x/routingrules/{id:10}",
		attributes: map[string]string{"RoutingRuleArn": "{ref}", "RoutingRuleId": "{id:10}"}},

	lambdaFunction: {name: "FunctionName", attributes: map[string]string{
		"Arn": "arn:{P}:lambda:{R}:{A}:function:{name}"}},
	lambdaURL: {ref: "{=TargetFunctionArn}", attributes: map[string]string{
		"FunctionUrl": "https://{id:32}.lambda-url.{R}.on.aws/", "FunctionArn": "{=TargetFunctionArn}"}},
	"AWS::Lambda::LayerVersion": {ref: "arn:{P}:lambda:{R}:{A}:layer:{name}:1", name: "LayerName"},

	cognitoPool: {ref: "{R}_{alnum:9}", attributes: map[string]string{
		"Arn":          "arn:{P}:cognito-idp:{R}:{A}:userpool/{ref}",
		"ProviderName": "cognito-idp.{R}.{U}/{ref}", "ProviderURL": "https://cognito-idp.{R}.{U}/{ref}",
		"UserPoolId": "{ref}"}},
	"AWS::Cognito::UserPoolClient": {ref: "{id:26}", attributes: map[string]string{
		"ClientId": "{ref}", "Name": "{=ClientName}", "ClientSecret": "?"}},
	"AWS::Cognito::UserPoolDomain":         {name: "Domain"},
	"AWS::Cognito::UserPoolResourceServer": {name: "Identifier"},
	"AWS::Cognito::IdentityPool":           {ref: "{R}:{uuid}", attributes: map[string]string{"Name": "{name}"}},

	balancer: {name: "Name", ref: "arn:{P}:elasticloadbalancing:{R}:{A}:loadbalancer/{kind}/{name}/{hex:16}",
		attributes: map[string]string{"LoadBalancerArn": "{ref}", "LoadBalancerName": "{name}",
			"LoadBalancerFullName": "{kind}/{name}/{hex:16}", "DNSName": "{name}-{hex:16}.elb.{R}.{U}",
			"CanonicalHostedZoneID": "Z{alnum:13}"}},
	listener: {ref: "{listener}/{hex:16}", attributes: map[string]string{"ListenerArn": "{ref}"}},
	targetGroup: {name: "Name", ref: "arn:{P}:elasticloadbalancing:{R}:{A}:targetgroup/{name}/{hex:16}",
		attributes: map[string]string{"TargetGroupArn": "{ref}", "TargetGroupName": "{name}",
			"TargetGroupFullName": "targetgroup/{name}/{hex:16}"}},
	cloudMapService: {name: "Name", ref: "srv-{id:17}", attributes: map[string]string{"Id": "{ref}", "Name": "{name}",
		"Arn": "arn:{P}:servicediscovery:{R}:{A}:service/{ref}"}},
	"AWS::ServiceDiscovery::PrivateDnsNamespace": namespaceShape,
	"AWS::ServiceDiscovery::PublicDnsNamespace":  namespaceShape,
	"AWS::ServiceDiscovery::HttpNamespace":       namespaceShape,

	certificate: {ref: "arn:{P}:acm:{R}:{A}:certificate/{uuid}"},
	"AWS::SNS::Topic": {name: "TopicName", ref: "arn:{P}:sns:{R}:{A}:{name}",
		attributes: map[string]string{"TopicArn": "{ref}", "TopicName": "{name}"}},
	"AWS::StepFunctions::StateMachine": {name: "StateMachineName", ref: "arn:{P}:states:{R}:{A}:stateMachine:{name}",
		attributes: map[string]string{"Arn": "{ref}", "Name": "{name}"}},
	"AWS::SQS::Queue": {name: "QueueName", ref: "https://sqs.{R}.{U}/{A}/{name}", attributes: map[string]string{
		"Arn": "arn:{P}:sqs:{R}:{A}:{name}", "QueueName": "{name}", "QueueUrl": "{ref}"}},
	"AWS::S3::Bucket": {name: "BucketName", ref: "{lower}", attributes: map[string]string{
		"Arn": "arn:{P}:s3:::{lower}", "DomainName": "{lower}.s3.{U}",
		"RegionalDomainName": "{lower}.s3.{R}.{U}", "DualStackDomainName": "{lower}.s3.dualstack.{R}.{U}",
		"WebsiteURL": "http://{lower}.s3-website-{R}.{U}"}},
	"AWS::DynamoDB::Table": {name: "TableName", attributes: map[string]string{
		"Arn":       "arn:{P}:dynamodb:{R}:{A}:table/{name}",
		"StreamArn": "arn:{P}:dynamodb:{R}:{A}:table/{name}/stream/2020-01-01T00:00:00.000"}},
	"AWS::Kinesis::Stream": {name: "Name", attributes: map[string]string{
		"Arn": "arn:{P}:kinesis:{R}:{A}:stream/{name}"}},
	"AWS::KinesisFirehose::DeliveryStream": {name: "DeliveryStreamName", attributes: map[string]string{
		"Arn": "arn:{P}:firehose:{R}:{A}:deliverystream/{name}"}},
	"AWS::Logs::LogGroup": {name: "LogGroupName", attributes: map[string]string{
		"Arn": "arn:{P}:logs:{R}:{A}:log-group:{name}:*"}},
	"AWS::Events::EventBus": {name: "Name", attributes: map[string]string{
		"Arn": "arn:{P}:events:{R}:{A}:event-bus/{name}", "Name": "{name}"}},
	"AWS::IAM::Role": {name: "RoleName", attributes: map[string]string{
		"Arn": "arn:{P}:iam::{A}:role/{name}", "RoleId": "AROA{alnum:17}"}},
	"AWS::IAM::ManagedPolicy": {ref: "arn:{P}:iam::{A}:policy/{name}", name: "ManagedPolicyName"},
	"AWS::KMS::Key": {ref: "{uuid}", attributes: map[string]string{
		"Arn": "arn:{P}:kms:{R}:{A}:key/{ref}", "KeyId": "{ref}"}},
	"AWS::SecretsManager::Secret": {name: "Name", ref: "arn:{P}:secretsmanager:{R}:{A}:secret:{name}-{alnum:6}",
		attributes: map[string]string{"Id": "{ref}"}},
	"AWS::SSM::Parameter": {name: "Name", attributes: map[string]string{"Value": "{=Value}", "Type": "{=Type}"}},
	"AWS::WAFv2::WebACL": {name: "Name", ref: "{name}|{uuid}|{=Scope}", attributes: map[string]string{
		"Arn": "arn:{P}:wafv2:{R}:{A}:{scope}/webacl/{name}/{uuid}", "Id": "{uuid}"}},
	"AWS::CloudFront::Distribution": {ref: "E{alnum:13}", attributes: map[string]string{
		"Id": "{ref}", "DomainName": "d{id:13}.cloudfront.net"}},
	"AWS::EC2::VPCEndpoint": {ref: "vpce-{hex:17}", attributes: map[string]string{"Id": "{ref}"}},
	"AWS::EC2::VPC": {ref: "vpc-{hex:17}", attributes: map[string]string{
		"VpcId": "{ref}", "CidrBlock": "{=CidrBlock}"}},
	"AWS::EC2::Subnet": {ref: "subnet-{hex:17}", attributes: map[string]string{"SubnetId": "{ref}"}},
	"AWS::EC2::SecurityGroup": {ref: "sg-{hex:17}", attributes: map[string]string{
		"GroupId": "{ref}"}},
}

// The types that have rules of their own elsewhere.
const (
	lambdaFunction  = "AWS::Lambda::Function"
	lambdaVersion   = "AWS::Lambda::Version"
	lambdaAlias     = "AWS::Lambda::Alias"
	lambdaURL       = "AWS::Lambda::Url"
	nestedStack     = "AWS::CloudFormation::Stack"
	customResource  = "AWS::CloudFormation::CustomResource"
	cognitoPool     = "AWS::Cognito::UserPool"
	balancer        = "AWS::ElasticLoadBalancingV2::LoadBalancer"
	listener        = "AWS::ElasticLoadBalancingV2::Listener"
	targetGroup     = "AWS::ElasticLoadBalancingV2::TargetGroup"
	cloudMapService = "AWS::ServiceDiscovery::Service"
	certificate     = "AWS::CertificateManager::Certificate"
)

// identified is a type whose Ref is an ID of so many characters, which an attribute gives as well.
func identified(length, attribute string) shape {
	return shape{ref: "{id:" + length + "}", attributes: map[string]string{attribute: "{ref}"}}
}

var (
	domainShape = shape{name: "DomainName", attributes: map[string]string{
		"RegionalDomainName": "d-{id:10}.execute-api.{R}.{U}", "RegionalHostedZoneId": "Z{alnum:13}",
		"DistributionDomainName": "d{id:13}.cloudfront.net", "DistributionHostedZoneId": "Z2FDTNDATAQYW2",
		"DomainNameArn": "arn:{P}:apigateway:{R}::/domainnames/{name}"}}
	privateDomainShape = shape{name: "DomainName", ref: "arn:{P}:apigateway:{R}:{A}:/domainnames/{name}+{id:10}",
		attributes: map[string]string{"DomainNameArn": "{ref}", "DomainNameId": "{id:10}"}}
	namespaceShape = shape{name: "Name", ref: "ns-{id:16}", attributes: map[string]string{"Id": "{ref}",
		"Arn": "arn:{P}:servicediscovery:{R}:{A}:namespace/{ref}", "HostedZoneId": "Z{alnum:13}"}}
)
