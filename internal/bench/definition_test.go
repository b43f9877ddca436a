package bench

import (
	"context"
	"log/slog"
	"net/http"
	"testing"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/cors"
	"github.com/gatekit-go/gatekit/domain"
	"github.com/gatekit-go/gatekit/internal/bench/stacks"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/definition"
	"github.com/gatekit-go/gatekit/route/integration"
	"github.com/gatekit-go/gatekit/throttle"
	"github.com/gatekit-go/gatekit/transform"
)

// answers is a function that always says the same.
type answers struct{}

func (answers) Invoke(context.Context, []byte) ([]byte, error) {
	return []byte(`{"statusCode":200,"body":"ok"}`), nil
}

const definedHost = "api.example.com"

// defined is an API as a document has it: a JWT authorizer before a function, and a mock.
const defined = `{"apis":[
	{"id":"H","flavor":"HTTP","api_id":"h","cors":{"origins":["https://app.example.com"]},"routes":{"GET /orders/{id}":{
		"auth":{"type":"JWT","authorizer":"J"},"integration":{"type":"AWS_PROXY","payload_format":"2.0","target":{"kind":"lambda","function":"F"}}}},
		"authorizers":{"J":{"type":"JWT","issuer":"` + stacks.Issuer + `","audience":["` + stacks.Audience + `"]}},
		"stages":{"$default":{"throttle":{"rate":1e9,"burst":1000000000}}}},
	{"id":"R","flavor":"REST","api_id":"r","routes":{"GET /mock":{"auth":{"type":"NONE"},"integration":{"type":"MOCK","target":{"kind":"mock"},
		"request_templates":{"application/json":"{\"statusCode\":200}"},"responses":[{"status":"200","templates":{"application/json":"ok"}}]}}},
		"stages":{"prod":{}}}],
	"domains":{"api.example.com":{"mappings":[{"api":"H","stage":"$default"},{"base_path":"r","api":"R","stage":"prod"}]}}}`

func chainByDefinition(tb testing.TB) http.Handler {
	doc := must[*definition.Document](tb)(definition.Unmarshal([]byte(defined)))
	g := must[*definition.Gateway](tb)(definition.Build(tb.Context(), doc, definition.Bindings{
		Strict: true, Functions: map[string]gatekit.Invoker{"F": answers{}}, Logger: slog.New(slog.DiscardHandler),
		Issuers: map[string]definition.IssuerBinding{stacks.Issuer: {JWKS: issued().JWKS}},
		Account: must[*throttle.Limiter](tb)(throttle.New(throttle.Limit{Rate: 1e9, Burst: 1e9})),
	}))
	tb.Cleanup(func() { _ = g.Close() })
	return g
}

// chainByHand is the same, as a program would have it without a document.
func chainByHand(tb testing.TB) http.Handler {
	account := must[*throttle.Limiter](tb)(throttle.New(throttle.Limit{Rate: 1e9, Burst: 1e9}))
	limits := must[*throttle.Stage](tb)(throttle.NewStage(throttle.StageConfig{Account: account, Default: &throttle.Limit{Rate: 1e9, Burst: 1e9}}))
	jwt := must[*auth.JWT](tb)(auth.NewJWT(tb.Context(), auth.JWTConfig{Issuer: stacks.Issuer, Audience: []string{stacks.Audience}, JWKS: issued().JWKS}))
	log := gatekit.LogRefusals(slog.New(slog.DiscardHandler))
	h := must[*route.API](tb)(route.New(route.Config{API: gatekit.API{AccountID: "123456789012", Region: "us-east-1", APIID: "h"}}))
	h.Use(log, must[*cors.CORS](tb)(cors.New(cors.Config{AllowOrigins: []string{"https://app.example.com"}})).Middleware)
	h.UseMatched(limits.Middleware)
	h.Handle("GET /orders/{id}", must[*integration.LambdaHandler](tb)(integration.NewLambda(answers{}, integration.LambdaConfig{PayloadFormatVersion: "2.0"})),
		auth.Require(auth.Named("J", jwt)))
	r := must[*route.API](tb)(route.New(route.Config{API: gatekit.API{Flavor: gatekit.REST, AccountID: "123456789012", Region: "us-east-1", APIID: "r"}}))
	r.Use(log)
	r.Handle("GET /mock", must[*transform.REST](tb)(transform.NewREST(transform.RESTConfig{Type: transform.Mock,
		RequestTemplates:     map[string]string{"application/json": `{"statusCode":200}`},
		IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 200, ResponseTemplates: map[string]string{"application/json": "ok"}}}})),
		throttle.NewMethodLimits(account).Middleware,
		must[*transform.Compression](tb)(transform.NewCompression(transform.CompressionConfig{MinimumSize: transform.Off})).Middleware)
	of := func(name string, api *route.API) http.Handler {
		stages := must[*route.Stages](tb)(route.NewStages(route.Stage{Name: name, API: api}))
		return must[http.Handler](tb)(stages.Handler(name))
	}
	return must[*domain.Domain](tb)(domain.New(tb.Context(), domain.Config{Names: []domain.Name{{Host: definedHost, Mappings: []domain.Mapping{
		{Handler: of("$default", h)}, {BasePath: "r", Handler: of("prod", r)}}}}}))
}

var definitionRequests = map[string]func() *http.Request{
	"jwt": func() *http.Request {
		return request("GET", "http://"+definedHost+"/orders/7", "Authorization", "Bearer "+issued().Token)
	},
	"refused": func() *http.Request { return request("GET", "http://"+definedHost+"/orders/7") },
	"mock":    func() *http.Request { return request("GET", "http://"+definedHost+"/r/mock") },
}

var definitionStatus = map[string]int{"jwt": 200, "refused": 401, "mock": 200}

// What a document makes allocates nothing more than what is made by hand.
func TestDefinitionAllocations(t *testing.T) {
	document, hand, w := chainByDefinition(t), chainByHand(t), newResponse()
	for name, make := range definitionRequests {
		r := make()
		for by, h := range map[string]http.Handler{"definition": document, "hand": hand} {
			if got := w.serve(h, r); got != definitionStatus[name] {
				t.Fatalf("%s by %s: got %d", name, by, got)
			}
		}
		count := func(h http.Handler) float64 { return testing.AllocsPerRun(200, func() { w.serve(h, r) }) }
		if d, h := count(document), count(hand); d > h {
			t.Errorf("%s: %v allocations by a document, %v by hand", name, d, h)
		}
	}
}

func BenchmarkDefinition(b *testing.B) {
	for _, name := range []string{"jwt", "refused", "mock"} {
		for _, by := range []struct {
			name string
			make func(testing.TB) http.Handler
		}{{"definition", chainByDefinition}, {"hand", chainByHand}} {
			h := by.make(b)
			b.Run("req="+name+"/by="+by.name, func(b *testing.B) {
				measure(b, h, definitionRequests[name](), definitionStatus[name])
			})
		}
	}
}
