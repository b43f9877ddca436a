package cloudformation

import (
	"net/url"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/internal/nearest"
)

// The kinds that properties of APIs may be of. A function of the template may stand for any.
const (
	anything = iota
	wantText
	wantMap
	wantList
	wantTextOrMap
	wantBool
	wantNumber
	wantPolicies // text, a map, or a list of them
)

var restProperties = map[string]int{"Name": wantTextOrMap, "StageName": wantTextOrMap, "Tags": wantMap,
	"PropagateTags": wantBool, "DefinitionBody": wantMap, "DefinitionUri": wantTextOrMap, "MergeDefinitions": wantBool,
	"CacheClusterEnabled": wantBool, "CacheClusterSize": wantText, "Variables": wantMap,
	"EndpointConfiguration": wantTextOrMap, "MethodSettings": wantList, "BinaryMediaTypes": wantList,
	"MinimumCompressionSize": wantNumber, "Cors": wantTextOrMap, "Auth": wantMap, "GatewayResponses": wantMap,
	"AccessLogSetting": wantMap, "CanarySetting": wantMap, "TracingEnabled": wantBool, "OpenApiVersion": wantText,
	"Models": wantMap, "Domain": wantMap, "FailOnWarnings": wantBool, "Description": wantText, "Mode": wantText,
	"DisableExecuteApiEndpoint": wantBool, "ApiKeySourceType": wantText, "AlwaysDeploy": wantBool, "Policy": anything,
	"SecurityPolicy": anything, "EndpointAccessMode": anything}

// checkProperties refuses names and kinds that the type doesn't have.
func (r *samResource) checkProperties(known map[string]int) error {
	for name, v := range eachMember(r.props) {
		want, ok := known[name]
		if !ok {
			return r.refuse(v, "%s isn't a property of %s%s", name, r.typ, nearest.Hint(name, keys(known)))
		}
		if isNull(v) || intrinsic(v) {
			continue
		}
		text, kind := "", v.Kind
		switch {
		case want == wantText && kind != doctree.Text:
			text = "text"
		case want == wantMap && kind != doctree.Map:
			text = "a map"
		case want == wantList && kind != doctree.List:
			text = "a list"
		case want == wantTextOrMap && kind != doctree.Text && kind != doctree.Map:
			text = "text or a map"
		case want == wantBool && kind != doctree.Bool:
			text = "true or false"
		case want == wantNumber && kind != doctree.Number:
			text = "a number"
		case want == wantPolicies && (kind == doctree.Bool || kind == doctree.Number):
			text = "names of policies, or documents"
		}
		if text != "" {
			return r.refuse(v, "%s: want %s, got %s", name, text, kind)
		}
	}
	return nil
}

func keys(m map[string]int) func(yield func(string) bool) {
	sorted := make([]string, 0, len(m))
	for name := range m {
		sorted = append(sorted, name)
	}
	slices.Sort(sorted)
	return slices.Values(sorted)
}

// restAPI makes the API with its deployment, stage, domain and plan, once its events have written
// their methods. CORS comes before authorization, which is why a preflight asks for the default
// authorizer unless the API says otherwise.
func (s *sam) restAPI(r *samResource) error {
	if err := r.checkProperties(restProperties); err != nil {
		return err
	}
	stageName := said(r.props, "StageName")
	switch {
	case stageName == nil:
		return r.refuse(r.props, "StageName is required")
	case isText(stageName) && stageName.Text == "":
		return r.refuse(stageName, "StageName cannot be empty")
	}
	auth, err := r.auth()
	if err != nil {
		return err
	}
	props := newMap(r.line)
	if err := r.restBody(props, auth, stageName); err != nil {
		return err
	}
	for _, name := range []string{"Name", "Description", "Mode", "FailOnWarnings", "ApiKeySourceType", "Policy",
		"MinimumCompressionSize", "SecurityPolicy", "EndpointAccessMode"} {
		if v := said(r.props, name); v != nil {
			props.Set(name, v)
		}
	}
	r.main("AWS::ApiGateway::RestApi", props)
	stage := r.restStage(stageName, props)
	if err := r.restDomain(); err != nil {
		return err
	}
	return r.usagePlan(auth, stage)
}

