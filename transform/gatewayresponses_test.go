package transform_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/authtest"
	"github.com/gatekit-go/gatekit/auth/policy"
	"github.com/gatekit-go/gatekit/cors"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/throttle"
	"github.com/gatekit-go/gatekit/throttle/usageplan"
	"github.com/gatekit-go/gatekit/transform"
)

func responses(t testing.TB, r map[gatekit.ResponseType]transform.GatewayResponse) *transform.GatewayResponses {
	t.Helper()
	g, err := transform.NewGatewayResponses(transform.GatewayResponsesConfig{Responses: r})
	require.NoError(t, err)
	return g
}

// pets is a request of a REST API, behind a route.
func pets() *http.Request {
	rc, r := gatekit.Attach(httptest.NewRequest("GET", "/pets/7?q=one&q=two&empty=&q1=1", nil))
	rc.API = &gatekit.API{Flavor: gatekit.REST, AccountID: "111122223333", Region: "us-east-1", APIID: "a1b2c3d4e5", Stage: "prod"}
	rc.SetSourceIP(netip.MustParseAddr("192.0.2.1"))
	rc.API.Variables = map[string]string{"env": "blue"}
	r.SetPathValue("id", "7")
	r.Header = http.Header{"X-A": {"1", "2"}}
	return r
}

// refuse is the answer to r where the only station behind g refuses it.
func refuse(g *transform.GatewayResponses, r *http.Request, rej *gatekit.Rejection) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	g.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { gatekit.Reject(w, r, rej) })).ServeHTTP(w, r)
	return w
}

// types are all response types with what their refusals say if nobody changes it (REST).
var types = []struct {
	kind      gatekit.ResponseType
	status    int
	message   string // JSON
	body      string
	errorType string
	inherits  gatekit.ResponseType
}{
	{gatekit.AccessDenied, 403, `"User is not authorized to access this resource"`, `{"Message":"User is not authorized to access this resource"}`, "AccessDeniedException", gatekit.Default4XX},
	{gatekit.APIConfigurationError, 500, `"Internal server error"`, `{"message": "Internal server error"}`, "InternalServerErrorException", gatekit.Default5XX},
	{gatekit.AuthorizerConfigurationError, 500, `null`, `{"message":null}`, "AuthorizerConfigurationException", gatekit.Default5XX},
	{gatekit.AuthorizerFailure, 500, `null`, `{"message":null}`, "AuthorizerFailureException", gatekit.Default5XX},
	{gatekit.BadRequestBody, 400, `"Invalid request body"`, `{"message":"Invalid request body"}`, "BadRequestException", gatekit.Default4XX},
	{gatekit.BadRequestParameters, 400, `"Missing required request parameters"`, `{"message":"Missing required request parameters"}`, "BadRequestException", gatekit.Default4XX},
	{gatekit.Default4XX, 400, `"Bad Request"`, `{"message":"Bad Request"}`, "BadRequestException", gatekit.Default4XX},
	{gatekit.Default5XX, 500, `"Internal server error"`, `{"message": "Internal server error"}`, "InternalServerErrorException", gatekit.Default5XX},
	{gatekit.ExpiredToken, 403, `"The security token included in the request is expired"`, `{"message":"The security token included in the request is expired"}`, "ExpiredTokenException", gatekit.Default4XX},
	{gatekit.IntegrationFailure, 504, `"Internal server error"`, `{"message": "Internal server error"}`, "InternalServerErrorException", gatekit.Default5XX},
	{gatekit.IntegrationTimeout, 504, `"Endpoint request timed out"`, `{"message": "Endpoint request timed out"}`, "InternalServerErrorException", gatekit.Default5XX},
	{gatekit.InvalidAPIKey, 403, `"Forbidden"`, `{"message":"Forbidden"}`, "ForbiddenException", gatekit.Default4XX},
	{gatekit.InvalidSignature, 403, `"Forbidden"`, `{"message":"Forbidden"}`, "InvalidSignatureException", gatekit.Default4XX},
	{gatekit.MissingAuthenticationToken, 403, `"Missing Authentication Token"`, `{"message":"Missing Authentication Token"}`, "MissingAuthenticationTokenException", gatekit.Default4XX},
	{gatekit.QuotaExceeded, 429, `"Limit Exceeded"`, `{"message":"Limit Exceeded"}`, "LimitExceededException", gatekit.Default4XX},
	{gatekit.ResourceNotFound, 404, `"Not Found"`, `{"message":"Not Found"}`, "ResourceNotFoundException", gatekit.Default4XX},
	{gatekit.Throttled, 429, `"Too Many Requests"`, `{"message":"Too Many Requests"}`, "TooManyRequestsException", gatekit.Default4XX},
	{gatekit.Unauthorized, 401, `"Unauthorized"`, `{"message":"Unauthorized"}`, "UnauthorizedException", gatekit.Default4XX},
	{gatekit.UnsupportedMediaType, 415, `"Unsupported Media Type"`, `{"message":"Unsupported Media Type"}`, "BadRequestException", gatekit.Default4XX},
	{gatekit.WAFFiltered, 403, `"Forbidden"`, `{"message":"Forbidden"}`, "ForbiddenException", gatekit.Default4XX},
}

