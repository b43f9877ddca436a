// Package restapi says once what the methods of a REST API share: its models and validators, its
// types of bytes, its gateway responses, what judges its keys. A method is one value.
//
//	shop, err := restapi.New(restapi.Config{
//		Models:     map[string]string{"Order": orderSchema},
//		RequestValidators: map[string]restapi.RequestValidator{
//			"body": {ValidateRequestBody: true},
//		},
//	})
//	…
//	createOrder, err := shop.Method(restapi.MethodConfig{
//		RequestValidator: "body",
//		RequestModels:    map[string]string{"application/json": "Order"},
//		Integration:      transform.RESTConfig{…},
//	})
//	…
//	api.Use(shop.Middleware)
//	api.Handle("POST /orders", integration, createOrder.Middleware)
//
// It is apart from package transform, as models bring the schemas' package and its regular
// expressions into the program: who maps without models compiles none of it.
package restapi

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"net/http"
	"slices"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/mediatype"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/transform"
	"github.com/gatekit-go/gatekit/transform/validate"
	"github.com/gatekit-go/gatekit/transform/vtl"
)

// Config configures a [API]: what a REST API says once for all its methods. The zero
// value says nothing. (API reference, "RestApi", "Model", "RequestValidator", "GatewayResponse".)
type Config struct {
	_ struct{} // keyed literals only, so that fields can be added

	// BinaryMediaTypes are the types that are bytes: "image/png", "image/*" or "*/*". A Lambda
	// integration takes the same list.
	BinaryMediaTypes []string
	// Models are JSON schemas by name. Empty and Error are there, unless they are given here.
	Models map[string]string
	// RequestValidators are the validators by name.
	RequestValidators map[string]RequestValidator
	// GatewayResponses say what refusals of a type look like.
	GatewayResponses map[gatekit.ResponseType]transform.GatewayResponse
	// APIKeys is what judges the key of a method with APIKeyRequired: the Middleware of a
	// throttle/usageplan.Limiter, whose Source is the API's key source. Required if there is such a
	// method.
	APIKeys gatekit.Middleware

	// MinimumCompressionSize is how long an answer's body must be to be compressed where the client
	// accepts it, in bytes: 0 to 10,485,760. nil compresses none. Requests are inflated in either
	// case, behind the key and in front of the validator; see [transform.Compression].
	MinimumCompressionSize *int64
	// MaxBodyBytes and Limits are for all methods that have none of their own. 0, and the zero
	// Options, are as in [transform.RESTConfig].
	MaxBodyBytes int64
	Limits       vtl.Options
	// Logger gets a warning for each of a method's findings when it is made; see
	// [transform.REST.Findings]. nil is slog.Default.
	Logger *slog.Logger
}

// RequestValidator says what of a request is validated. The zero value validates nothing, as on the
// managed gateway.
type RequestValidator struct {
	_ struct{} // keyed literals only, so that fields can be added

	// ValidateRequestBody judges bodies by the method's RequestModels.
	ValidateRequestBody bool
	// ValidateRequestParameters sees to the parameters that the method requires.
	ValidateRequestParameters bool
}

// MethodConfig configures a [Method]. (API reference, "Method".)
type MethodConfig struct {
	_ struct{} // keyed literals only, so that fields can be added

	// APIKeyRequired makes the method ask for a key.
	APIKeyRequired bool
	// RequestValidator is the name of one of the API's; "" validates nothing.
	RequestValidator string
	// RequestModels are names of the API's models by the content type of the bodies that they are
	// for; "$default" is for all others.
	RequestModels map[string]string
	// RequestParameters are the parameters that the method declares, such as
	// "method.request.header.X-Tenant", true if required. nil declares none, and lets the
	// integration map from all.
	RequestParameters map[string]bool
	// MethodResponses are the responses that the method declares; see [transform.RESTConfig].
	MethodResponses []transform.MethodResponse
	// Integration is the method's integration. What the method or the API says stays unset in it:
	// MethodRequestParameters, MethodResponses and BinaryMediaTypes. Its URI may stay unset, too,
	// and be that of the integration's handler.
	Integration transform.RESTConfig
}

// API is what the methods of a REST API share. It is immutable and safe for concurrent use.
//
// Its Middleware stands outside all that refuses; a [Method] directly around its integration,
// behind the authorizer:
//
//	api.Use(shop.Middleware)
//	api.Handle("POST /orders", orders, auth.Require(…), createOrder.Middleware)
//	api.Handle("GET /health", health) // a mock is its own integration
type API struct {
	config     Config
	models     *validate.Models
	responses  *transform.GatewayResponses
	validators map[string]RequestValidator

	compression transform.CompressionConfig
}

