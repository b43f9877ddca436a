package terraform

import "strings"

// kind is a type of Terraform's as the type of CloudFormation that it is.
type kind struct {
	name     string            // of CloudFormation's; empty: the resource is a part of another, or has no effect
	names    map[string]string // of properties, where they don't follow from the attribute's
	only     map[string]bool   // the attributes that are read; none: all
	required string            // the attribute without which something would be open
}

// kinds are the types that are read: each with CloudFormation's, attributes with another name
// there, with + those that are read alone, and with ! the one that can't be absent. (Terraform
// registry, hashicorp/aws, and the CloudFormation reference.)
var kinds = kindsOf(`
aws_api_gateway_rest_api AWS::ApiGateway::RestApi api_key_source=ApiKeySourceType put_rest_api_mode=Mode
aws_api_gateway_rest_api_policy; aws_api_gateway_integration - timeout_milliseconds=TimeoutInMillis
aws_api_gateway_integration_response; aws_api_gateway_method_response; aws_api_gateway_method_settings
aws_api_gateway_resource AWS::ApiGateway::Resource; aws_api_gateway_model AWS::ApiGateway::Model
aws_api_gateway_method AWS::ApiGateway::Method authorization=AuthorizationType !authorization
aws_api_gateway_stage AWS::ApiGateway::Stage canary_settings=CanarySetting access_log_settings=AccessLogSetting
aws_api_gateway_deployment AWS::ApiGateway::Deployment canary_settings=DeploymentCanarySettings
aws_api_gateway_authorizer AWS::ApiGateway::Authorizer provider_arns=ProviderARNs
aws_api_gateway_request_validator AWS::ApiGateway::RequestValidator
aws_api_gateway_gateway_response AWS::ApiGateway::GatewayResponse
aws_api_gateway_api_key AWS::ApiGateway::ApiKey; aws_api_gateway_usage_plan_key AWS::ApiGateway::UsagePlanKey
aws_api_gateway_usage_plan AWS::ApiGateway::UsagePlan name=UsagePlanName quota_settings=Quota throttle_settings=Throttle
aws_api_gateway_vpc_link AWS::ApiGateway::VpcLink; aws_api_gateway_domain_name AWS::ApiGateway::DomainName
aws_api_gateway_base_path_mapping AWS::ApiGateway::BasePathMapping api_id=RestApiId stage_name=Stage
aws_api_gateway_client_certificate AWS::ApiGateway::ClientCertificate; aws_api_gateway_account
aws_api_gateway_documentation_part; aws_api_gateway_documentation_version
aws_api_gateway_domain_name_access_association
aws_apigatewayv2_api AWS::ApiGatewayV2::Api; aws_apigatewayv2_model AWS::ApiGatewayV2::Model
aws_apigatewayv2_route AWS::ApiGatewayV2::Route request_parameter=RequestParameters !authorization_type
aws_apigatewayv2_integration AWS::ApiGatewayV2::Integration timeout_milliseconds=TimeoutInMillis
aws_apigatewayv2_integration_response AWS::ApiGatewayV2::IntegrationResponse
aws_apigatewayv2_route_response AWS::ApiGatewayV2::RouteResponse
aws_apigatewayv2_authorizer AWS::ApiGatewayV2::Authorizer identity_sources=IdentitySource
aws_apigatewayv2_stage AWS::ApiGatewayV2::Stage name=StageName; aws_apigatewayv2_vpc_link AWS::ApiGatewayV2::VpcLink
aws_apigatewayv2_deployment AWS::ApiGatewayV2::Deployment; aws_apigatewayv2_api_mapping AWS::ApiGatewayV2::ApiMapping
aws_apigatewayv2_domain_name AWS::ApiGatewayV2::DomainName domain_name_configuration=DomainNameConfigurations
aws_lambda_function AWS::Lambda::Function +function_name +handler +runtime +timeout
aws_lambda_alias AWS::Lambda::Alias +name +function_name; aws_iam_role AWS::IAM::Role +name name=RoleName
aws_cognito_user_pool AWS::Cognito::UserPool +none; aws_cognito_user_pool_client AWS::Cognito::UserPoolClient +none
aws_acm_certificate AWS::CertificateManager::Certificate +none; aws_wafv2_web_acl AWS::WAFv2::WebACL +name +scope
aws_lb AWS::ElasticLoadBalancingV2::LoadBalancer +name +load_balancer_type load_balancer_type=Type
aws_lb_listener AWS::ElasticLoadBalancingV2::Listener +port +protocol +load_balancer_arn
aws_service_discovery_service AWS::ServiceDiscovery::Service +name
aws_service_discovery_instance AWS::ServiceDiscovery::Instance attributes=InstanceAttributes
aws_wafv2_web_acl_association AWS::WAFv2::WebACLAssociation web_acl_arn=WebACLArn !web_acl_arn`)