// Each type as it is, with an entry of its own, and with what it takes from the default.
func TestEveryType(t *testing.T) {
	other := map[gatekit.ResponseType]gatekit.ResponseType{gatekit.Default4XX: gatekit.Default5XX, gatekit.Default5XX: gatekit.Default4XX}
	custom := transform.GatewayResponse{
		StatusCode:         418,
		ResponseParameters: map[string]string{"gatewayresponse.header.x-kind": "context.error.responseType", "gatewayresponse.header.Access-Control-Allow-Origin": "'*'"},
		ResponseTemplates:  map[string]string{"application/json": `{"kind":"$context.error.responseType","err":$context.error.messageString}`},
	}
	for _, tt := range types {
		t.Run(tt.kind.String(), func(t *testing.T) {
			asItIs := func(w *httptest.ResponseRecorder) {
				t.Helper()
				require.Equal(t, tt.status, w.Code)
				require.Equal(t, tt.body, w.Body.String())
				require.Len(t, w.Header(), 5)
			}
			changed := func(w *httptest.ResponseRecorder) {
				t.Helper()
				require.Equal(t, 418, w.Code)
				require.Equal(t, `{"kind":"`+tt.kind.String()+`","err":`+tt.message+`}`, w.Body.String())
				require.Equal(t, tt.kind.String(), w.Header().Get("X-Kind"))
				require.Equal(t, "*", w.Header().Get("Access-Control-Allow-Origin"))
				require.Len(t, w.Header(), 7)
			}
			for config, want := range map[gatekit.ResponseType]func(*httptest.ResponseRecorder){0: asItIs, tt.kind: changed, tt.inherits: changed, other[tt.inherits]: asItIs} {
				entries := map[gatekit.ResponseType]transform.GatewayResponse{config: custom}
				delete(entries, 0)
				w := refuse(responses(t, entries), pets(), &gatekit.Rejection{Type: tt.kind})
				want(w)
				require.Equal(t, "application/json", w.Header().Get("Content-Type"))
				require.Equal(t, strconv.Itoa(w.Body.Len()), w.Header().Get("Content-Length"))
				require.Equal(t, tt.errorType, w.Header().Get("x-amzn-ErrorType"))
				require.Regexp(t, "^[0-9a-f-]{36}$", w.Header().Get("x-amzn-RequestId"))
				require.Regexp(t, "^.{15}=$", w.Header().Get("x-amz-apigw-id"))
			}
			// An entry with one field only takes nothing from the default: its other fields are the
			// type's own.
			w := refuse(responses(t, map[gatekit.ResponseType]transform.GatewayResponse{
				tt.kind:                   {ResponseParameters: map[string]string{"gatewayresponse.header.x-own": "'own'"}},
				other[other[tt.inherits]]: custom,
			}), pets(), &gatekit.Rejection{Type: tt.kind})
			if tt.kind != tt.inherits {
				require.Equal(t, tt.status, w.Code)
				require.Equal(t, tt.body, w.Body.String())
				require.Equal(t, "own", w.Header().Get("X-Own"))
				require.NotContains(t, w.Header(), "X-Kind")
			}
		})
	}
}

