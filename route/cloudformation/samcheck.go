package cloudformation

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/internal/nearest"
	"github.com/gatekit-go/gatekit/route/definition"
)

// functionKinds are the properties of a function, and machineKinds those of a state machine.
var (
	functionKinds = map[string]int{"FunctionName": wantText, "Handler": anything, "Runtime": anything,
		"CodeUri": wantTextOrMap, "ImageUri": anything, "PackageType": anything, "InlineCode": anything,
		"DeadLetterQueue": wantMap, "Description": anything, "MemorySize": anything, "Timeout": anything,
		"VpcConfig": anything, "Role": wantText, "AssumeRolePolicyDocument": wantMap, "Policies": wantPolicies,
		"RolePath": anything, "PermissionsBoundary": wantText, "Environment": wantMap, "Events": wantMap,
		"Tags": wantMap, "PropagateTags": wantBool, "Tracing": wantTextOrMap,
		"KmsKeyArn": anything, "DeploymentPreference": wantMap,
		"ReservedConcurrentExecutions": anything, "Layers": wantList, "EventInvokeConfig": wantMap,
		"EphemeralStorage": anything, "AutoPublishAlias": wantText, "AutoPublishCodeSha256": wantText,
		"AutoPublishAliasAllProperties": wantBool, "VersionDescription": anything,
		"ProvisionedConcurrencyConfig": anything, "FileSystemConfigs": anything, "ImageConfig": anything,
		"CodeSigningConfigArn": anything, "Architectures": anything, "SnapStart": wantMap, "FunctionUrlConfig": wantMap,
		"RuntimeManagementConfig": anything, "LoggingConfig": anything, "RecursiveLoop": anything,
		"SourceKMSKeyArn": anything, "CapacityProviderConfig": wantMap, "FunctionScalingConfig": wantMap,
		"VersionDeletionPolicy": anything, "PublishToLatestPublished": anything, "TenancyConfig": anything,
		"DurableConfig": wantMap}
	machineKinds = map[string]int{"Definition": wantMap, "DefinitionUri": wantTextOrMap, "Logging": wantMap,
		"Role": wantText, "RolePath": anything, "DefinitionSubstitutions": wantMap, "Events": wantMap, "Name": wantText,
		"Type": wantText, "Tags": wantMap, "PropagateTags": wantBool, "Policies": wantPolicies, "Tracing": wantMap,
		"PermissionsBoundary": wantText, "AutoPublishAlias": anything, "DeploymentPreference": anything,
		"UseAliasAsEventTarget": wantBool}
)

// otherKinds are those of the types that have no part in an API.
var otherKinds = map[string]map[string]int{
	samPrefix + "SimpleTable": {"PointInTimeRecoverySpecification": anything, "PrimaryKey": wantMap,
		"ProvisionedThroughput": wantMap, "TableName": wantText, "Tags": wantMap, "SSESpecification": wantMap},
	samPrefix + "LayerVersion": {"LayerName": wantText, "Description": wantText, "PublishLambdaVersion": wantBool,
		"ContentUri": wantTextOrMap, "CompatibleArchitectures": wantList, "CompatibleRuntimes": wantList,
		"LicenseInfo": wantText, "RetentionPolicy": wantText},
	samConnector: {"Source": wantMap, "Destination": anything, "Permissions": wantList},
	samPrefix + "Application": {"Location": wantTextOrMap, "TemplateUrl": wantText, "Parameters": wantMap,
		"NotificationARNs": wantList, "Tags": wantMap, "TimeoutInMinutes": wantNumber},
}

// checkFunction refuses what the service does of a function, beside its events.
func (r *samResource) checkFunction() error {
	if err := r.checkProperties(functionKinds); err != nil {
		return err
	}
	if err := r.checkCode(); err != nil {
		return err
	}
	for _, name := range []string{"DeploymentPreference", "ProvisionedConcurrencyConfig", "VersionDeletionPolicy"} {
		if v := said(r.props, name); truthy(v) && !truthy(r.props.Get("AutoPublishAlias")) {
			return r.refuse(v, "%s is for functions with an AutoPublishAlias", name)
		}
	}
	if v := said(r.props, "FunctionScalingConfig"); truthy(v) && !truthy(r.props.Get("CapacityProviderConfig")) {
		return r.refuse(v, "FunctionScalingConfig is for functions with a CapacityProviderConfig")
	}
	if err := r.checkPolicies(); err != nil {
		return err
	}
	if queue := said(r.props, "DeadLetterQueue"); truthy(queue) && !intrinsic(queue) {
		if !truthy(queue.Get("Type")) || !truthy(queue.Get("TargetArn")) {
			return r.refuse(queue, "DeadLetterQueue: want Type and TargetArn")
		}
		if typ := queue.Get("Type"); !slices.Contains([]string{"SQS", "SNS"}, typ.Text) {
			return r.refuse(typ, "DeadLetterQueue.Type: want SQS or SNS, got %q", typ.Text)
		}
	}
	return r.checkURL()
}

