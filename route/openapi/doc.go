// Package openapi reads the OpenAPI documents that the managed gateway imports into a
// [definition.Document], and writes them.
//
//	doc, err := openapi.Read(text, openapi.Options{FailOnWarnings: true})
//
// It takes OpenAPI 2.0 and 3.0.x, in JSON or YAML, with the gateway's extensions
// (x-amazon-apigateway-…), and gives what an import makes of them: routes with authorizers, scopes
// and API keys, integrations, parameters, models, validators, gateway responses, CORS, the
// resource policy. Each element has its place in the document and its line. The import's errors
// and warnings come in its own words where those are known, so that they can be searched for;
// [Options].FailOnWarnings refuses warnings. What the gateway passes over in silence, and would
// surprise somebody, is reported as well: a security scheme that protects nothing, a misspelled
// extension, an operation of which no route is made.
//
// Of what people get wrong most: the document's security is that of every operation that has none
// of its own, OPTIONS included; a security scheme for X-Api-Key means an API key only if it has no
// authorizer; {name} at the end of a path is a required parameter of each of its methods; what an
// integration maps must be declared; a mapping that is no text is dropped, with a warning.
//
// [Write] is the way back: for the managed gateway, or, with Options.Public, for those who call the
// API.
//
// (Developer guide: "Import a REST API", "Using OpenAPI definitions for HTTP APIs", "OpenAPI
// extensions for API Gateway", "Errors and warnings from importing your API".)
//
// # Differences
//
// A name that is twice in one map is refused, where the managed gateway takes the last: one of
// them may be a route's security. So are OpenAPI 3.1, references that lead out of the document or
// nowhere, and a request validator that isn't defined.
//
// Names of models needn't be alphanumeric, a response may be a reference, and an integration may
// have several responses for one status: each is reported, as the managed gateway refuses the
// first, doesn't follow the second and keeps one of the third. Models that stand where they are
// used have names made of method and path; the gateway's own are random. A template that is a map
// instead of text is taken for its JSON.
//
// A request model that isn't there stays in its route, beside the gateway's warning: where the
// route validates bodies, definition.Build refuses it, and the gateway lets every body pass.
package openapi