// Recorded: an AUTHORIZER_FAILURE entry with only a header keeps its 500 and the default template
// although DEFAULT_5XX says 599. A default that sets one field hands down that field.
func TestInheritance(t *testing.T) {
	g := responses(t, map[gatekit.ResponseType]transform.GatewayResponse{
		gatekit.Default5XX:        {StatusCode: 599},
		gatekit.AuthorizerFailure: {ResponseParameters: map[string]string{"gatewayresponse.header.x-a": "'1'"}},
		gatekit.Default4XX:        {ResponseTemplates: map[string]string{"text/plain": "no: $context.error.message"}},
		gatekit.Throttled:         {},
	})
	for _, tt := range []struct {
		rej    gatekit.Rejection
		status int
		body   string
	}{
		{gatekit.Rejection{Type: gatekit.AuthorizerFailure}, 500, `{"message":null}`},
		{gatekit.Rejection{Type: gatekit.IntegrationTimeout}, 599, `{"message": "Endpoint request timed out"}`},
		{gatekit.Rejection{Type: gatekit.IntegrationFailure, Status: 502}, 599, `{"message": "Internal server error"}`},
		{gatekit.Rejection{Type: gatekit.Unauthorized}, 401, "no: Unauthorized"},
		{gatekit.Rejection{Type: gatekit.Unauthorized, Status: 403, Message: "Not you"}, 403, "no: Not you"},
		{gatekit.Rejection{Type: gatekit.Throttled}, 429, `{"message":"Too Many Requests"}`},
		{gatekit.Rejection{Status: 404}, 404, "no: Bad Request"},
		{gatekit.Rejection{}, 599, `{"message": "Internal server error"}`},
		{gatekit.Rejection{Type: gatekit.RequestTooLarge}, 413, `{"message": "Request Too Long"}`},
	} {
		w := refuse(g, pets(), &tt.rej)
		require.Equal(t, tt.status, w.Code, tt.rej.Error())
		require.Equal(t, tt.body, w.Body.String(), tt.rej.Error())
	}
}

func TestResponseParameters(t *testing.T) {
	for source, want := range map[string][]string{
		"'text'": {"text"}, "''": {""}, "'it''s'": {"it''s"}, "method.request.header.x-a": {"2"}, "method.request.querystring.q": {"two"}, "method.request.querystring.empty": {""},
		"method.request.path.id": {"7"}, "context.identity.sourceIp": {"192.0.2.1"}, "context.error.message": {"Too Many Requests"}, "context.authorizer.claims.sub": nil,
		"stageVariables.env": {"blue"}, "stageVariables.missing": nil, "method.request.header.missing": nil, "method.request.path.missing": nil, "method.request.querystring.Q": nil,
		"method.request.header.host": {"example.com"},
	} {
		g := responses(t, map[gatekit.ResponseType]transform.GatewayResponse{gatekit.Throttled: {ResponseParameters: map[string]string{"gatewayresponse.header.x-out": source}}})
		require.Equal(t, want, refuse(g, pets(), &gatekit.Rejection{Type: gatekit.Throttled}).Header()["X-Out"], source)
	}
}

