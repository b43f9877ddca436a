package bench

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/go-chi/httprate"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/domain"
	"github.com/gatekit-go/gatekit/internal/bench/stacks"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/throttle"
	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

// maxRefusalAllocs is the budget of a refusal: what an attack makes a gateway do must cost less than what it protects.
const maxRefusalAllocs = 4

// refusal is a handler that refuses a request.
type refusal struct {
	h      http.Handler
	r      *http.Request
	status int
}

// refusals are one for each status that the gateway itself answers with, and the peers'.
func refusals(tb testing.TB) map[string]refusal {
	empty := gatekit.Must(throttle.New(throttle.Limit{Rate: 1e-6, Burst: 1})) // once it has given its token
	newResponse().serve(empty.Middleware(nothing), request("GET", "/"))
	keyed := gatekit.Must(throttle.NewPerKey(throttle.Limit{Rate: 0.02, Burst: 1}, throttle.KeyConfig{Key: throttle.ByIP})).Middleware(nothing)
	newResponse().serve(keyed, request("GET", "/"))
	//lint:ignore SA1019 by the peer's address, as the limit beside it
	rate := httprate.LimitBy(1, time.Hour, httprate.KeyByIP)(nothing)
	newResponse().serve(rate, request("GET", "/"))

	issued := issued()
	jwt := must[*auth.JWT](tb)(auth.NewJWT(tb.Context(), auth.JWTConfig{Issuer: stacks.Issuer, Audience: []string{stacks.Audience}, JWKS: issued.JWKS}))
	tb.Cleanup(func() { _ = jwt.Close() })
	token := "Bearer " + issued.Token
	scoped := auth.Require(jwt, "nobody:has")(nothing)
	newResponse().serve(scoped, request("GET", "/", "Authorization", token))

	api, rest := must[*route.API](tb)(route.New(route.Config{})), must[*route.API](tb)(route.New(route.Config{API: gatekit.API{Flavor: gatekit.REST}}))
	api.Handle("GET /orders", nothing)
	rest.Handle("GET /orders", nothing)
	httpStages := must[*route.Stages](tb)(route.NewStages(route.Stage{Name: "prod", API: api}))
	restStages := must[*route.Stages](tb)(route.NewStages(route.Stage{Name: "prod", API: rest}))
	chiRouter := chi.NewRouter()
	chiRouter.Method("GET", "/orders", nothing)

	limits := gatekit.Limits{HeaderBytes: 1 << 10, URLBytes: 1 << 10, PayloadBytes: 1 << 10}.Middleware(nothing)
	large := request("POST", "/")
	large.ContentLength = 1 << 20
	chiSize := middleware.RequestSize(1 << 10)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, http.StatusText(http.StatusRequestEntityTooLarge), http.StatusRequestEntityTooLarge)
	}))

	d := must[*domain.Domain](tb)(domain.New(tb.Context(), domain.Config{Names: []domain.Name{{Host: "api.example.com", Mappings: []domain.Mapping{{BasePath: "orders", Handler: nothing}}}}}))
	planHandler, planRequest := planned(tb, must[*usageplan.Memory](tb)(usageplan.NewMemory(0)), usageplan.Exact)
	unknown := planRequest.Clone(planRequest.Context())
	unknown.Header.Set("X-Api-Key", "nobody-nobody-nobody-nobody-nobody-nobod")

	// What package domain answers on a connection that wasn't made for the host; a handshake would measure something else.
	misdirected := &gatekit.Rejection{Type: gatekit.Default4XX, Status: http.StatusMisdirectedRequest}
	refuse := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { gatekit.Reject(w, r, misdirected) })
	strange := request("OPTIONS", "/", "Origin", "https://evil.example.org", "Access-Control-Request-Method", "PUT", "Access-Control-Request-Headers", "authorization,content-type")
	browsers := corsPeers(tb)

	return map[string]refusal{
		"421/by=gatekit":            {refuse, request("GET", "/"), 421},
		"preflight/by=gatekit":      {browsers["gatekit"](nothing), strange, 204},
		"preflight/by=rs/cors":      {browsers["rs/cors"](nothing), strange, 204},
		"429/by=gatekit":            {keyed, request("GET", "/"), 429},
		"429-one-bucket/by=gatekit": {empty.Middleware(nothing), request("GET", "/"), 429},
		"429/by=httprate":           {rate, request("GET", "/"), 429},
		"401/by=gatekit":            {auth.Require(jwt)(nothing), request("GET", "/"), 401},
		"401-bad-token/by=gatekit":  {auth.Require(jwt)(nothing), request("GET", "/", "Authorization", "Bearer x"), 401},
		"403-scope/by=gatekit":      {scoped, request("GET", "/", "Authorization", token), 403},
		"403-api-key/by=gatekit":    {planHandler, unknown, 403},
		"403-no-route/by=gatekit":   {rest, request("GET", "/nothing"), 403},
		"403-host/by=gatekit":       {d, request("GET", "https://other.example.org/"), 403},
		"403-no-stage/by=gatekit":   {restStages, request("GET", "/nothing"), 403},
		"403-disabled/by=gatekit":   {domain.DisabledEndpoint(gatekit.REST), request("GET", "/"), 403},
		"404-no-stage/by=gatekit":   {httpStages, request("GET", "/nothing"), 404},
		"404-disabled/by=gatekit":   {domain.DisabledEndpoint(gatekit.HTTP), request("GET", "/"), 404},
		"404/by=gatekit":            {api, request("GET", "/nothing"), 404},
		"404/by=chi":                {chiRouter, request("GET", "/nothing"), 404},
		"413/by=gatekit":            {limits, large, 413},
		"413/by=chi":                {chiSize, large, 413},
		"431/by=gatekit":            {limits, request("GET", "/", "X", strings.Repeat("x", 2<<10)), 431},
		"414/by=gatekit":            {limits, request("GET", "/"+strings.Repeat("x", 2<<10)), 414},
	}
}

func TestRefusalAllocations(t *testing.T) {
	for name, tt := range refusals(t) {
		w := newResponse()
		if got := w.serve(tt.h, tt.r); got != tt.status {
			t.Errorf("%s: got %d", name, got)
		}
		got := testing.AllocsPerRun(100, func() { w.serve(tt.h, tt.r) })
		t.Logf("%s: %v", name, got)
		if strings.HasSuffix(name, "by=gatekit") && got > maxRefusalAllocs {
			t.Errorf("%s: %v allocations", name, got)
		}
	}
}

func BenchmarkRefusal(b *testing.B) {
	for name, tt := range refusals(b) {
		b.Run("status="+name, func(b *testing.B) { measure(b, tt.h, tt.r, tt.status) })
	}
}
