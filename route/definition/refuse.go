package definition

import (
	"errors"
	"net/http"

	"github.com/gatekit-go/gatekit"
)

// refuser answers every request with one refusal.
type refuser struct{ why *gatekit.Rejection }

func (h *refuser) ServeHTTP(w http.ResponseWriter, r *http.Request) { gatekit.Reject(w, r, h.why) }

// Station implements [gatekit.Station]: a chain ends here.
func (h *refuser) Station() (kind string, next http.Handler) { return "refused", nil }

func refuse(why *gatekit.Rejection) http.Handler { return &refuser{why} }

// refuseFor answers 500 for a part of the document that can't be served. The cause is for the log.
func refuseFor(cause error) http.Handler {
	return refuse(&gatekit.Rejection{Type: gatekit.APIConfigurationError, Cause: cause})
}

// asProblem makes a problem of a constructor's error, which names the field and the fix.
func asProblem(what string, err error) *problem {
	if err == nil {
		return nil
	}
	var p *problem
	if errors.As(err, &p) {
		return p
	}
	return unsupportedf(correctIt, "%s: %v", what, err)
}