func TestGatewayTemplates(t *testing.T) {
	for template, want := range map[string]string{
		`plain`: `plain`, ``: ``, `$`: `$`, `$$`: `$$`, `$5, ${x}, $context`: `$5, ${x}, $context`, `$input.body $util.x()`: `$input.body $util.x()`,
		`#if(true)$context.stage#end`:               `#if(true)prod#end`,
		`{"a":$context.error.messageString}`:        `{"a":"Quota of \"7\" < 8"}`,
		`$context.error.message|`:                   `Quota of "7" < 8|`,
		`$context.error.responseType`:               `QUOTA_EXCEEDED`,
		`[$context.error.validationErrorString]`:    `[]`,
		`$context.stage.$context.apiId.`:            `prod.a1b2c3d4e5.`,
		`$context.stage.example.com`:                `prod.example.com`,
		`$$context.stage$context.stage`:             `$prodprod`,
		`"$stageVariables.env","$stageVariables.x"`: `"blue",""`,
		`$method.request.header.x-a/$method.request.querystring.q/$method.request.path.id`: `2/two/7`,
		`<$context.unknown>`:             `<>`,
		`<$context.error.unknown.thing>`: `<>`,
		`<$context.>`:                    `<$context.>`,
		`<$method.request.body>`:         `<>`,
		`<$method.request.header.>`:      `<.>`,
		`$contextual.stage`:              `$contextual.stage`,
		`é$context.stage→`:               `éprod→`,
	} {
		g := responses(t, map[gatekit.ResponseType]transform.GatewayResponse{gatekit.QuotaExceeded: {ResponseTemplates: map[string]string{"application/json": template}}})
		w := refuse(g, pets(), &gatekit.Rejection{Type: gatekit.QuotaExceeded, Message: `Quota of "7" < 8`})
		require.Equal(t, want, w.Body.String(), template)
		require.Equal(t, []string{strconv.Itoa(len(want))}, w.Header()["Content-Length"], template)
	}
}

func TestAcceptChoosesTheTemplate(t *testing.T) {
	all := map[string]string{"application/json": "json", "application/xml": "xml", "text/html; charset=utf-8": "html"}
	noJSON := map[string]string{"text/plain": "plain", "application/xml": "xml"}
	for _, tt := range []struct {
		templates  map[string]string
		accept     []string
		body, kind string
	}{
		{all, nil, "json", "application/json"},
		{all, []string{""}, "json", "application/json"},
		{all, []string{"*/*"}, "json", "application/json"},
		{all, []string{"application/xml"}, "xml", "application/xml"},
		{all, []string{"APPLICATION/XML;q=0.1, application/json"}, "xml", "application/xml"},
		{all, []string{" text/html , application/xml"}, "html", "text/html; charset=utf-8"},
		{all, []string{"image/png, application/xml"}, "json", "application/json"},
		{all, []string{"application/xml", "application/json"}, "xml", "application/xml"},
		{all, []string{",;=\"\x00"}, "json", "application/json"},
		{noJSON, nil, "xml", "application/xml"},
		{noJSON, []string{"text/plain"}, "plain", "text/plain"},
		{noJSON, []string{"application/json"}, "xml", "application/xml"},
	} {
		r := pets()
		r.Header["Accept"] = tt.accept
		w := refuse(responses(t, map[gatekit.ResponseType]transform.GatewayResponse{gatekit.Throttled: {ResponseTemplates: tt.templates}}), r, &gatekit.Rejection{Type: gatekit.Throttled})
		require.Equal(t, tt.body, w.Body.String(), tt.accept)
		require.Equal(t, tt.kind, w.Header().Get("Content-Type"), tt.accept)
	}
}

type invalid struct{ error }

func (invalid) ValidationErrorString() string {
	return `[object has missing required properties (["price"])]`
}

func TestValidationErrorString(t *testing.T) {
	g := responses(t, map[gatekit.ResponseType]transform.GatewayResponse{gatekit.BadRequestBody: {ResponseTemplates: map[string]string{"text/plain": "$context.error.validationErrorString"}}})
	w := refuse(g, pets(), &gatekit.Rejection{Type: gatekit.BadRequestBody, Cause: invalid{errors.New("for the log")}})
	require.Equal(t, `[object has missing required properties (["price"])]`, w.Body.String())
}

