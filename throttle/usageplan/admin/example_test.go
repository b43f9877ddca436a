package admin_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/throttle/usageplan"
	"github.com/gatekit-go/gatekit/throttle/usageplan/admin"
)

// The handler asks nobody who they are, so it stands behind something that does.
func ExampleNew() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	plans := gatekit.Must(usageplan.NewRegistry(ctx, usageplan.RegistryConfig{Store: gatekit.Must(usageplan.NewMemory(0))}))
	gatekit.Must(plans.CreatePlan(ctx, usageplan.Plan{
		ID: "gold", Name: "gold", APIStages: []usageplan.APIStage{{APIID: "*", Stage: "*"}},
		Quota: &usageplan.Quota{Limit: 5, Period: usageplan.Day},
	}))
	onlyAdmins := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, password, _ := r.BasicAuth(); password != "secret" { // an authorizer, in earnest
				gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.Unauthorized})
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	control := gatekit.Must(admin.New(plans))
	h := http.StripPrefix("/admin", gatekit.Chain(control, onlyAdmins))

	r := httptest.NewRequest("GET", "/admin/usageplans/gold", nil)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Body)

	r.SetBasicAuth("", "secret")
	w = httptest.NewRecorder()
	h.ServeHTTP(w, r)
	fmt.Print(w.Code, " ", w.Body)
	// Output:
	// 401 {"message":"Unauthorized"}
	// 200 {"id":"gold","name":"gold","apiStages":[{"apiId":"*","stage":"*"}],"quota":{"limit":5,"period":"DAY"}}
}
