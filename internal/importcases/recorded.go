package main

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/route/definition"
	"github.com/gatekit-go/gatekit/route/openapi"
)

// recorded compares with what the managed gateway answered to GetMethod and its kind.
func (c *comparison) recorded(of *Case, methods map[string]any, doc *definition.Document) error {
	api := doc.APIs[0]
	uris, err := integrationURIs(doc)
	if err != nil {
		return err
	}
	c.names("methods", slices.Sorted(maps.Keys(methods)), slices.Sorted(maps.Keys(api.Routes)))
	for _, key := range slices.Sorted(maps.Keys(methods)) {
		if route := api.Routes[key]; route != nil {
			c.value(key, methods[key], generic(method(api, key, route, uris[key])))
		}
	}
	authorizers, _ := of.Expected["authorizers"].([]any)
	for _, element := range authorizers {
		if members, ok := element.(map[string]any); ok {
			delete(members, "authType") // free words, which have no effect, and a definition doesn't have
			if source, ok := members["identitySource"].(string); ok {
				members["identitySource"] = strings.ReplaceAll(source, ", ", ",")
			}
		}
	}
	c.list(of.Expected["authorizers"], "authorizers", authorizersOf(api))
	models := map[string]any{}
	for name, m := range api.Models {
		models[name] = map[string]any{"name": name, "contentType": cmp.Or(m.ContentType, "application/json"),
			"description": m.Description, "id": name, "schema": m.Schema}
	}
	c.list(of.Expected["models"], "models", models)
	validators := map[string]any{}
	for name, v := range api.Validators {
		validators[name] = map[string]any{"name": name, "id": validatorID(v), "validateRequestBody": v.Body,
			"validateRequestParameters": v.Parameters}
	}
	c.list(of.Expected["request_validators"], "request_validators", validators)
	if want, ok := of.Expected["api"].(map[string]any); ok {
		c.apiOf(of, want, doc)
	}
	return nil
}