func kindsOf(table string) map[string]*kind {
	all := map[string]*kind{}
	for entry := range strings.FieldsFuncSeq(table, func(c rune) bool { return c == '\n' || c == ';' }) {
		words := append(strings.Fields(entry), "-")
		k := &kind{name: strings.Trim(words[1], "-"), names: map[string]string{}, only: map[string]bool{}}
		for _, word := range words[1:] {
			if attribute, property, ok := strings.Cut(word, "="); ok {
				k.names[attribute] = property
			} else if word[0] == '!' {
				k.required = word[1:]
			} else if word[0] == '+' {
				k.only[word[1:]] = true
			}
		}
		all[words[0]] = k
	}
	return all
}

func set(words string) map[string]bool {
	all := map[string]bool{}
	for word := range strings.FieldsSeq(words) {
		all[word] = true
	}
	return all
}

// property is CloudFormation's name of an attribute, for what has no other.
func property(attribute string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(attribute, "_") {
		if word != "" {
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return b.String()
}

// idle are attributes that have no effect on answers, or say what the service has made.
var idle = set(`id arn tags tags_all region timeouts triggers created_date last_updated_date execution_arn invoke_url
	root_resource_id path cloudfront_domain_name cloudfront_zone_id regional_domain_name regional_zone_id
	certificate_name certificate_body certificate_chain certificate_private_key certificate_upload_date domain_name_id
	api_endpoint xray_tracing_enabled documentation_version web_acl_arn stage_description redeployment product_code
	ownership_verification_certificate_arn regional_certificate_name configuration_id identity_validation`)

// blocks are attributes that may be dynamic blocks, which a configuration doesn't show. Of those in
// many there may be several; those in keyed are maps by one of their attributes.
var (
	blocks = set(`settings throttle_settings quota_settings api_stages jwt_configuration default_route_settings
		route_settings mutual_tls_authentication domain_name_configuration request_parameter throttle`)
	many  = set("api_stages domain_name_configuration")
	keyed = map[string]string{"throttle": "path", "route_settings": "route_key",
		"request_parameter": "request_parameter_key", "response_parameters": "status_code"}
)

// leads says, of attributes that are known after apply, what they are where they come from a
// resource of a type: a form of [made]. From a resource of another type one is what the same
// attribute is there.
var leads = leadsOf(`
rest_api_id api_id: aws_api_gateway_rest_api=ref aws_apigatewayv2_api=ref
resource_id parent_id: aws_api_gateway_resource=ref aws_api_gateway_rest_api=RootResourceId
authorizer_id: aws_api_gateway_authorizer=ref aws_apigatewayv2_authorizer=ref
deployment_id: aws_api_gateway_deployment=ref aws_apigatewayv2_deployment=ref
connection_id: aws_api_gateway_vpc_link=ref aws_apigatewayv2_vpc_link=ref
request_validator_id: aws_api_gateway_request_validator=ref
integration_id: aws_apigatewayv2_integration=ref
usage_plan_id: aws_api_gateway_usage_plan=ref
key_id: aws_api_gateway_api_key=ref
client_certificate_id: aws_api_gateway_client_certificate=ref
service_id: aws_service_discovery_service=ref
target: aws_apigatewayv2_integration=target aws_lambda_function=Arn aws_lambda_alias=ref
uri authorizer_uri: aws_lambda_function=uri aws_lambda_alias=uri-of-ref
integration_uri: aws_lambda_function=Arn aws_lambda_alias=ref aws_lb_listener=ref aws_service_discovery_service=Arn
function_name: aws_lambda_function=ref
provider_arns: aws_cognito_user_pool=Arn
issuer: aws_cognito_user_pool=issuer
audience: aws_cognito_user_pool_client=ref
certificate_arn regional_certificate_arn: aws_acm_certificate=ref
target_arns load_balancer_arn: aws_lb=ref
resource_arn: aws_api_gateway_stage=stage aws_lb=ref aws_cognito_user_pool=Arn
web_acl_arn: aws_wafv2_web_acl=Arn
credentials credentials_arn authorizer_credentials authorizer_credentials_arn: aws_iam_role=Arn`)

func leadsOf(table string) map[string]map[string]string {
	all := map[string]map[string]string{}
	for line := range strings.Lines(table) {
		attributes, forms, _ := strings.Cut(line, ":")
		of := map[string]string{}
		for word := range strings.FieldsSeq(forms) {
			kind, form, _ := strings.Cut(word, "=")
			of[kind] = form
		}
		for attribute := range strings.FieldsSeq(attributes) {
			all[attribute] = of
		}
	}
	return all
}
