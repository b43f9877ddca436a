package openapi

import (
	"strings"

	"github.com/gatekit-go/gatekit/route/definition"
)

// ReadTarget reads the URI of an integration as the import does: of the type that the integration
// has, in any case, and of an API of that flavor. private says that the integration has a VPC link.
// The functions of authorizers are targets of the type AWS_PROXY. The error says what the managed
// gateway says.
func ReadTarget(flavor, integrationType, uri string, private bool) (definition.Target, error) {
	rest := flavor != definition.FlavorHTTP
	kind := strings.ToUpper(integrationType)
	switch {
	case kind == "MOCK":
		return definition.Target{Kind: definition.KindMock}, nil
	case private && !rest:
		return privateTarget(uri)
	case strings.HasPrefix(kind, "HTTP"):
		return httpTarget(uri)
	}
	return awsTarget(uri, rest)
}