// restBody completes the body, or says where it is.
func (r *samResource) restBody(props, auth, stage *doctree.Node) error {
	types := r.s.resolve(said(r.props, "BinaryMediaTypes"))
	if types != nil {
		props.Set("BinaryMediaTypes", types)
	}
	if err := r.endpoint(props); err != nil {
		return err
	}
	if err := r.location(props); err != nil {
		return err
	}
	if version := said(r.props, "OpenApiVersion"); version != nil && !openAPI23.MatchString(version.Text) {
		return r.refuse(version, "OpenApiVersion: want a version such as 3.0.1")
	}
	if err := r.addCORS(); err != nil {
		return err
	}
	if err := r.addAuth(auth, stage); err != nil {
		return err
	}
	if err := r.addGatewayResponses(); err != nil {
		return err
	}
	r.addBinaryMediaTypes(types)
	if err := r.addModels(); err != nil {
		return err
	}
	disable := said(r.props, "DisableExecuteApiEndpoint")
	b := r.body(false)
	if b == nil {
		if disable != nil {
			return r.refuse(disable, "DisableExecuteApiEndpoint works with an inline DefinitionBody")
		}
		return nil
	}
	if disable != nil {
		if err := b.disableEndpoint(disable); err != nil {
			return err
		}
	}
	version := textOf(r.props.Get("OpenApiVersion"))
	if own := b.doc.Get("openapi"); version == "" && truthy(own) {
		version = own.Text
	}
	b.readAs30()
	return b.toOpenAPI3(version)
}

// location is where the API's document is: inline, in a bucket, or in a file beside the template,
// which the packaging would upload.
func (r *samResource) location(props *doctree.Node) error {
	body, uri := r.props.Get("DefinitionBody"), r.props.Get("DefinitionUri")
	if !truthy(uri) {
		if truthy(body) {
			props.Set("Body", body)
		}
		return nil
	}
	switch {
	case truthy(body):
		return r.refuse(uri, "want DefinitionUri or DefinitionBody, not both")
	case truthy(r.props.Get("MergeDefinitions")):
		return r.refuse(uri, "MergeDefinitions is for a DefinitionBody")
	case isMap(uri):
		if !truthy(uri.Get("Bucket")) || !truthy(uri.Get("Key")) {
			return r.refuse(uri, "DefinitionUri: want Bucket and Key")
		}
		props.Set("BodyS3Location", uri)
		return nil
	case !strings.Contains(uri.Text, "://"):
		props.Set("Body", mapNode(uri.Line, "Fn::Transform", newMap(uri.Line,
			member("Name", textNode(uri.Line, transformInclude)),
			member("Parameters", newMap(uri.Line, member("Location", uri))))))
		return nil
	}
	u, err := url.Parse(uri.Text)
	if err != nil || u.Scheme != "s3" || u.Host == "" || strings.Trim(u.Path, "/") == "" {
		return r.refuse(uri, "DefinitionUri: want s3://bucket/key or a file beside the template")
	}
	place := textsNode(uri.Line, "Bucket", u.Host, "Key", strings.TrimPrefix(u.Path, "/"))
	if version := u.Query().Get("versionId"); version != "" {
		place.Set("Version", textNode(uri.Line, version))
	}
	props.Set("BodyS3Location", place)
	return nil
}

// endpoint is the kind of the API's own endpoint.
func (r *samResource) endpoint(props *doctree.Node) error {
	given := said(r.props, "EndpointConfiguration")
	if !truthy(given) {
		return nil
	}
	typ := given
	configuration := newMap(given.Line)
	if isMap(given) && truthy(given.Get("Type")) {
		typ = given.Get("Type")
	}
	configuration.Set("Types", listNode(given.Line, typ))
	if isMap(given) && given.Get("VPCEndpointIds") != nil && given.Get("VpcEndpointIds") != nil {
		return r.refuse(given, "EndpointConfiguration: VPCEndpointIds and VpcEndpointIds are one, want one of them")
	}
	for from, to := range inPairs("VPCEndpointIds", "VpcEndpointIds", "VpcEndpointIds", "VpcEndpointIds",
		"IpAddressType", "IpAddressType") {
		if v := said(given, from); v != nil {
			configuration.Set(to, v)
		}
	}
	props.Set("EndpointConfiguration", configuration)
	props.Set("Parameters", newMap(given.Line, member("endpointConfigurationTypes", typ)))
	return nil
}

