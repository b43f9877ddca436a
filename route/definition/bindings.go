package definition

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/domain"
	"github.com/gatekit-go/gatekit/route/cache"
	"github.com/gatekit-go/gatekit/route/integration"
	"github.com/gatekit-go/gatekit/throttle"
	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

// Bindings are what a [Document] refers to and doesn't hold. The zero value binds nothing: then
// what needs no binding is served, and the rest refuses and is reported.
//
// The keys of a map are names of the thing: its logical ID ("Handler886CB40B"), its path in a CDK
// program ("Stack/Handler"), its name, its ARN, each of functions with or without ":qualifier"
// behind it, or a glob of these ("Stack/*", where * and ? match any characters). A name with the
// qualifier goes before one without, and any before a glob. Two keys of one rank that both fit are
// an error. What no key fits, the Other function of the kind is asked for.
type Bindings struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Functions are Lambda functions, of integrations and authorizers.
	Functions map[string]gatekit.Invoker
	// OtherFunction is asked for functions that Functions lack; false means that it has none.
	OtherFunction func(Ref) (gatekit.Invoker, bool)
	// Issuers say where the keys of JWT issuers and user pools are, by the issuer's URL, or the
	// pool's names.
	Issuers     map[string]IssuerBinding
	OtherIssuer func(Ref) (IssuerBinding, bool)
	// Upstreams say how the targets of VPC links are reached, by the names of the listener, load
	// balancer or link, or the host of the integration's URI; and hosts of HTTP integrations that
	// are to be reached otherwise than by their names. What the document says (URI, Method,
	// Timeout) is filled in where it is zero.
	Upstreams     map[string]integration.HTTPConfig
	OtherUpstream func(Ref) (integration.HTTPConfig, bool)
	// Services say how AWS services are called: with which Credentials, and at which Endpoint. The
	// keys are "dynamodb:PutItem", "dynamodb", a subtype ("SQS-SendMessage"), or the names of the
	// role that the integration is called with; the first of these that is there counts. What the
	// document says is filled in.
	Services     map[string]integration.ServiceConfig
	OtherService func(Ref) (integration.ServiceConfig, bool)
	// Handlers stand in an integration's place, behind all of the route's rules and mappings, by
	// "API GET /pets", "GET /pets", an AWS service ("sqs", "dynamodb:PutItem"), a subtype
	// ("SQS-SendMessage") or the target's URI. They go before what would be called.
	Handlers     map[string]http.Handler
	OtherHandler func(Ref) (http.Handler, bool)
	// Keys are values of API keys, by the key's logical ID or name: for those that the document has
	// no value of, and in place of those it has.
	Keys     map[string]string
	OtherKey func(Ref) (string, bool)
	// Certificates are those of custom domain names, by host name, or the certificate's names.
	Certificates     map[string]domain.CertificateSource
	OtherCertificate func(Ref) (domain.CertificateSource, bool)
	// Truststores are the authorities of domains with mutual TLS, by host name or truststore URL.
	Truststores     map[string]*domain.MutualTLS
	OtherTruststore func(Ref) (*domain.MutualTLS, bool)
	// ClientCertificates are what backends are shown, by the names that stages give them.
	ClientCertificates     map[string]ClientCertificate
	OtherClientCertificate func(Ref) (ClientCertificate, bool)
	// WebACLs are the stages' web ACLs, by their names.
	WebACLs     map[string]gatekit.Middleware
	OtherWebACL func(Ref) (gatekit.Middleware, bool)
	// AccessLogs get the lines of the stages' access logs, by the names of the destination (its
	// ARN, the log group), by "API stage" or by "API". Stages may share one, which is called by
	// many requests at once, and which these wait for: accesslog.NewWriter makes one that they
	// don't. A log for which nothing is bound goes to Logger as records, and the report says so.
	AccessLogs     map[string]io.Writer
	OtherAccessLog func(Ref) (io.Writer, bool)
	// AccessLogUnmasked are the variables that are shown in full, as in accesslog.Config: the
	// others of claims, keys and what authorizers say are masked.
	AccessLogUnmasked []string
	// AccessLog makes the station that writes a stage's access log in the format that the document
	// has, in place of those. It stands outside of what refuses, on a WebSocket API around each
	// event.
	AccessLog func(api *API, stage, format string) (gatekit.Middleware, error)
	// ExecutionLogs get the entries of the stages' execution logs, where method settings ask for
	// them, by the group's name (API-Gateway-Execution-Logs_API/STAGE), by "API stage" or by "API".
	// A log for which nothing is bound isn't written, and the report says so.
	ExecutionLogs     map[string]io.Writer
	OtherExecutionLog func(Ref) (io.Writer, bool)
	// Parameters are values for those that the document doesn't know ([Unknown]), by their names.
	Parameters     map[string]string
	OtherParameter func(Ref) (string, bool)

	// Credentials knows the callers of routes with AWS_IAM. nil: these routes refuse.
	Credentials auth.CredentialSource
	// PlanStore keeps API keys, usage plans and what is used of quotas. What the document says of
	// plans and keys is written to it; what an earlier document wrote for the same APIs, and this
	// one hasn't, goes, and what other programs wrote stays. nil: in memory.
	// PlanBuckets share the plans' token buckets.
	PlanStore   usageplan.Store
	PlanBuckets usageplan.Buckets
	// CacheStore keeps cached answers of all stages. nil: in memory, each stage its own.
	CacheStore cache.Store
	// Account is the limit of all APIs together. nil: the managed gateway's 10,000 requests a
	// second.
	Account *throttle.Limiter

	// TrustedProxies and TrustedHeader are as in route.Config, for every API, and the headers with
	// a VPC endpoint's IDs as in auth.ResourcePolicyConfig.
	TrustedProxies                    []string
	TrustedHeader                     string
	SourceVPCEHeader, SourceVPCHeader string
	// AllowOrigins are the web pages that may connect to WebSocket APIs, beside those of the API's
	// own host; InsecureAllowAnyOrigin lets all, as the managed gateway does.
	AllowOrigins           []string
	InsecureAllowAnyOrigin bool
	// DefaultStage names the stage under which an API is served that has none. Empty: it isn't
	// served.
	DefaultStage string
	// ServePrivate serves APIs and domain names whose endpoint is private to a VPC. Who can reach
	// the program is then who can reach them. Otherwise they refuse.
	ServePrivate bool
	// InsecureSkipVerification lets integrations whose tlsConfig says so take any certificate.
	// Otherwise certificates are verified.
	InsecureSkipVerification bool

	// Strict makes Build return an error if something is unprotected, unsupported, unbound or
	// unknown.
	Strict bool
	// NoDifferences makes it return one if something is served, but not alike.
	NoDifferences bool
	// Logger gets the causes of refusals that are the configuration's fault, and what stations log.
	// nil means slog.Default().
	Logger *slog.Logger
}

