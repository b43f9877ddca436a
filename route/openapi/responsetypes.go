package openapi

import "github.com/gatekit-go/gatekit"

// responseTypes are the names of gateway responses.
var responseTypes = func() map[string]bool {
	all := map[string]bool{}
	for t := gatekit.AccessDenied; t <= gatekit.WAFFiltered; t++ {
		all[t.String()] = true
	}
	return all
}()
