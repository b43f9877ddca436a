package stacks

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"

	rscors "github.com/rs/cors"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/httprate"

	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/cors"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/integration"
	"github.com/gatekit-go/gatekit/throttle"
)

// ProxyNames are the stacks that pass requests on to an upstream, in the order of the report. The first is what the others are measured by.
var ProxyNames = []string{"bare-reverse-proxy", "gatekit-proxy", "gatekit-chain+proxy", "chi+rs/cors+keyfunc+httprate+reverse-proxy"}

// BuildProxy returns a stack by name, before the upstream at host:port. It ends with ctx.
func BuildProxy(ctx context.Context, name string, i *Issued, upstream string) (http.Handler, error) {
	switch name {
	case "bare-reverse-proxy":
		return bareProxy(upstream), nil
	case "gatekit-proxy":
		return gatekitProxy(ctx, upstream)
	case "gatekit-chain+proxy":
		proxy, err := gatekitProxy(ctx, upstream)
		if err != nil {
			return nil, err
		}
		check, err := auth.NewJWT(ctx, auth.JWTConfig{Issuer: Issuer, Audience: []string{Audience}, JWKS: i.JWKS})
		if err != nil {
			return nil, err
		}
		rules, err := cors.New(cors.Config{AllowOrigins: []string{Origin}, AllowMethods: []string{"GET", "PUT"}, AllowHeaders: []string{"Authorization"}})
		if err != nil {
			return nil, err
		}
		limit, err := throttle.NewPerKey(throttle.Limit{Rate: manyPerSecond, Burst: manyAtOnce}, throttle.KeyConfig{Key: throttle.ByIP})
		if err != nil {
			return nil, err
		}
		api, err := route.New(route.Config{})
		if err != nil {
			return nil, err
		}
		api.Use(rules.Middleware)
		for _, key := range Routes() {
			api.Handle(key, proxy, limit.Middleware, auth.Require(check))
		}
		return api, nil
	case "chi+rs/cors+keyfunc+httprate+reverse-proxy":
		check, err := Keyfunc(i.JWKS)
		if err != nil {
			return nil, err
		}
		r := chi.NewRouter()
		r.Use(rscors.New(rscors.Options{AllowedOrigins: []string{Origin}, AllowedMethods: []string{"GET", "PUT"}, AllowedHeaders: []string{"Authorization"}}).Handler)
		r.Use(httprate.LimitBy(manyAtOnce, time.Minute, byPeer, httprate.WithResponseHeaders(httprate.ResponseHeaders{})))
		r.Use(check)
		proxy := bareProxy(upstream)
		for _, key := range Routes() {
			method, path, _ := strings.Cut(key, " ")
			r.Method(method, path, proxy)
		}
		return r, nil
	}
	return nil, fmt.Errorf("no stack %q", name)
}

func gatekitProxy(ctx context.Context, upstream string) (*integration.Proxy, error) {
	return integration.NewHTTP(ctx, integration.HTTPConfig{URI: "http://" + upstream, RequestPath: true})
}

// bareProxy is httputil.ReverseProxy with the transport's settings and the kind of buffer pool that gatekit's proxy has.
func bareProxy(upstream string) http.Handler {
	target := &url.URL{Scheme: "http", Host: upstream}
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport: &http.Transport{
			DialContext:            (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			DisableCompression:     true,
			MaxIdleConnsPerHost:    1000,
			IdleConnTimeout:        time.Minute,
			MaxResponseHeaderBytes: 64 << 10,
		},
		BufferPool: &bufferPool{},
	}
}

type bufferPool struct{ pool sync.Pool }

func (p *bufferPool) Get() []byte {
	if b, ok := p.pool.Get().(*[32 << 10]byte); ok {
		return b[:]
	}
	return make([]byte, 32<<10)
}

func (p *bufferPool) Put(b []byte) { p.pool.Put((*[32 << 10]byte)(b)) }