// restStage makes the deployment and the stage. Without OpenApiVersion the deployment makes a
// second one, named Stage, as every API of SAM had in the beginning.
func (r *samResource) restStage(name, api *doctree.Node) string {
	suffix := textOf(name) + "Stage"
	if !isAlphanumeric(textOf(name)) {
		suffix = "Stage"
		if isText(name) {
			suffix += hash(name)
		}
	}
	body := api.Get("Body")
	if body == nil {
		body = api.Get("BodyS3Location")
	}
	deployment := r.id + "Deployment" + hash(body)
	props := newMap(r.line, member("RestApiId", refNode(r.line, r.id)))
	if !truthy(r.props.Get("OpenApiVersion")) {
		props.Set("StageName", textNode(r.line, "Stage"))
	}
	r.derived(deployment, "AWS::ApiGateway::Deployment", props)
	stage := newMap(r.line, member("RestApiId", refNode(r.line, r.id)),
		member("DeploymentId", refNode(r.line, deployment)), member("StageName", name))
	for _, p := range []string{"CacheClusterEnabled", "CacheClusterSize", "Variables", "MethodSettings",
		"AccessLogSetting", "CanarySetting", "TracingEnabled"} {
		if v := said(r.props, p); v != nil {
			stage.Set(p, v)
		}
	}
	r.derived(r.id+suffix, "AWS::ApiGateway::Stage", stage)
	r.refer("Stage", r.id+suffix)
	r.refer("Deployment", deployment)
	return r.id + suffix
}

var authProperties = []string{"Authorizers", "DefaultAuthorizer", "InvokeRole", "AddDefaultAuthorizerToCorsPreflight",
	"AddApiKeyRequiredToCorsPreflight", "ApiKeyRequired", "ResourcePolicy", "UsagePlan"}

// addAuth writes the API's authorization into its body.
func (r *samResource) addAuth(auth, stage *doctree.Node) error {
	if !truthy(auth) {
		return nil
	}
	if err := r.known("Auth", auth, authProperties); err != nil {
		return err
	}
	b := r.body(false)
	if b == nil {
		return r.refuse(auth, "Auth works with an inline DefinitionBody that is an OpenAPI document")
	}
	if err := r.addAuthorizers(b, auth); err != nil {
		return err
	}
	if required := auth.Get("ApiKeyRequired"); truthy(required) {
		if err := b.define("api_key", apiKeyScheme(required.Line)); err != nil {
			return err
		}
		preflight := auth.Get("AddApiKeyRequiredToCorsPreflight")
		if err := b.defaultKey(required.Line, preflight == nil || truthy(preflight)); err != nil {
			return err
		}
	}
	policy := auth.Get("ResourcePolicy")
	if !truthy(policy) {
		return nil
	}
	if !isMap(policy) {
		return r.refuse(policy, "Auth.ResourcePolicy: want a map")
	}
	if err := r.s.checkGuards("Auth.ResourcePolicy", policy, policyMembers, r.refuse); err != nil {
		return err
	}
	if err := b.each(func(path string) error { return b.pathPolicy(policy, stage, path) }); err != nil {
		return err
	}
	return b.customStatements(policy)
}

// addAuthorizers defines the authorizers and applies the default one.
func (r *samResource) addAuthorizers(b *samBody, auth *doctree.Node) error {
	all, err := r.authorizers(auth)
	if err != nil {
		return err
	}
	byDefault := said(auth, "DefaultAuthorizer")
	if textOf(byDefault) == authIAM {
		if err := b.define(authIAM, iamScheme(byDefault.Line)); err != nil {
			return err
		}
	}
	var names []string
	var scopes *doctree.Node
	for _, a := range all {
		scheme, err := a.rest()
		if err != nil {
			return err
		}
		definitions, err := into(b.doc, "securityDefinitions")
		if err != nil {
			return b.refuse(b.doc, "%v", err)
		}
		definitions.Set(a.name, scheme)
		names = append(names, a.name)
		if a.name == textOf(byDefault) {
			scopes = said(a.def, "AuthorizationScopes")
		}
	}
	switch {
	case byDefault == nil:
		return nil
	case isText(byDefault) && byDefault.Text == "": // as of a parameter that isn't given
		return r.refuse(byDefault, "Auth.DefaultAuthorizer: want the name of an authorizer, got none")
	case !isText(byDefault):
		return r.refuse(byDefault, "Auth.DefaultAuthorizer: want text")
	case byDefault.Text != authIAM && !slices.Contains(names, byDefault.Text):
		return r.refuse(byDefault, "Auth.DefaultAuthorizer: Authorizers have no %q%s", byDefault.Text,
			nearest.Hint(byDefault.Text, slices.Values(names)))
	}
	preflight := auth.Get("AddDefaultAuthorizerToCorsPreflight")
	return b.defaultAuthorizer(byDefault, names, scopes, preflight == nil || truthy(preflight))
}
