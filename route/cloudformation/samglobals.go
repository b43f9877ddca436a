package cloudformation

import (
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/internal/nearest"
)

// globalProperties are what a section of Globals may have.
var globalProperties = map[string][]string{
	"Api": {"Auth", "Name", "DefinitionUri", "CacheClusterEnabled", "CacheClusterSize", "MergeDefinitions",
		"Variables", "EndpointConfiguration", "MethodSettings", "BinaryMediaTypes", "MinimumCompressionSize", "Cors",
		"GatewayResponses", "AccessLogSetting", "CanarySetting", "TracingEnabled", "OpenApiVersion", "Domain",
		"AlwaysDeploy", "PropagateTags", "SecurityPolicy", "EndpointAccessMode"},
	"HttpApi": {"Auth", "AccessLogSettings", "StageVariables", "Tags", "CorsConfiguration", "DefaultRouteSettings",
		"Domain", "RouteSettings", "FailOnWarnings", "PropagateTags"},
	"WebSocketApi": {"AccessLogSettings", "ApiKeySelectionExpression", "DefaultRouteSettings",
		"DisableExecuteApiEndpoint", "DisableSchemaValidation", "Domain", "FailOnWarnings", "IpAddressType",
		"PropagateTags", "RouteSelectionExpression", "RouteSettings", "StageVariables", "Tags"},
	"Function": {"Handler", "Runtime", "CodeUri", "DeadLetterQueue", "Description", "MemorySize", "Timeout",
		"VpcConfig", "Environment", "Tags", "PropagateTags", "Tracing", "KmsKeyArn", "AutoPublishAlias",
		"AutoPublishAliasAllProperties", "Layers", "DeploymentPreference", "RolePath", "PermissionsBoundary",
		"ReservedConcurrentExecutions", "ProvisionedConcurrencyConfig", "AssumeRolePolicyDocument", "EventInvokeConfig",
		"FileSystemConfigs", "CodeSigningConfigArn", "Architectures", "SnapStart", "EphemeralStorage",
		"FunctionUrlConfig", "RuntimeManagementConfig", "LoggingConfig", "RecursiveLoop", "SourceKMSKeyArn",
		"TenancyConfig", "DurableConfig", "CapacityProviderConfig", "FunctionScalingConfig", "PublishToLatestPublished",
		"VersionDeletionPolicy"},
	"SimpleTable": {"SSESpecification"}, "StateMachine": {"PropagateTags"}, "LayerVersion": {"PublishLambdaVersion"},
	"CapacityProvider": {"VpcConfig", "OperatorRole", "Tags", "InstanceRequirements", "ScalingConfig", "KmsKeyArn",
		"PropagateTags"},
}

// parseGlobals reads the section Globals.
func (s *sam) parseGlobals() {
	all := s.root.Get("Globals")
	if all == nil {
		return
	}
	s.globals = map[string]*doctree.Node{}
	refuse := func(n *doctree.Node, format string, args ...any) {
		s.problems = append(s.problems, s.refuse(lineOf(n, all.Line), "Globals", format, args...))
	}
	if !isMap(all) {
		refuse(all, "want a map")
		return
	}
	for _, section := range all.Members {
		properties, known := globalProperties[section.Name]
		switch {
		case !known:
			refuse(section.Value, "%q isn't supported; want one of Api, Function, HttpApi, WebSocketApi, SimpleTable, "+
				"StateMachine, LayerVersion", section.Name)
			continue
		case !isMap(section.Value):
			refuse(section.Value, "%s: want a map", section.Name)
			continue
		}
		for name := range section.Value.Names() {
			if !slices.Contains(properties, name) {
				refuse(section.Value, "%q is not a supported property of %q%s", name, section.Name,
					nearest.Hint(name, slices.Values(properties)))
			}
		}
		s.globals[samPrefix+section.Name] = section.Value
	}
}

// mergeGlobals merges them into a resource, but for what its IgnoreGlobals names.
func (s *sam) mergeGlobals(r *samResource) error {
	globals := s.globals[r.typ]
	if globals == nil {
		return nil
	}
	ignored := said(r.node, "IgnoreGlobals")
	switch {
	case ignored == nil:
	case textOf(ignored) == "*":
		return nil
	case isList(ignored):
		kept := newMap(globals.Line, globals.Members...)
		kept.Members = slices.Clone(kept.Members)
		for _, name := range ignored.Items {
			if kept.Get(textOf(name)) == nil {
				return r.refuse(name, "IgnoreGlobals: %q isn't among the globals of %s", textOf(name), r.typ)
			}
			kept.Delete(textOf(name))
		}
		globals = kept
	default:
		return r.refuse(ignored, `IgnoreGlobals: want "*" or a list of properties`)
	}
	if own := r.props.Get("Auth"); own != nil && isNull(own) && truthy(globals.Get("Auth")) {
		return r.refuse(own, "Auth: there is nothing, in the place of the Auth of Globals; take it out, or write "+
			"IgnoreGlobals: [Auth]")
	}
	merged := s.merge(globals, r.props)
	r.node.Set("Properties", merged)
	return nil
}

// merge is what Globals and a resource say together: maps are merged, lists follow one another, and
// of all else, a function of the template language too, the resource's counts.
func (s *sam) merge(global, local *doctree.Node) *doctree.Node {
	switch {
	case isMap(global) && isMap(local) && !intrinsic(global) && !intrinsic(local):
		merged := newMap(local.Line)
		for _, m := range global.Members {
			if own := local.Get(m.Name); own != nil {
				merged.Set(m.Name, s.merge(m.Value, own))
			} else {
				merged.Set(m.Name, s.copy(m.Value))
			}
		}
		for _, m := range local.Members {
			if global.Get(m.Name) == nil {
				merged.Set(m.Name, m.Value)
			}
		}
		return merged
	case isList(global) && isList(local):
		return &doctree.Node{Kind: doctree.List, Line: local.Line, Items: append(s.copy(global).Items, local.Items...)}
	}
	return local
}

// fixOpenAPIVersion makes a body that SAM has made one of the version that the API wants. It stands
// here, and not where bodies are made, because the version may come from Globals.
func (s *sam) fixOpenAPIVersion(r *samResource) error {
	version := said(r.props, "OpenApiVersion")
	if version == nil || !s.managed[r.id] || !openAPI3.MatchString(strings.TrimSpace(version.Text)) {
		return nil
	}
	text := textNode(version.Line, version.Text)
	r.props.Set("OpenApiVersion", text)
	if body := r.body(false); body != nil {
		body.doc.Set("openapi", text)
		body.doc.Delete("swagger")
	}
	return nil
}
