package openapi

import (
	"cmp"

	"github.com/gatekit-go/gatekit/internal/arn"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/route/definition"
)

// Options say how a document is read or written. The zero value reads a document as a first import
// of the managed gateway does.
type Options struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Flavor is definition.FlavorREST or definition.FlavorHTTP. It isn't in a document: where it
	// is empty, [Read] takes HTTP for a document that has what HTTP APIs alone have (a JWT
	// authorizer, a payload format 2.0, x-amazon-apigateway-cors, $default …), else REST.
	Flavor string
	// ID is the API's ID in the definition. Empty: "api".
	ID string
	// APIID is the identifier that the managed gateway gave the API, which models have in their
	// references to each other. Empty: the ID takes its place there.
	APIID string
	// File is what findings call the document.
	File string
	// BasePath says what becomes of the document's base path: BasePathIgnore, also if empty,
	// BasePathPrepend or BasePathSplit.
	BasePath string
	// EndpointTypes are REGIONAL, EDGE or PRIVATE: the import's parameter
	// endpointConfigurationTypes. [Write] wants those of the API, as a document can't say them: who
	// repeats them knows that the import has to be given them.
	EndpointTypes []string
	// FailOnWarnings refuses a document for which the managed gateway's import has a warning.
	FailOnWarnings bool
	// Account and Region are the values of ${AWS::AccountId} and ${AWS::Region} in the document;
	// ${AWS::Partition} is the region's. Empty: 123456789012 and us-east-1.
	Account, Region string
	// Into is the API that the document is merged into (the import's mode "merge"): what the
	// document lacks stays, its methods and other parts win, binary media types are added. nil
	// reads the document alone (mode "overwrite"). Into isn't changed; the result shares parts
	// with it.
	Into *definition.API

	// Public makes [Write] describe the API for its callers: without extensions, with what they
	// need.
	Public bool
}

// What becomes of a document's base path, of 2.0 basePath, of 3.0 the variable basePath of a
// server, or a server's path. (Developer guide, "Set the OpenAPI basePath property".)
const (
	// BasePathIgnore leaves the paths as they are.
	BasePathIgnore = "ignore"
	// BasePathPrepend puts the base path in front of each path.
	BasePathPrepend = "prepend"
	// BasePathSplit does so, too, without the base path's first segment, which is meant for a
	// custom domain name's mapping.
	BasePathSplit = "split"
)

const (
	defaultID      = "api"
	defaultAccount = "123456789012"
	defaultRegion  = "us-east-1"
)

func (o *Options) check() error {
	m := mistakes.In("openapi: Options")
	switch o.Flavor {
	case "", definition.FlavorREST, definition.FlavorHTTP:
	default:
		m.Add("Flavor", "want REST or HTTP, or none, got %q: WebSocket APIs have no import", o.Flavor)
	}
	switch o.BasePath {
	case "", BasePathIgnore, BasePathPrepend, BasePathSplit:
	default:
		m.Add("BasePath", "want ignore, prepend or split, or none, got %q", o.BasePath)
	}
	if o.Into != nil && o.Flavor != "" && o.Into.Flavor != o.Flavor {
		m.Add("Into", "want an API of the flavor %s, got %s", o.Flavor, o.Into.Flavor)
	}
	return m.Err()
}

func (o *Options) id() string     { return cmp.Or(o.ID, defaultID) }
func (o *Options) region() string { return cmp.Or(o.Region, defaultRegion) }

// variables are those that the import fills in. (Developer guide, "AWS variables for OpenAPI
// import".)
func (o *Options) variables() []string {
	return []string{
		"${AWS::AccountId}", cmp.Or(o.Account, defaultAccount),
		"${AWS::Region}", o.region(),
		"${AWS::Partition}", arn.Partition(o.region()),
	}
}
