package definition

import (
	"cmp"
	"crypto/sha256"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/arn"
)

// Where an API is that doesn't say so.
const (
	DefaultAccount = "123456789012"
	DefaultRegion  = "us-east-1"
)

// Identifier returns APIID, or what stands for it: 10 lower-case letters and digits made of ID, the
// same in every program.
func (a *API) Identifier() string {
	if a.APIID != "" {
		return a.APIID
	}
	const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
	sum := sha256.Sum256([]byte("api " + a.ID))
	id := make([]byte, 10)
	for i := range id {
		id[i] = alphabet[int(sum[i])%len(alphabet)]
	}
	return string(id)
}

// host returns the host name of the API's own.
func (a *API) host() string {
	region := cmp.Or(a.Region, DefaultRegion)
	suffix := ".amazonaws.com"
	if arn.Partition(region) == "aws-cn" {
		suffix += ".cn"
	}
	return strings.ToLower(a.Identifier()) + ".execute-api." + region + suffix
}

// flavors are a document's words for those of the module.
var flavors = map[string]gatekit.Flavor{
	FlavorREST: gatekit.REST, FlavorHTTP: gatekit.HTTP, FlavorWebSocket: gatekit.WebSocket,
}

// identity is what stations are told of the API.
func (a *API) identity() gatekit.API {
	return gatekit.API{
		Flavor: flavors[a.Flavor], AccountID: cmp.Or(a.Account, DefaultAccount),
		Region: cmp.Or(a.Region, DefaultRegion), APIID: a.Identifier(),
	}
}
