package websocket

import (
	"encoding/json"
	"math"
	"time"

	"github.com/gatekit-go/gatekit"
)

// expiryOf returns when the token that a caller was admitted by expires. An exp that is no time
// can't be: the authorizer has refused it.
func expiryOf(a *gatekit.Authorization) (time.Time, bool) {
	claim, _ := a.Claim("exp")
	n, ok := claim.(json.Number)
	if !ok {
		return time.Time{}, false
	}
	seconds, err := n.Float64()
	if err != nil || math.Abs(seconds) > 1e11 {
		return time.Time{}, false // beyond the year 5000
	}
	return time.UnixMilli(int64(seconds * 1000)), true
}