// What the refusal brings along is sent, unless the entry says otherwise; what a station set for
// another body isn't.
func TestHeadersOfTheRefusal(t *testing.T) {
	rej := &gatekit.Rejection{Type: gatekit.Unauthorized, Header: http.Header{"www-authenticate": {"Bearer", "Basic"}, "Retry-After": {"3"}, "X-Amzn-Errortype": {"IncompleteSignatureException"}}}
	g := responses(t, map[gatekit.ResponseType]transform.GatewayResponse{gatekit.Unauthorized: {StatusCode: 403, ResponseParameters: map[string]string{"gatewayresponse.header.retry-after": "'9'"}}})
	for _, flavor := range []gatekit.Flavor{gatekit.REST, gatekit.HTTP} {
		r := pets()
		gatekit.From(r.Context()).API = &gatekit.API{Flavor: flavor}
		w := httptest.NewRecorder()
		g.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Etag", `"1"`)
			w.Header().Set("Content-Encoding", "gzip")
			w.Header().Set("X-Kept", "1")
			gatekit.Reject(w, r, rej)
		})).ServeHTTP(w, r)
		want := http.Header{
			"Www-Authenticate": {"Bearer", "Basic"}, "Retry-After": {"9"}, "X-Kept": {"1"}, "Content-Type": {"application/json"}, "Content-Length": {"26"},
			"X-Amzn-Errortype": {"IncompleteSignatureException"}, "X-Amzn-Requestid": w.Header()["X-Amzn-Requestid"], "X-Amz-Apigw-Id": w.Header()["X-Amz-Apigw-Id"],
		}
		if flavor == gatekit.HTTP {
			delete(want, "X-Amzn-Errortype")
			delete(want, "X-Amzn-Requestid")
			delete(want, "X-Amz-Apigw-Id")
			want["Apigw-Requestid"] = []string{gatekit.From(r.Context()).RequestID()}
		}
		require.Equal(t, want, w.Header())
		require.Equal(t, `{"message":"Unauthorized"}`, w.Body.String())
	}
	require.Equal(t, http.Header{"www-authenticate": {"Bearer", "Basic"}, "Retry-After": {"3"}, "X-Amzn-Errortype": {"IncompleteSignatureException"}}, rej.Header)
}

func TestAnswersWithoutBody(t *testing.T) {
	g := responses(t, map[gatekit.ResponseType]transform.GatewayResponse{
		gatekit.Throttled: {ResponseTemplates: map[string]string{"text/plain": "slow down"}}, gatekit.Unauthorized: {StatusCode: 204, ResponseTemplates: map[string]string{"text/plain": "no"}},
	})
	r := pets()
	r.Method = "HEAD"
	w := refuse(g, r, &gatekit.Rejection{Type: gatekit.Throttled})
	require.Equal(t, 429, w.Code)
	require.Equal(t, "9", w.Header().Get("Content-Length"))
	require.Empty(t, w.Body.String())
	w = refuse(g, pets(), &gatekit.Rejection{Type: gatekit.Unauthorized})
	require.Equal(t, 204, w.Code)
	require.Empty(t, w.Body.String())
	require.NotContains(t, w.Header(), "Content-Length")
	require.NotContains(t, w.Header(), "Content-Type")
}

// The HTTP flavor's recorded 503 has no content type, also with another header.
func TestHTTPFlavor(t *testing.T) {
	g := responses(t, map[gatekit.ResponseType]transform.GatewayResponse{gatekit.IntegrationTimeout: {ResponseParameters: map[string]string{"gatewayresponse.header.x-a": "'1'"}}})
	srv := httptest.NewServer(g.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.IntegrationTimeout})
	})))
	defer srv.Close()
	resp, err := http.Get(srv.URL)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, 503, resp.StatusCode)
	require.Equal(t, `{"message":"Service Unavailable"}`, string(body))
	require.Equal(t, "1", resp.Header.Get("X-A"))
	require.NotContains(t, resp.Header, "Content-Type")
	require.NotEmpty(t, resp.Header.Get("Apigw-Requestid"))
}

