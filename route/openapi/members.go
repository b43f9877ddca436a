package openapi

import (
	"maps"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/nearest"
	"github.com/gatekit-go/gatekit/route/definition"
)

// reach says for which flavor an extension has a meaning.
type reach uint8

const (
	forREST reach = 1 << iota
	forHTTP
	forBoth = forREST | forHTTP
)

// table is what a map may have. What isn't in it has no effect, and is reported with the severity:
// unsupported where the table's members decide who may call, or with what.
type table struct {
	what       string
	severity   definition.Severity
	members    map[string]bool
	extensions map[string]reach // without their prefix
	secured    bool             // security stands here, or somebody may think so
}

func words(text string) map[string]bool {
	all := map[string]bool{}
	for word := range strings.FieldsSeq(text) {
		all[word] = true
	}
	return all
}

// The members of both versions, as some documents of one have the other's.
var (
	rootMembers = table{what: "a document's root", severity: definition.Warning, secured: true,
		members: words(`swagger openapi info host basePath schemes servers consumes produces paths definitions
			parameters responses components securityDefinitions security tags externalDocs`),
		extensions: map[string]reach{
			"api-key-source": forREST, "binary-media-types": forREST, "cors": forHTTP, "documentation": forREST,
			"endpoint-access-mode": forREST, "endpoint-configuration": forBoth, "gateway-responses": forREST,
			"importexport-version": forHTTP, "minimum-compression-size": forREST, "policy": forREST,
			"request-validator": forREST, "request-validators": forREST, "security-policy": forREST,
		}}
	pathExtensions   = map[string]reach{"any-method": forBoth}
	operationMembers = table{what: "an operation", severity: definition.Warning, secured: true,
		members: words(`tags summary description externalDocs operationId consumes produces parameters requestBody
			responses callbacks schemes deprecated security servers isDefaultRoute`),
		extensions: map[string]reach{"auth": forBoth, "integration": forBoth, "request-validator": forREST}}
	schemeMembers = table{what: "a security scheme", severity: definition.Unsupported,
		members: words(`type description name in flow authorizationUrl tokenUrl scopes scheme bearerFormat flows
			openIdConnectUrl`),
		extensions: map[string]reach{"authorizer": forBoth, "authtype": forBoth}}
	authorizerMembers = table{what: "an authorizer", severity: definition.Unsupported,
		members: words(`type authorizerUri authorizerCredentials authorizerResultTtlInSeconds identitySource
			identityValidationExpression providerARNs jwtConfiguration authorizerPayloadFormatVersion
			enableSimpleResponses`)}
	jwtMembers = table{what: "a jwtConfiguration", severity: definition.Unsupported,
		members: words("issuer audience")}
	validatorMembers = table{what: "a request validator", severity: definition.Unsupported,
		members: words("validateRequestBody validateRequestParameters")}
	endpointMembers = table{what: "an endpoint configuration", severity: definition.Unsupported,
		members: words("disableExecuteApiEndpoint vpcEndpointIds")}
	corsMembers = table{what: "a CORS configuration", severity: definition.Warning,
		members: words("allowOrigins allowMethods allowHeaders exposeHeaders maxAge allowCredentials")}
)

// known reports the members of a map that nothing reads: a misspelled one would leave a route
// without what it was to have. Where it was to be security, it is an error.
func (r *reader) known(v value, t *table, route string) {
	for name, member := range v.members() {
		switch {
		case t.members[name]:
		case ofTheGateway(name):
			r.extension(member, name, route, t.extensions)
		case strings.HasPrefix(name, "x-"): // anybody's
		case t.secured && meansSecurity(name):
			r.misspelledSecurity(member, name)
		default:
			r.note(t.severity, member, route, "", "%.100q is no part of %s, and has no effect%s", name, t.what,
				hint(r, name, t.members))
		}
	}
}

// meansSecurity reports whether a name that isn't "security" was likely meant to be.
func meansSecurity(name string) bool { return nearest.Distance(strings.ToLower(name), "security") <= 3 }

func (r *reader) misspelledSecurity(v value, name string) {
	r.fail(v, "Parse issue: attribute %.100q is unexpected: write security, at an operation or the document's root",
		name)
}

// ofTheGateway reports whether a name begins with the prefix of the gateway's extensions, or nearly
// so.
func ofTheGateway(name string) bool {
	return len(name) >= len(prefix) && nearest.Distance(strings.ToLower(name[:len(prefix)]), prefix) <= 2
}

// extension reports one that nothing reads. One that is nearly another's name would leave the route
// without that.
func (r *reader) extension(v value, name, route string, known map[string]reach) {
	short, exact := strings.CutPrefix(name, prefix)
	flavors, ok := known[short]
	switch {
	case !exact || !ok:
		if !exact {
			short = strings.ToLower(name)
		}
		severity := definition.Warning
		if r.hints >= maxHints || nearly(short, known) {
			severity = definition.Unsupported
		}
		r.note(severity, v, route, "", "there is no extension %.100q here, and it has no effect%s", name,
			hint(r, short, known))
	case r.rest && flavors&forREST == 0, !r.rest && flavors&forHTTP == 0:
		r.note(definition.Warning, v, route, "", "%s has no effect on %s APIs", name, r.o.Flavor)
	}
}

// nearly reports whether a name, with its prefix or without, is nearly a known one.
func nearly(name string, known map[string]reach) bool {
	for other := range known {
		if nearest.Distance(name, other) <= 2 || nearest.Distance(name, prefix+other) <= 4 {
			return true
		}
	}
	return false
}

// maxHints bounds what a document of nothing but unknown names costs.
const maxHints = 100

// hint names the nearest of what is known, for the first unknown names of a document.
func hint[T any](r *reader, name string, known map[string]T) string {
	if r.hints++; r.hints > maxHints {
		return ""
	}
	return nearest.Hint(name, slices.Values(slices.Sorted(maps.Keys(known))))
}