// list compares a list of things that have names, in any order, with what there is by name.
func (c *comparison) list(want any, at string, got map[string]any) {
	elements, ok := want.([]any)
	if !ok {
		return
	}
	var names []string
	var made []map[string]any // which have names that the service made
	for _, element := range elements {
		members, _ := element.(map[string]any)
		name, _ := members["name"].(string)
		if placeholder.MatchString(name) {
			made = append(made, members)
			continue
		}
		names = append(names, name)
		if there, ok := got[name]; ok {
			c.value(at+"."+name, members, generic(there))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if len(made) > 0 && !slices.Contains(names, name) {
			names = append(names, name)
			c.value(at+"."+name, made[0], generic(got[name]))
			made = made[1:]
		}
	}
	c.names(at, names, slices.Sorted(maps.Keys(got)))
}

// integrationURIs reads them off the document that is written of the API, so that it is tried, too.
func integrationURIs(doc *definition.Document) (map[string]string, error) {
	text, err := openapi.Write(doc, "", openapi.Options{})
	if err != nil {
		return nil, err
	}
	const anyMethod = "x-amazon-apigateway-any-method"
	var written struct {
		Paths map[string]map[string]struct {
			Integration struct {
				URI string `json:"uri"`
			} `json:"x-amazon-apigateway-integration"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(text, &written); err != nil {
		return nil, err
	}
	all := map[string]string{}
	for path, item := range written.Paths {
		for name, operation := range item {
			method := strings.ToUpper(name)
			if name == anyMethod {
				method = "ANY"
			}
			all[method+" "+path] = operation.Integration.URI
		}
	}
	return all, nil
}

func validatorID(v *definition.Validator) string {
	if v == nil {
		return ""
	}
	return string(v.Origin.Path)
}

// method is a route as GetMethod shows it.
func method(api *definition.API, key string, r *definition.Route, uri string) map[string]any {
	m := map[string]any{"apiKeyRequired": r.APIKeyRequired, "authorizationType": r.Auth.Type,
		"authorizerId": r.Auth.Authorizer, "authorizationScopes": r.Auth.Scopes, "operationName": r.Operation,
		"requestModels": r.RequestModels, "requestParameters": r.RequestParameters,
		"requestValidatorId": validatorID(r.Validator)}
	responses := map[string]any{}
	for status, response := range r.MethodResponses {
		responses[status] = map[string]any{"statusCode": status, "responseParameters": response.Parameters,
			"responseModels": response.Models}
	}
	m["methodResponses"] = responses
	i := r.Integration
	if i == nil {
		return m
	}
	_, path, _ := strings.Cut(key, " ")
	answers := map[string]any{}
	for _, response := range i.Responses {
		answer := map[string]any{"statusCode": response.Status, "responseParameters": response.Parameters,
			"responseTemplates": response.Templates, "contentHandling": response.ContentHandling}
		if response.Pattern != "" {
			answer["selectionPattern"] = response.Pattern
		}
		answers[response.Status] = answer
	}
	connection, connectionID := "", ""
	if i.Connection != nil {
		connection, connectionID = i.Connection.Type, i.Connection.ID
	} else if strings.HasPrefix(i.Type, "HTTP") {
		connection = "INTERNET"
	}
	m["methodIntegration"] = map[string]any{"type": i.Type, "httpMethod": i.Method, "uri": uri,
		"credentials": i.Credentials, "connectionType": connection, "passthroughBehavior": i.Passthrough,
		"contentHandling": i.ContentHandling, "timeoutInMillis": cmp.Or(i.Timeout, 29000),
		"cacheNamespace": cmp.Or(i.CacheNamespace, "resource of "+path), "cacheKeyParameters": append([]string{},
			i.CacheKeys...),
		"responseTransferMode": cmp.Or(i.Transfer, "BUFFERED"), "tlsConfig": tlsOf(i), "connectionId": connectionID,
		"requestParameters": i.RequestParameters, "requestTemplates": i.RequestTemplates,
		"integrationResponses": answers}
	return m
}

func tlsOf(i *definition.Integration) map[string]bool {
	return map[string]bool{"insecureSkipVerification": i.TLS != nil && i.TLS.SkipVerification}
}

func authorizersOf(api *definition.API) map[string]any {
	all := map[string]any{}
	for name, a := range api.Authorizers {
		shown := map[string]any{"id": name, "name": name, "type": a.Type, "providerARNs": a.Providers,
			"identitySource": strings.Join(a.IdentitySource, ","), "authorizerCredentials": a.Credentials,
			"identityValidationExpression": a.IdentityValidation, "authorizerResultTtlInSeconds": 300}
		if a.TTL != nil {
			shown["authorizerResultTtlInSeconds"] = *a.TTL
		}
		if a.Target != nil {
			one := &definition.Document{APIs: []*definition.API{{ID: "a", Flavor: definition.FlavorREST}}}
			one.APIs[0].Routes = map[string]*definition.Route{"GET /": {
				Auth:        definition.Auth{Type: definition.AuthNone},
				Integration: &definition.Integration{Target: *a.Target}}}
			if uris, err := integrationURIs(one); err == nil {
				shown["authorizerUri"] = uris["GET /"]
			}
		}
		all[name] = shown
	}
	return all
}

// apiOf compares what GetRestApi shows, as far as a document says it.
func (c *comparison) apiOf(of *Case, want map[string]any, doc *definition.Document) {
	api := doc.APIs[0]
	got, _ := generic(map[string]any{"name": api.Name, "description": api.Description, "version": api.Version,
		"apiKeySource": cmp.Or(api.APIKeySource, "HEADER"), "binaryMediaTypes": api.BinaryMediaTypes,
		"minimumCompressionSize": api.MinimumCompressionSize, "policy": api.Policy,
		"disableExecuteApiEndpoint": api.DefaultEndpointDisabled}).(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(want)) {
		switch known := got[name]; {
		case name == "warnings":
			c.warned(texts(want[name].([]any)), api, warnings(doc))
		case name == "binaryMediaTypes" && of.Config.Mode == "merge":
			// What was there before stays, and isn't in the case.
			types, _ := known.([]any)
			for _, t := range texts(types) {
				if !slices.Contains(texts(want[name].([]any)), t) {
					c.differ("api.binaryMediaTypes", "got %q, which isn't expected", t)
				}
			}
		case known != nil:
			c.value("api."+name, want[name], known)
		}
	}
}

// warned compares warnings. An API shows those of its last import that had any: one about a
// resource that the document doesn't have is from an earlier document, and isn't judged.
func (c *comparison) warned(want []string, api *definition.API, got []string) {
	for _, warning := range want {
		_, rest, names := strings.Cut(warning, "of resource '")
		path, _, _ := strings.Cut(rest, "'")
		there := !names
		for key := range api.Routes {
			there = there || strings.HasSuffix(key, " "+path)
		}
		if there && !slices.Contains(got, warning) {
			c.differ("api.warnings", "want %q", warning)
		}
	}
}