// New returns a API, or an error that lists every field it refuses. It copies c.
func New(c Config) (*API, error) {
	m := mistakes.In("restapi: Config")
	a := &API{config: c, validators: maps.Clone(c.RequestValidators)}
	if _, err := mediatype.NewBinary(c.BinaryMediaTypes); err != nil {
		m.Add("BinaryMediaTypes", "%w", err)
	}
	var err error
	if a.models, err = validate.NewModels(validate.ModelsConfig{Schemas: c.Models}); err != nil {
		m.Add("Models", "%w", err)
	}
	responses := transform.GatewayResponsesConfig{Responses: c.GatewayResponses}
	if a.responses, err = transform.NewGatewayResponses(responses); err != nil {
		m.Add("GatewayResponses", "%w", err)
	}
	m.Require(c.MaxBodyBytes >= 0, "MaxBodyBytes", "want 0 or a number of bytes, got %d", c.MaxBodyBytes)
	a.compression = transform.CompressionConfig{MinimumSize: transform.Off}
	if size := c.MinimumCompressionSize; size != nil {
		a.compression.MinimumSize = *size
		mistakes.Range(m, "MinimumCompressionSize", *size, 0, 10<<20)
	}
	if err := m.Err(); err != nil {
		return nil, err
	}
	a.config.BinaryMediaTypes = slices.Clone(c.BinaryMediaTypes)
	a.config.Models, a.config.GatewayResponses, a.config.RequestValidators = nil, nil, nil
	a.config.MinimumCompressionSize = nil
	return a, nil
}

// Middleware gives refusals of the stations behind it the form of the API's gateway responses.
func (a *API) Middleware(next http.Handler) http.Handler { return a.responses.Middleware(next) }

// Method returns a method of the API, or an error that lists every field it refuses. It copies c.
func (a *API) Method(c MethodConfig) (*Method, error) {
	m := mistakes.In("restapi: MethodConfig")
	i := m.Under("Integration")
	i.Require(c.Integration.MethodRequestParameters == nil, "MethodRequestParameters",
		"want none: MethodConfig.RequestParameters says them")
	i.Require(c.Integration.MethodResponses == nil, "MethodResponses",
		"want none: MethodConfig.MethodResponses says them")
	i.Require(c.Integration.BinaryMediaTypes == nil, "BinaryMediaTypes",
		"want none: Config.BinaryMediaTypes says them")
	m.Require(!c.APIKeyRequired || a.config.APIKeys != nil,
		"APIKeyRequired", "want Config.APIKeys, which judges keys, or the method would be open")
	validator, known := a.validators[c.RequestValidator]
	m.Require(known || c.RequestValidator == "", "RequestValidator",
		"want one of Config.RequestValidators, got %q", c.RequestValidator)

	rest := c.Integration
	rest.MethodRequestParameters, rest.MethodResponses = c.RequestParameters, c.MethodResponses
	rest.BinaryMediaTypes = a.config.BinaryMediaTypes
	rest.MaxBodyBytes = cmp.Or(rest.MaxBodyBytes, a.config.MaxBodyBytes)
	rest.Limits = cmp.Or(rest.Limits, a.config.Limits)
	mapped, err := transform.NewREST(rest)
	if err != nil {
		i.Join(err)
	}
	method := &Method{rest: mapped}
	valid, err := validate.New(validate.Config{
		ValidateBody: validator.ValidateRequestBody, ValidateParameters: validator.ValidateRequestParameters,
		RequestParameters: c.RequestParameters, RequestModels: c.RequestModels, Models: a.models,
		MaxBodyBytes: rest.MaxBodyBytes,
	})
	if err != nil {
		m.Join(err)
	}
	sized := a.compression
	sized.MaxBodyBytes = max(rest.MaxBodyBytes, 0)
	compression, err := transform.NewCompression(sized)
	if err != nil {
		m.Join(err)
	}
	if err := m.Err(); err != nil {
		return nil, err
	}
	if c.APIKeyRequired {
		method.stations = append(method.stations, a.config.APIKeys)
	}
	method.stations = append(method.stations, compression.Middleware)
	if validator != (RequestValidator{}) {
		method.stations = append(method.stations, valid.Middleware)
	}
	method.alone = method.Middleware(nil)
	for _, finding := range method.rest.Findings() {
		cmp.Or(a.config.Logger, slog.Default()).LogAttrs(context.Background(), slog.LevelWarn,
			"restapi: a setting of a method is odd (see transform.REST.Findings)",
			slog.String("integration", string(rest.Type)), slog.String("uri", rest.URI),
			slog.String("finding", finding))
	}
	return method, nil
}

// Method is a method of a REST API with its integration's configuration. It is immutable and safe
// for concurrent use.
type Method struct {
	rest     *transform.REST
	stations []gatekit.Middleware
	alone    http.Handler // without an integration behind
}

// Middleware asks for the key, inflates, validates, and maps requests on their way to an
// integration and its answers, in this order, which is the managed gateway's, and compresses what
// comes of them.
func (m *Method) Middleware(integration http.Handler) http.Handler {
	return gatekit.Chain(m.rest.Middleware(integration), m.stations...)
}

// ServeHTTP answers as [transform.REST.ServeHTTP] does, behind the key and the validator: a mock is
// its own integration.
func (m *Method) ServeHTTP(w http.ResponseWriter, r *http.Request) { m.alone.ServeHTTP(w, r) }

// Station implements [gatekit.Station].
func (m *Method) Station() (kind string, next http.Handler) { return "method", m.alone }

// Findings is [transform.REST.Findings] of the integration's configuration.
func (m *Method) Findings() []string { return m.rest.Findings() }
