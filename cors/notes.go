package cors

import (
	"net/http"

	"github.com/gatekit-go/gatekit"
)

// rules name the part of the configuration that a step is about.
var rules = [...]string{
	failedOrigin: "AllowOrigins", failedMethod: "AllowMethods", failedHeaders: "AllowHeaders", allowed: "",
}

// note notes which step decided. Nothing is attached only to note it.
func note(r *http.Request, v gatekit.Verdict, step verdict, status int) {
	rc := gatekit.From(r.Context())
	if rc.Keeps(gatekit.KeepOutcomes) {
		rc.Note(gatekit.Note{
			Phase: gatekit.PhaseCORS, Verdict: v, Rule: rules[step], Reason: steps[step], Status: status,
		})
	}
}
