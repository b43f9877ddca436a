package bench

import (
	"net/http"
	"testing"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/transform"
)

// fiveHeaders takes each of an HTTP API's cheap sources once.
var fiveHeaders = map[string]string{
	"append:header.x-tenant":    "$request.header.x-account",
	"overwrite:header.x-page":   "$request.querystring.page",
	"append:header.x-order":     "order-${request.path.id}",
	"append:header.x-env":       "$stageVariables.env",
	"overwrite:header.x-source": "$context.identity.sourceIp",
}

func mappedRequest() *http.Request {
	rc, r := gatekit.Attach(request("GET", "/orders/7?page=3&size=10", "X-Account", "a-1", "Accept", "application/json", "User-Agent", "bench", "X-Page", "spoofed"))
	rc.API = &gatekit.API{Variables: map[string]string{"env": "blue"}}
	rc.Route = &gatekit.Route{Key: "GET /orders/{id}"}
	r.SetPathValue("id", "7")
	return r
}

func TestParameterMapping(t *testing.T) {
	p := must[*transform.Parameters](t)(transform.NewParameters(transform.ParametersConfig{RequestParameters: fiveHeaders}))
	p.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		for name, want := range map[string]string{"X-Tenant": "a-1", "X-Page": "3", "X-Order": "order-7", "X-Env": "blue", "X-Source": "192.0.2.1"} {
			if got := r.Header.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
	})).ServeHTTP(newResponse(), mappedRequest())
}

// BenchmarkParameterMapping: mapping five headers is to take at most twice the time of sha256 over 1 KB.
func BenchmarkParameterMapping(b *testing.B) {
	p := must[*transform.Parameters](b)(transform.NewParameters(transform.ParametersConfig{RequestParameters: fiveHeaders}))
	b.Run("headers=5", func(b *testing.B) { measure(b, p.Middleware(nothing), mappedRequest(), 200) })
	b.Run("headers=0", func(b *testing.B) { measure(b, nothing, mappedRequest(), 200) })
	answer := must[*transform.Parameters](b)(transform.NewParameters(transform.ParametersConfig{ResponseParameters: map[int]map[string]string{200: {
		"append:header.x-api": "$context.apiId", "remove:header.server": "", "overwrite:header.x-env": "$stageVariables.env",
	}}}))
	b.Run("answer=3", func(b *testing.B) { measure(b, answer.Middleware(nothing), mappedRequest(), 200) })
}