// checkCode refuses a function without code, or with what its code's package can't have.
func (r *samResource) checkCode() error {
	given := func(name string) bool { return truthy(r.props.Get(name)) }
	typ := r.props.Get("PackageType")
	switch kind := textOf(typ); {
	case isNull(typ), kind == "Zip":
		uri := r.props.Get("CodeUri")
		switch {
		case said(r.props, "InlineCode") == nil && !given("CodeUri"):
			return r.refuse(uri, "want CodeUri or InlineCode")
		case isMap(uri) && !intrinsic(uri) && (!truthy(uri.Get("Bucket")) || !truthy(uri.Get("Key"))):
			return r.refuse(uri, "CodeUri: want Bucket and Key")
		case !given("Runtime") || !given("Handler"):
			return r.refuse(typ, "Runtime and Handler are required")
		case given("ImageConfig"):
			return r.refuse(r.props.Get("ImageConfig"), "ImageConfig is for functions of the PackageType Image")
		}
	case kind == "Image":
		if !given("ImageUri") {
			return r.refuse(typ, "ImageUri is required with the PackageType Image")
		}
		for _, name := range []string{"Runtime", "Handler", "Layers"} {
			if given(name) {
				return r.refuse(r.props.Get(name), "%s isn't for functions of the PackageType Image", name)
			}
		}
	default:
		return r.refuse(typ, "PackageType: want Zip or Image, got %q", kind)
	}
	return nil
}

// checkPolicies refuses what is neither a policy's name, nor a document, nor one of SAM's templates
// of policies, of which the names aren't known here.
func (r *samResource) checkPolicies() error {
	policies := said(r.props, "Policies")
	if !truthy(policies) || intrinsic(policies) {
		return nil
	}
	for i, one := range listOf(policies).Items {
		switch {
		case isText(one), isMap(one) && len(one.Members) == 1, isMap(one) && one.Get("Statement") != nil:
		default:
			return r.refuse(one, "Policies: want names, documents with a Statement, or templates of policies; "+
				"number %d is none", i+1)
		}
	}
	return nil
}

var urlCORS = []string{"AllowMethods", "AllowHeaders", "AllowOrigins", "MaxAge", "ExposeHeaders", "AllowCredentials"}

func (r *samResource) checkURL() error {
	config := said(r.props, "FunctionUrlConfig")
	if !truthy(config) || intrinsic(config) {
		return nil
	}
	if typ := config.Get("AuthType"); !intrinsic(typ) && !slices.Contains([]string{authIAM, authNone}, textOf(typ)) {
		return r.refuse(nodeOr(typ, config), "FunctionUrlConfig.AuthType: want AWS_IAM or NONE")
	}
	cors := said(config, "Cors")
	if cors == nil || intrinsic(cors) {
		return nil
	}
	if !isMap(cors) {
		return r.refuse(cors, "FunctionUrlConfig.Cors: want a map, got %s", cors.Kind)
	}
	return r.known("FunctionUrlConfig.Cors", cors, urlCORS)
}

// checkMachine refuses what the service does of a state machine, beside its events.
func (r *samResource) checkMachine() error {
	if err := r.checkProperties(machineKinds); err != nil {
		return err
	}
	inline, uri := r.props.Get("Definition"), r.props.Get("DefinitionUri")
	switch {
	case truthy(inline) == truthy(uri):
		return r.refuse(nodeOr(uri, inline), "want Definition or DefinitionUri, and not both")
	case isMap(uri) && !intrinsic(uri) && (!truthy(uri.Get("Bucket")) || !truthy(uri.Get("Key"))):
		return r.refuse(uri, "DefinitionUri: want Bucket and Key")
	case truthy(r.props.Get("Role")) && truthy(r.props.Get("Policies")):
		return r.refuse(r.props.Get("Role"), "want Role or Policies, and not both")
	}
	return nil
}