func TestAnswersOfBackendsAreNotTouched(t *testing.T) {
	g := responses(t, map[gatekit.ResponseType]transform.GatewayResponse{gatekit.Default4XX: {StatusCode: 418}})
	w := httptest.NewRecorder()
	g.Middleware(http.NotFoundHandler()).ServeHTTP(w, pets())
	require.Equal(t, 404, w.Code)
}

func TestCORSWins(t *testing.T) {
	rules := gatekit.Must(cors.New(cors.Config{AllowOrigins: []string{"https://myapp.com"}}))
	g := responses(t, map[gatekit.ResponseType]transform.GatewayResponse{gatekit.Default4XX: {ResponseParameters: map[string]string{
		"gatewayresponse.header.Access-Control-Allow-Origin": "'*'", "gatewayresponse.header.Access-Control-Allow-Headers": "'*'",
	}}})
	h := gatekit.Chain(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.Throttled})
	}), rules.Middleware, g.Middleware)
	r := pets()
	r.Header.Set("Origin", "https://myapp.com")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	require.Equal(t, 429, w.Code)
	require.Equal(t, []string{"https://myapp.com"}, w.Header()["Access-Control-Allow-Origin"])
	require.NotContains(t, w.Header(), "Access-Control-Allow-Headers")
}

// Refusals as the packages of this module make them.
func TestRefusalsOfEveryPackage(t *testing.T) {
	g := responses(t, map[gatekit.ResponseType]transform.GatewayResponse{
		gatekit.Default4XX: {ResponseTemplates: map[string]string{"text/plain": "$context.error.responseType"}, ResponseParameters: map[string]string{"gatewayresponse.header.x-stage": "context.stage"}},
		gatekit.Default5XX: {StatusCode: 599, ResponseTemplates: map[string]string{"text/plain": "$context.error.responseType"}},
	})
	describe := gatekit.Must(gatekit.Describe(gatekit.API{Flavor: gatekit.REST, AccountID: "111122223333", Region: "us-east-1", APIID: "a1b2c3d4e5", Stage: "prod"}))
	hello := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	issuer := authtest.NewIssuer(t)
	jwt, err := auth.NewJWT(t.Context(), auth.JWTConfig{Issuer: issuer.URL(), Audience: []string{"orders"}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, jwt.Close()) })
	custom := func(f auth.CustomFunc) gatekit.Middleware {
		return gatekit.Must(auth.NewCustom(f, auth.CacheConfig{IdentitySource: []string{"$request.querystring.q1"}})).Middleware
	}
	office := gatekit.Must(auth.NewResourcePolicy(auth.ResourcePolicyConfig{AllowSourceIPs: []string{"198.51.100.0/24"}}))
	iam := gatekit.Must(auth.NewSigV4(auth.SigV4Config{Credentials: auth.StaticCredentials{"AKIDEXAMPLE": {SecretAccessKey: "secret", Principal: policy.Principal{ARN: "arn:aws:iam::111122223333:user/u"}}}}))
	signed := func(secret string, at time.Time) *http.Request {
		r := httptest.NewRequest("GET", "/", nil)
		require.NoError(t, authtest.Signer{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: secret, Region: "us-east-1"}.Sign(r, at))
		return r
	}
	empty := gatekit.Must(throttle.New(throttle.Limit{}))
	plans := gatekit.Must(usageplan.NewRegistry(t.Context(), usageplan.RegistryConfig{Store: gatekit.Must(usageplan.NewMemory(0))}))
	keys := gatekit.Must(usageplan.New(usageplan.Config{Registry: plans}))
	api := gatekit.Must(route.New(route.Config{}))
	api.Handle("GET /pets", hello)
	mapping := parameters(t, map[string]string{"overwrite:path": "/${request.querystring.p}"}, nil)

	for _, tt := range []struct {
		name   string
		h      http.Handler
		r      *http.Request
		status int
		kind   string
		header string // is there, too
	}{
		{"route", api, httptest.NewRequest("GET", "/dogs", nil), 403, "MISSING_AUTHENTICATION_TOKEN", ""},
		{"route-bad-path", api, httptest.NewRequest("GET", "/a/%2e%2e/b", nil), 400, "DEFAULT_4XX", ""},
		{"jwt", jwt.Middleware(hello), pets(), 401, "UNAUTHORIZED", "Www-Authenticate"},
		{"custom-deny", custom(func(*http.Request) (*policy.Verdict, error) { return &policy.Verdict{Principal: "ann"}, nil })(hello), pets(), 403, "ACCESS_DENIED", ""},
		{"custom-fails", custom(func(*http.Request) (*policy.Verdict, error) { return nil, errors.New("down") })(hello), pets(), 599, "AUTHORIZER_CONFIGURATION_ERROR", ""},
		{"resource-policy", office.Middleware(hello), pets(), 403, "ACCESS_DENIED", ""},
		{"sigv4-none", iam.Middleware(hello), pets(), 403, "MISSING_AUTHENTICATION_TOKEN", ""},
		{"sigv4-wrong", iam.Middleware(hello), signed("guess", time.Now()), 403, "INVALID_SIGNATURE", ""},
		{"throttle", empty.Middleware(hello), pets(), 429, "THROTTLED", ""},
		{"usage-plan", keys.Middleware(hello), pets(), 403, "INVALID_API_KEY", ""},
		{"parameters", mapping.Middleware(hello), httptest.NewRequest("GET", "/?p=..", nil), 400, "DEFAULT_4XX", ""},
		{"plain-error", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { gatekit.Reject(w, r, fmt.Errorf("broken")) }), pets(), 599, "DEFAULT_5XX", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			gatekit.Chain(tt.h, describe, g.Middleware).ServeHTTP(w, tt.r)
			require.Equal(t, tt.status, w.Code, w.Body)
			require.Equal(t, tt.kind, w.Body.String())
			require.Equal(t, "text/plain", w.Header().Get("Content-Type"))
			require.NotEmpty(t, w.Header().Get("X-Amzn-Errortype"))
			require.NotEmpty(t, w.Header().Get("X-Amzn-Requestid"))
			if tt.status < 500 {
				require.Equal(t, "prod", w.Header().Get("X-Stage"))
			}
			if tt.header != "" {
				require.NotEmpty(t, w.Header().Get(tt.header))
			}
		})
	}
}

