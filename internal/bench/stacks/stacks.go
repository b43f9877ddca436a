// Package stacks builds the handler chains that are compared: each checks the same token, answers CORS, limits by caller and routes.
package stacks

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"
	jwtmiddleware "github.com/auth0/go-jwt-middleware/v2"
	"github.com/auth0/go-jwt-middleware/v2/validator"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/httprate"
	"github.com/golang-jwt/jwt/v5"
	rscors "github.com/rs/cors"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/cors"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/throttle"
)

// What all tokens are for.
const (
	Issuer   = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_AbCdEfGhI"
	Audience = "1h57kf5cpq17m0eml12EXAMPLE"
	Origin   = "https://myapp.com"
	Path     = "/orders/recent"
)

// Issued is a key and a token signed with it.
type Issued struct {
	Key   *rsa.PrivateKey
	JWKS  []byte
	Token string
}

// Issue draws an RSA key and signs a token of the size and shape of Cognito's: about a kilobyte.
func Issue() (*Issued, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	jwk, err := jwkset.NewJWKFromKey(key.Public(), jwkset.JWKOptions{Metadata: jwkset.JWKMetadataOptions{KID: "main", USE: jwkset.UseSig, ALG: "RS256"}})
	if err != nil {
		return nil, err
	}
	jwks, err := json.Marshal(jwkset.JWKSMarshal{Keys: []jwkset.JWKMarshal{jwk.Marshal()}})
	if err != nil {
		return nil, err
	}
	token, err := Sign(jwt.SigningMethodRS256, key, 0)
	return &Issued{Key: key, JWKS: jwks, Token: token}, err
}

// Sign returns the n-th token of a user pool.
func Sign(method jwt.SigningMethod, key any, n int) (string, error) {
	now := time.Now()
	token := jwt.NewWithClaims(method, jwt.MapClaims{
		"iss": Issuer, "aud": Audience, "sub": fmt.Sprintf("aaaaaaaa-bbbb-cccc-dddd-%012d", n), "iat": now.Unix(), "exp": now.Add(24 * time.Hour).Unix(), "auth_time": now.Unix(),
		"cognito:groups": []string{"admins", "eu-central", "orders-team"}, "cognito:username": fmt.Sprintf("user-%d", n), "email": fmt.Sprintf("user-%d@example.com", n), "email_verified": true,
		"event_id": "01234567-89ab-cdef-0123-456789abcdef", "jti": "fedcba98-7654-3210-fedc-ba9876543210", "origin_jti": "0f0f0f0f-1e1e-2d2d-3c3c-4b4b4b4b4b4b", "token_use": "id",
		"scope": "openid profile orders:read orders:write",
	})
	token.Header["kid"] = "main"
	return token.SignedString(key)
}

// Hello is the handler that all stacks end in.
var Hello = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "hello") })

const (
	manyPerSecond = 1e9
	manyAtOnce    = 1_000_000_000
)

// Names are the stacks in the order of the report.
var Names = []string{"bare", "gatekit", "chi+rs/cors+keyfunc+httprate", "chi+rs/cors+go-jwt-middleware+httprate"}

// Build returns a stack by name.
func Build(name string, i *Issued) (http.Handler, error) {
	switch name {
	case "bare":
		return Hello, nil
	case "gatekit":
		return Gatekit(i)
	case "chi+rs/cors+keyfunc+httprate":
		check, err := Keyfunc(i.JWKS)
		if err != nil {
			return nil, err
		}
		return chiStack(check), nil
	case "chi+rs/cors+go-jwt-middleware+httprate":
		check, err := GoJWTMiddleware(i)
		if err != nil {
			return nil, err
		}
		return chiStack(check), nil
	}
	return nil, fmt.Errorf("no stack %q", name)
}

// Gatekit is route, cors, jwt with its cache, and a limit by caller.
func Gatekit(i *Issued) (http.Handler, error) {
	check, err := auth.NewJWT(context.Background(), auth.JWTConfig{Issuer: Issuer, Audience: []string{Audience}, JWKS: i.JWKS})
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
		api.Handle(key, Hello, limit.Middleware, auth.Require(check))
	}
	return api, nil
}

func chiStack(check gatekit.Middleware) http.Handler {
	r := chi.NewRouter()
	r.Use(rscors.New(rscors.Options{AllowedOrigins: []string{Origin}, AllowedMethods: []string{"GET", "PUT"}, AllowedHeaders: []string{"Authorization"}}).Handler)
	r.Use(httprate.LimitBy(manyAtOnce, time.Minute, byPeer, httprate.WithResponseHeaders(httprate.ResponseHeaders{})))
	r.Use(check)
	for _, key := range Routes() {
		method, path, _ := strings.Cut(key, " ")
		r.Method(method, path, Hello)
	}
	return r
}

// byPeer is the connection's address, which is what the key functions of httprate come down to without a proxy.
func byPeer(r *http.Request) (string, error) {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	return host, err
}

// Routes are those that every stack has.
func Routes() []string {
	return []string{"GET /orders/recent", "GET /orders/{id}", "PUT /orders/{id}", "GET /customers/{id}/orders/{order}"}
}

// Keyfunc is how one protects a handler with keyfunc and golang-jwt by hand.
func Keyfunc(jwks []byte) (gatekit.Middleware, error) {
	keys, err := keyfunc.NewJWKSetJSON(jwks)
	if err != nil {
		return nil, err
	}
	parser := jwt.NewParser(jwt.WithIssuer(Issuer), jwt.WithAudience(Audience), jwt.WithExpirationRequired(), jwt.WithValidMethods([]string{"RS256", "ES256", "EdDSA"}))
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
			if !ok {
				http.Error(w, "unauthorized", http.StatusUnauthorized)
				return
			}
			parsed, err := parser.Parse(token, keys.Keyfunc)
			if err != nil {
				http.Error(w, "unauthorized", http.StatusUnauthorized)
				return
			}
			type key struct{}
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), key{}, parsed)))
		})
	}, nil
}

// GoJWTMiddleware is auth0/go-jwt-middleware as its README sets it up, with the key at hand.
func GoJWTMiddleware(i *Issued) (gatekit.Middleware, error) {
	v, err := validator.New(func(context.Context) (any, error) { return i.Key.Public(), nil }, validator.RS256, Issuer, []string{Audience})
	if err != nil {
		return nil, err
	}
	return jwtmiddleware.New(v.ValidateToken).CheckJWT, nil
}

// Quiet keeps peers' logs out of the measurement.
func Quiet() { slog.SetDefault(slog.New(slog.DiscardHandler)) }