// ClientCertificate tells the certificate to show to a backend, for each connection.
type ClientCertificate = func(ctx context.Context) (*tls.Certificate, error)

// IssuerBinding is a binding of an issuer: where its keys are. The zero value fetches them from
// where the issuer's own URL leads to.
type IssuerBinding struct {
	_ struct{} // keyed literals only, so that fields can be added

	// URL is what tokens name as their issuer, if that isn't the document's: a test's issuer.
	URL string
	// JWKSURL and JWKS are where the keys are, or the keys themselves, as in auth.JWTConfig. They
	// don't count for user pools, which have URL.
	JWKSURL string
	JWKS    []byte
	// HTTPClient fetches them.
	HTTPClient *http.Client
	// WaitForKeys makes an issuer that can't be reached at the start refuse its routes for good.
	// Otherwise they are answered 500 until it is.
	WaitForKeys bool
	// Leeway and RefreshInterval are as in auth.JWTConfig. The user pools of one authorizer have
	// both, and HTTPClient, alike.
	Leeway, RefreshInterval time.Duration
}

// Ref is something in a document that is looked up in [Bindings].
type Ref struct {
	// Kind is the field of Bindings, such as "Functions".
	Kind string
	// LogicalID, Path, Name, ARN and Qualifier are what is known of its names.
	LogicalID, Path, Name, ARN, Qualifier string
	// Also are other names of it.
	Also []string
}