func TestRefusedGatewayResponses(t *testing.T) {
	parameter := func(name, value string) transform.GatewayResponse {
		return transform.GatewayResponse{ResponseParameters: map[string]string{name: value}}
	}
	for _, tt := range []struct {
		name string
		kind gatekit.ResponseType
		r    transform.GatewayResponse
		want string
	}{
		{"no-type", 0, transform.GatewayResponse{}, "transform: GatewayResponsesConfig.Responses[ResponseType(0)]: want a response type, got 0"},
		{"unknown-type", 99, transform.GatewayResponse{}, "want a response type, got 99"},
		{"too-large", gatekit.RequestTooLarge, transform.GatewayResponse{}, "Responses[REQUEST_TOO_LARGE]: want another type, as this one can't be changed"},
		{"status-100", gatekit.Throttled, transform.GatewayResponse{StatusCode: 100}, "Responses[THROTTLED].StatusCode: want 0 or a status from 200 to 599, got 100"},
		{"status-600", gatekit.Throttled, transform.GatewayResponse{StatusCode: 600}, "StatusCode: want 0 or a status"},
		{"status-negative", gatekit.Throttled, transform.GatewayResponse{StatusCode: -1}, "StatusCode: want 0 or a status"},
		{"target", gatekit.Throttled, parameter("method.response.header.x", "'1'"), "want gatewayresponse.header.NAME"},
		{"target-name", gatekit.Throttled, parameter("gatewayresponse.header.x y", "'1'"), "want gatewayresponse.header.NAME"},
		{"target-empty", gatekit.Throttled, parameter("gatewayresponse.header.", "'1'"), "want gatewayresponse.header.NAME"},
		{"length", gatekit.Throttled, parameter("gatewayresponse.header.content-length", "'1'"), "want a header that may be set"},
		{"error-type", gatekit.Throttled, parameter("gatewayresponse.header.x-amzn-ErrorType", "'1'"), "want a header that may be set"},
		{"request-id", gatekit.Throttled, parameter("gatewayresponse.header.x-amzn-RequestId", "'1'"), "want a header that may be set"},
		{"no-quotes", gatekit.Throttled, parameter("gatewayresponse.header.x", "text"), "want method.request.header.NAME"},
		{"half-quotes", gatekit.Throttled, parameter("gatewayresponse.header.x", "'text"), "want "},
		{"one-quote", gatekit.Throttled, parameter("gatewayresponse.header.x", "'"), "want "},
		{"empty", gatekit.Throttled, parameter("gatewayresponse.header.x", ""), "want "},
		{"control", gatekit.Throttled, parameter("gatewayresponse.header.x", "'a\nb'"), "want text without control characters"},
		{"body", gatekit.Throttled, parameter("gatewayresponse.header.x", "method.request.body.a"), "want "},
		{"integration", gatekit.Throttled, parameter("gatewayresponse.header.x", "integration.response.header.a"), "want "},
		{"unknown-context", gatekit.Throttled, parameter("gatewayresponse.header.x", "context.nope"), "want "},
		{"dollar", gatekit.Throttled, parameter("gatewayresponse.header.x", "$context.stage"), "want "},
		{"header-name", gatekit.Throttled, parameter("gatewayresponse.header.x", "method.request.header."), "want "},
		{"method-response", gatekit.Throttled, parameter("gatewayresponse.header.x", "method.response.header.x"), "want "},
		{"content-type", gatekit.Throttled, transform.GatewayResponse{ResponseTemplates: map[string]string{"json": "{}"}}, `ResponseTemplates["json"]: want a content type such as application/json`},
		{"content-type-empty", gatekit.Throttled, transform.GatewayResponse{ResponseTemplates: map[string]string{"": "{}"}}, "want a content type"},
		{"content-type-newline", gatekit.Throttled, transform.GatewayResponse{ResponseTemplates: map[string]string{"a/b\r\nX: y": "{}"}}, "want a content type"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := transform.NewGatewayResponses(transform.GatewayResponsesConfig{Responses: map[gatekit.ResponseType]transform.GatewayResponse{tt.kind: tt.r}})
			require.ErrorContains(t, err, tt.want)
			require.True(t, strings.HasPrefix(err.Error(), "transform: GatewayResponsesConfig.Responses["), err)
		})
	}
	_, err := transform.NewGatewayResponses(transform.GatewayResponsesConfig{Responses: map[gatekit.ResponseType]transform.GatewayResponse{
		gatekit.Throttled:    {StatusCode: 1, ResponseParameters: map[string]string{"gatewayresponse.header.x-a": "'1'", "gatewayresponse.header.X-A": "'2'"}},
		gatekit.Unauthorized: {StatusCode: 2},
	}})
	require.EqualError(t, err, `transform: GatewayResponsesConfig.Responses[THROTTLED].StatusCode: want 0 or a status from 200 to 599, got 1
transform: GatewayResponsesConfig.Responses[THROTTLED].ResponseParameters["gatewayresponse.header.x-a"]: want each header once, got "X-A" again
transform: GatewayResponsesConfig.Responses[UNAUTHORIZED].StatusCode: want 0 or a status from 200 to 599, got 2`)
}

func TestGatewayResponsesStation(t *testing.T) {
	kind, next := responses(t, nil).Middleware(http.NotFoundHandler()).(gatekit.Station).Station()
	require.Equal(t, "gatewayresponses", kind)
	require.NotNil(t, next)
}
