// Routers puts the same stations under chi, gin and echo: an authorizer, an API key with its plan,
// a limit, and a function of aws-lambda-go behind them. It is a module of its own, so that only
// this example needs the three:
//
//	go -C examples/routers run . -router chi
//
// Such routers don't tell a station which route they have chosen; gatekit.OnRoute states it, in the
// gateway's spelling. Without it a station whose rules are listed by route refuses, and the
// function's event has no route key.
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
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/labstack/echo/v4"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/authtest"
	"github.com/gatekit-go/gatekit/route/integration"
	"github.com/gatekit-go/gatekit/throttle"
	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

// routers put a handler behind stations at GET /orders/{id}, each in its own spelling.
var routers = map[string]func(h http.Handler, stations ...gatekit.Middleware) http.Handler{
	"chi": func(h http.Handler, stations ...gatekit.Middleware) http.Handler {
		r := chi.NewRouter()
		r.With(stations...).Method("GET", "/orders/{id}", h)
		return r
	},
	"gin": func(h http.Handler, stations ...gatekit.Middleware) http.Handler {
		gin.SetMode(gin.ReleaseMode)
		r := gin.New()
		r.GET("/orders/:id", gin.WrapH(gatekit.Chain(h, stations...)))
		return r
	},
	"echo": func(h http.Handler, stations ...gatekit.Middleware) http.Handler {
		r := echo.New()
		r.GET("/orders/:id", echo.WrapHandler(gatekit.Chain(h, stations...)))
		return r
	},
}

// gateway is the same for every router.
func gateway(ctx context.Context, router, issuer string) (http.Handler, error) {
	route, ok := routers[router]
	if !ok {
		return nil, fmt.Errorf("-router: want chi, gin or echo, got %q", router)
	}
	api, errAPI := gatekit.Describe(
		gatekit.API{Region: "us-east-1", AccountID: "111122223333", APIID: "a1b2c3d4e5", Stage: "prod"})
	onRoute, errRoute := gatekit.OnRoute("GET /orders/{id}")
	jwt, errJWT := auth.NewJWT(ctx, auth.JWTConfig{Issuer: issuer, Audience: []string{"orders"}})
	keys, errKeys := planOfShop(ctx)
	limit, errLimit := throttle.NewPerKey(throttle.Limit{Rate: 1.0 / 60, Burst: 2},
		throttle.KeyConfig{Key: throttle.ByPrincipal})
	order, errOrder := integration.NewLambda(lambda.NewHandler(getOrder), integration.LambdaConfig{})
	if err := errors.Join(errAPI, errRoute, errJWT, errKeys, errLimit, errOrder); err != nil {
		return nil, err
	}
	h := route(order, onRoute, auth.Require(jwt, "orders:read"), keys.Middleware, limit.Middleware)
	return gatekit.Chain(h, api, gatekit.LogRefusals(nil)), nil // refusals, and why, on stderr
}

// planOfShop are API keys: one, of a plan that allows a hundred orders a day.
func planOfShop(ctx context.Context) (*usageplan.Limiter, error) {
	store, err := usageplan.NewMemory(0)
	if err != nil {
		return nil, err
	}
	plans, err := usageplan.NewRegistry(ctx, usageplan.RegistryConfig{Store: store})
	if err != nil {
		return nil, err
	}
	_, errPlan := plans.CreatePlan(ctx, usageplan.Plan{
		ID: "basic", Name: "Basic", APIStages: []usageplan.APIStage{{APIID: "a1b2c3d4e5", Stage: "prod"}},
		Quota: &usageplan.Quota{Limit: 100, Period: usageplan.Day},
	})
	_, _, errKey := plans.CreateKey(ctx,
		usageplan.NewKey{ID: "shop", Value: "shop-0123456789-0123456789", Enabled: true})
	if err := errors.Join(errPlan, errKey, plans.AddKey(ctx, "basic", "shop")); err != nil {
		return nil, err
	}
	return usageplan.New(usageplan.Config{Registry: plans})
}

// getOrder is a function as it runs behind an HTTP API.
func getOrder(_ context.Context, e events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	caller := e.RequestContext.Authorizer.JWT.Claims["sub"]
	return events.APIGatewayV2HTTPResponse{StatusCode: 200,
		Body: fmt.Sprintf("%s: %s for %s", e.RouteKey, e.PathParameters["id"], caller)}, nil
}

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "address to listen on; port 0 takes a free one")
	router := flag.String("router", "chi", "chi, gin or echo")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *addr, *router); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, addr, router string) error {
	issuer, err := authtest.StartIssuer() // in place of your OpenID Connect provider
	if err != nil {
		return err
	}
	defer issuer.Close()
	api, err := gateway(ctx, router, issuer.URL())
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: api, ReadHeaderTimeout: 5 * time.Second}
	printTry("http://"+listener.Addr().String(),
		issuer.Mint(authtest.Claims{"aud": "orders", "sub": "ann", "scope": "orders:read"}))
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// printTry prints commands for one shell, each with what it answers behind the #, to be run in this
// order.
func printTry(url, token string) {
	fmt.Printf("listening on %s\n\nAPI=%s\nTOKEN=%s\nKEY='X-Api-Key: shop-0123456789-0123456789'\n", url, url, token)
	fmt.Print(`
# with a token and a key: the function answers
curl -sw ' %{http_code}\n' -H "Authorization: Bearer $TOKEN" -H "$KEY" $API/orders/7   # GET /orders/{id}: 7 for ann 200
# without the token, without the key
curl -sw ' %{http_code}\n' -H "$KEY" $API/orders/7   # {"message":"Unauthorized"} 401
curl -sw ' %{http_code}\n' -H "Authorization: Bearer $TOKEN" $API/orders/7   # {"message":"Forbidden"} 403
# the caller's limit: one more
for i in 1 2; do curl -so /dev/null -w '%{http_code} ' -H "Authorization: Bearer $TOKEN" -H "$KEY" $API/orders/$i; done   # 200 429
`)
}