// checkOther refuses what the service does of a resource that has no part in an API.
func (r *samResource) checkOther() error {
	if kinds := otherKinds[r.typ]; kinds != nil {
		if err := r.checkProperties(kinds); err != nil {
			return err
		}
	}
	for typ, name := range inPairs("LayerVersion", "ContentUri", "Application", "Location", "Connector", "Source",
		"Connector", "Destination", "Connector", "Permissions") {
		if r.typ == samPrefix+typ && said(r.props, name) == nil {
			return r.refuse(r.props, "%s is required", name)
		}
	}
	if key := said(r.props, "PrimaryKey"); key != nil && !intrinsic(key) && said(key, "Type") == nil {
		return r.refuse(key, "PrimaryKey.Type is required")
	}
	return nil
}

// samTypes are all types of SAM that are known.
var samTypes = []string{samFunction, samStateMachine, samAPI, samHTTPAPI, samWebSocketAPI, samConnector,
	samPrefix + "SimpleTable", samPrefix + "LayerVersion", samPrefix + "Application", samPrefix + "GraphQLApi",
	samPrefix + "CapacityProvider"}

// checkResource refuses what no resource of SAM may be: of a type that is one of them misspelled,
// whose routes would be lost, or under a name that can't be part of others.
func (r *samResource) checkResource() error {
	if !slices.Contains(samTypes, r.typ) {
		for _, typ := range samTypes {
			if alike(r.typ, typ) {
				return r.refuse(r.node, "there is no type %s; the nearest is %q", r.typ, typ)
			}
		}
	}
	if !isAlphanumeric(r.id) {
		return r.refuse(r.node, "want a logical ID of letters and digits")
	}
	if c := r.node.Get("Condition"); !isNull(c) && !isText(c) {
		return r.refuse(c, "Condition: want the name of a condition, got %s", c.Kind)
	}
	if v := r.node.Get("Properties"); v != nil && !isMap(v) {
		return r.refuse(v, "Properties: want a map, got %s", v.Kind)
	}
	return nil
}

// checkGuards refuses members of what protects that are likely others misspelled, or are functions
// of the template that its translation can't see through: the service's translator passes over
// both, and opens what was to be protected. What else isn't known is reported.
func (s *sam) checkGuards(where string, n *doctree.Node, names []string,
	refuse func(at *doctree.Node, format string, args ...any) error) error {
	for name, v := range eachMember(n) {
		if slices.Contains(names, name) {
			continue
		}
		hint := nearest.Hint(name, slices.Values(names))
		lower := strings.ToLower(name)
		if intrinsic(n) || guards.MatchString(name) ||
			slices.ContainsFunc(names, func(known string) bool { return alike(lower, strings.ToLower(known)) }) {
			return refuse(nodeOr(v, n), "%s: %s isn't known%s", where, name, hint)
		}
		s.note(definition.Finding{Severity: definition.Warning, Do: "correct the name, or take it out",
			What:   fmt.Sprintf("%s has no member %.60q%s", where, name, hint),
			Origin: definition.Origin{Template: s.from.file, Line: lineOf(v, n.Line)}})
	}
	return nil
}

var guards = regexp.MustCompile(`(?i)auth|scope|key|polic|list|identity|tls|truststore`)

var (
	eventAuthProperties = []string{"Authorizer", "AuthorizationScopes", "ApiKeyRequired", "ResourcePolicy",
		"InvokeRole", "OverrideApiAuth"}
	authorizerProperties = []string{"UserPoolArn", "FunctionArn", "FunctionInvokeRole", "FunctionPayloadType",
		"Identity", "AuthorizationScopes", "DisableFunctionDefaultPermissions", "JwtConfiguration", "IdentitySource",
		"AuthorizerPayloadFormatVersion", "EnableSimpleResponses", "EnableFunctionDefaultPermissions",
		"OpenIdConnectUrl"}
	domainMembers = []string{"DomainName", "CertificateArn", "EndpointConfiguration", "BasePath", "NormalizeBasePath",
		"MutualTlsAuthentication", "SecurityPolicy", "OwnershipVerificationCertificateArn", "Route53", "Policy",
		"IpAddressType", "AccessAssociation", "EndpointAccessMode"}
	policyMembers = []string{"CustomStatements", "AwsAccountWhitelist", "AwsAccountBlacklist", "IpRangeWhitelist",
		"IpRangeBlacklist", "SourceVpcWhitelist", "SourceVpcBlacklist", "IntrinsicVpcWhitelist",
		"IntrinsicVpcBlacklist", "IntrinsicVpceWhitelist", "IntrinsicVpceBlacklist"}
)
