// Usageplans sells an API to third parties: two plans, three keys, what is left of the quota in
// every answer, and an administration behind a JWT authorizer.
//
//	go run ./examples/usageplans
//
// With -db the keys and what they have used are in a file, and are there again at the next start:
//
//	go run ./examples/usageplans -db keys.db
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/authtest"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/throttle/usageplan"
	"github.com/gatekit-go/gatekit/throttle/usageplan/admin"
	"github.com/gatekit-go/gatekit/throttle/usageplan/boltstore"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "address to listen on; port 0 takes a free one")
	db := flag.String("db", "", "file for keys and usage; empty keeps them in memory")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *addr, *db); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, addr, db string) error {
	store, done, err := open(ctx, db)
	if err != nil {
		return err
	}
	defer done()
	plans, err := usageplan.NewRegistry(ctx, usageplan.RegistryConfig{Store: store})
	if err != nil {
		return err
	}
	if err := fill(ctx, plans); err != nil {
		return err
	}
	admins, err := authtest.StartIssuer() // in place of your OpenID Connect provider
	if err != nil {
		return err
	}
	defer admins.Close()
	api, err := gateway(ctx, plans, admins.URL())
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: api, ReadHeaderTimeout: 5 * time.Second}
	printTry("http://"+listener.Addr().String(),
		admins.Mint(authtest.Claims{"aud": "admin", "sub": "root", "scope": "plans"}))
	go func() {
		<-ctx.Done()
		last, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = server.Shutdown(last)
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func open(ctx context.Context, db string) (store usageplan.Store, done func(), err error) {
	if db == "" {
		store, err = usageplan.NewMemory(0)
		return store, func() {}, err
	}
	file, err := boltstore.Open(context.WithoutCancel(ctx), db, boltstore.Config{}) // closed once the server has ended
	if err != nil {
		return nil, nil, err
	}
	return file, func() { _ = file.Close() }, nil
}

// fill makes the plans and keys, unless they are there from the last time.
func fill(ctx context.Context, plans *usageplan.Registry) error {
	stages := []usageplan.APIStage{{APIID: "a1b2c3d4e5", Stage: "prod"}}
	for _, p := range []usageplan.Plan{
		{ID: "free", Name: "Free", APIStages: stages, Throttle: &usageplan.Throttle{RateLimit: 1.0 / 60, BurstLimit: 2},
			Quota: &usageplan.Quota{Limit: 3, Period: usageplan.Day}},
		{ID: "gold", Name: "Gold", APIStages: stages, Throttle: &usageplan.Throttle{RateLimit: 100, BurstLimit: 200},
			Quota: &usageplan.Quota{Limit: 100_000, Period: usageplan.Month}},
	} {
		if _, err := plans.CreatePlan(ctx, p); err != nil && !errors.Is(err, usageplan.ErrConflict) {
			return err
		}
	}
	for _, k := range []struct {
		usageplan.NewKey
		plan string
	}{
		{usageplan.NewKey{ID: "ann", Name: "Ann's shop", Value: "ann-0123456789-0123456789", Enabled: true}, "free"},
		{usageplan.NewKey{ID: "bob", Name: "Bob's bank", Value: "bob-0123456789-0123456789", Enabled: true}, "gold"},
		// disabled
		{usageplan.NewKey{ID: "carl", Name: "Carl, who didn't pay", Value: "carl-0123456789-0123456789"}, "gold"},
	} {
		if _, _, err := plans.CreateKey(ctx, k.NewKey); err != nil {
			if errors.Is(err, usageplan.ErrConflict) {
				continue
			}
			return err
		}
		if err := plans.AddKey(ctx, k.plan, k.ID); err != nil {
			return err
		}
	}
	return nil
}

func gateway(ctx context.Context, plans *usageplan.Registry, issuer string) (http.Handler, error) {
	limit, err := usageplan.New(usageplan.Config{Registry: plans, Headers: true})
	if err != nil {
		return nil, err
	}
	admins, err := auth.NewJWT(ctx, auth.JWTConfig{Issuer: issuer, Audience: []string{"admin"}})
	if err != nil {
		return nil, err
	}
	api, err := route.New(route.Config{API: gatekit.API{Flavor: gatekit.REST, APIID: "a1b2c3d4e5", Stage: "prod"}})
	if err != nil {
		return nil, err
	}
	api.Use(gatekit.LogRefusals(nil)) // refusals, and why, on stderr
	api.Handle("GET /pets", http.HandlerFunc(listPets), limit.Middleware)
	control, err := admin.New(plans)
	if err != nil {
		return nil, err
	}
	api.Handle("ANY /admin/{proxy+}", http.StripPrefix("/admin", control), auth.Require(admins, "plans"))
	return api, nil
}

func listPets(w http.ResponseWriter, r *http.Request) {
	charge := usageplan.ChargeOf(r.Context())
	left, _ := charge.Remaining()
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"key":%q,"plan":%q,"left":%d}`, charge.KeyID(), charge.PlanID(), left)
}

// printTry prints commands for one shell, each with what it answers behind the #, to be run in this
// order, within a minute.
func printTry(url, token string) {
	today := time.Now().UTC()
	tomorrow := today.Truncate(24 * time.Hour).Add(24 * time.Hour)
	fmt.Printf("listening on %s\n\nAPI=%s\nADMIN='Authorization: Bearer %s'\n", url, url, token)
	fmt.Printf("ANN='X-Api-Key: ann-0123456789-0123456789'\nBOB='X-Api-Key: bob-0123456789-0123456789'\nCARL='X-Api-Key: carl-0123456789-0123456789'\n")
	fmt.Print(strings.NewReplacer("TODAY", today.Format(time.DateOnly), "TOMORROW", tomorrow.Format(time.RFC3339)).Replace(`
# a key of the free plan: three requests a day
curl -sw ' %{http_code}\n' -H "$ANN" $API/pets   # {"key":"ann","plan":"free","left":2} 200
# and two at once, which the headers say: see RateLimit, too
curl -so /dev/null -w '%header{ratelimit-policy}\n' -H "$ANN" $API/pets   # "throttle";q=2;w=120, "quota";q=3;w=86400
curl -sw ' %{http_code}\n' -H "$ANN" $API/pets   # {"message":"Too Many Requests"} 429
# a key of the gold plan
curl -sw ' %{http_code}\n' -H "$BOB" $API/pets   # {"key":"bob","plan":"gold","left":99999} 200
# a key that is disabled: the answer is that to no key at all
curl -sw ' %{http_code}\n' -H "$CARL" $API/pets   # {"message":"Forbidden"} 403
# the administration: what Ann has used today, and what is left
curl -s -H "$ADMIN" "$API/admin/usageplans/free/usage?startDate=TODAY&endDate=TODAY"   # {"usagePlanId":"free","startDate":"TODAY","endDate":"TODAY","position":null,"values":{"ann":[[2,1]]}}
# which can be extended
curl -s -H "$ADMIN" -X PATCH -d '[{"op":"replace","path":"/remaining","value":"50"}]' $API/admin/usageplans/free/keys/ann/usage   # {"remaining":50,"resets":"TOMORROW","used":2}
# without a token of the administrators' issuer
curl -sw ' %{http_code}\n' $API/admin/apikeys   # {"message":"Unauthorized"} 401
`))
}
