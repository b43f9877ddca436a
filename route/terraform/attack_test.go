package terraform_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/definition"
	"github.com/gatekit-go/gatekit/route/terraform"
)

// part is a resource of a plan: its values, what isn't known of it, and its configuration, as JSON.
type part struct{ address, values, unknown, expressions string }

// planned is a plan of resources.
func planned(parts ...part) []byte {
	var values, changes, config []string
	for _, p := range parts {
		kind, name, _ := strings.Cut(p.address, ".")
		for _, text := range []*string{&p.values, &p.unknown, &p.expressions} {
			if *text == "" {
				*text = "{}"
			}
		}
		values = append(values, fmt.Sprintf(`{"address":%q,"mode":"managed","type":%q,"name":%q,"values":%s}`, p.address, kind, name, p.values))
		changes = append(changes, fmt.Sprintf(`{"address":%q,"change":{"actions":["create"],"after_unknown":%s}}`, p.address, p.unknown))
		config = append(config, fmt.Sprintf(`{"address":%q,"mode":"managed","type":%q,"name":%q,"expressions":%s}`, p.address, kind, name, p.expressions))
	}
	return fmt.Appendf(nil, `{"format_version":"1.2","planned_values":{"root_module":{"resources":[%s]}},"resource_changes":[%s],"configuration":{"root_module":{"resources":[%s]}}}`,
		strings.Join(values, ","), strings.Join(changes, ","), strings.Join(config, ","))
}

const (
	ofAPI  = `"rest_api_id":{"references":["aws_api_gateway_rest_api.a.id","aws_api_gateway_rest_api.a"]}`
	ofRoot = ofAPI + `,"resource_id":{"references":["aws_api_gateway_rest_api.a.root_resource_id","aws_api_gateway_rest_api.a"]}`
	ofSub  = ofAPI + `,"resource_id":{"references":["aws_api_gateway_resource.sub.id","aws_api_gateway_resource.sub"]}`
	placed = `"rest_api_id":true,"resource_id":true`
	mock   = `"http_method":"GET","type":"MOCK","request_templates":{"application/json":"{\"statusCode\":200}"}`
	given  = `{"references":["local.given"]}`
)

// shop is a REST API with a method at its root and one below a variable, which are open but for what
// is changed: of a part that is there the text that is given in place of another's.
func shop(change map[string]part, more ...part) []byte {
	parts := []part{
		{"aws_api_gateway_rest_api.a", `{"name":"a"}`, `{"id":true,"root_resource_id":true,"policy":true}`, `{"name":{}}`},
		{"aws_api_gateway_resource.sub", `{"path_part":"{any+}"}`, `{"id":true,"rest_api_id":true,"parent_id":true}`, `{` + strings.Replace(ofRoot, "resource_id\":{\"ref", "parent_id\":{\"ref", 1) + `}`},
		{"aws_api_gateway_method.get", `{"http_method":"GET","authorization":"NONE","api_key_required":false}`, `{` + placed + `}`, `{` + ofRoot + `}`},
		{"aws_api_gateway_integration.get", `{` + mock + `}`, `{` + placed + `}`, `{` + ofRoot + `}`},
		{"aws_api_gateway_integration_response.get", `{"http_method":"GET","status_code":"200"}`, `{` + placed + `}`, `{` + ofRoot + `}`},
		{"aws_api_gateway_method.any", `{"http_method":"GET","authorization":"NONE","api_key_required":false}`, `{` + placed + `}`, `{` + ofSub + `}`},
		{"aws_api_gateway_integration.any", `{` + mock + `}`, `{` + placed + `}`, `{` + ofSub + `}`},
		{"aws_api_gateway_integration_response.any", `{"http_method":"GET","status_code":"200"}`, `{` + placed + `}`, `{` + ofSub + `}`},
		{"aws_api_gateway_stage.live", `{"stage_name":"live"}`, `{"rest_api_id":true,"arn":true,"web_acl_arn":true}`, `{` + ofAPI + `,"stage_name":{}}`},
	}
	for i, p := range parts {
		if c, ok := change[p.address]; ok {
			for _, texts := range [][2]*string{{&parts[i].values, &c.values}, {&parts[i].unknown, &c.unknown}, {&parts[i].expressions, &c.expressions}} {
				if *texts[1] != "" {
					*texts[0] = *texts[1]
				}
			}
		}
	}
	return planned(append(parts, more...)...)
}

// answers are what a stranger gets at paths of the stage.
func answers(t *testing.T, text []byte, api string, paths ...string) (codes []int) {
	t.Helper()
	doc, err := terraform.Read(text, terraform.Options{})
	require.NoError(t, err, "%s", text)
	g, err := definition.Build(t.Context(), doc, definition.Bindings{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	defer g.Close()
	h, err := g.Stage(api, "live")
	require.NoError(t, err)
	for _, path := range paths {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "http://api.example"+path, nil))
		codes = append(codes, w.Code)
	}
	return codes
}

const rest = "aws_api_gateway_rest_api.a"

// Nothing that isn't known, is null, or isn't covered makes open what it may protect.
func TestWhatIsNotKnownIsClosed(t *testing.T) {
	get := func(values, unknown, expressions string) map[string]part {
		return map[string]part{"aws_api_gateway_method.get": {values: values, unknown: unknown, expressions: expressions}}
	}
	settings := func(values, unknown, expressions string) part {
		return part{"aws_api_gateway_method_settings.s", values, unknown, `{` + ofAPI + expressions + `}`}
	}
	for name, text := range map[string][]byte{
		"authorization-unknown": shop(get(`{"http_method":"GET"}`, `{`+placed+`,"authorization":true}`, `{`+ofRoot+`,"authorization":`+given+`}`)),
		"authorization-null":    shop(get(`{"http_method":"GET","authorization":null}`, "", "")),
		"authorization-absent":  shop(get(`{"http_method":"GET"}`, "", "")),
		"authorization-empty":   shop(get(`{"http_method":"GET","authorization":""}`, "", "")),
		"authorization-list":    shop(get(`{"http_method":"GET","authorization":["NONE"]}`, "", "")),
		"authorization-object":  shop(get(`{"http_method":"GET","authorization":{"a":"NONE"}}`, "", "")),
		"authorization-number":  shop(get(`{"http_method":"GET","authorization":0}`, "", "")),
		"authorization-false":   shop(get(`{"http_method":"GET","authorization":false}`, "", "")),
		"authorization-iam":     shop(get(`{"http_method":"GET","authorization":"AWS_IAM"}`, "", "")),
		"authorizer-null":       shop(get(`{"http_method":"GET","authorization":"CUSTOM","authorizer_id":null}`, "", "")),
		"authorizer-gone":       shop(get(`{"http_method":"GET","authorization":"CUSTOM","authorizer_id":"abc123"}`, "", "")),
		"authorizer-unknown":    shop(get(`{"http_method":"GET","authorization":"CUSTOM"}`, `{`+placed+`,"authorizer_id":true}`, `{`+ofRoot+`,"authorizer_id":`+given+`}`)),
		"authorizer-computed":   shop(get(`{"http_method":"GET","authorization":"CUSTOM"}`, `{`+placed+`,"authorizer_id":true}`, "")),
		"authorizer-function": shop(get(`{"http_method":"GET","authorization":"CUSTOM"}`, `{`+placed+`,"authorizer_id":true}`, `{`+ofRoot+`,"authorizer_id":{"references":["aws_api_gateway_authorizer.w.id","aws_api_gateway_authorizer.w"]}}`),
			part{"aws_api_gateway_authorizer.w", `{"name":"w","type":"TOKEN","identity_source":"method.request.header.A"}`, `{"id":true,"rest_api_id":true,"authorizer_uri":true}`, `{` + ofAPI + `,"authorizer_uri":` + given + `}`}),
		"key-unknown":     shop(get(`{"http_method":"GET","authorization":"NONE"}`, `{`+placed+`,"api_key_required":true}`, `{`+ofRoot+`,"api_key_required":`+given+`}`)),
		"scopes":          shop(get(`{"http_method":"GET","authorization":"NONE"}`, `{`+placed+`,"authorization_scopes":true}`, `{`+ofRoot+`,"authorization_scopes":`+given+`}`)),
		"attribute":       shop(get(`{"http_method":"GET","authorization":"NONE","authorization_mode":"STRICT"}`, "", "")),
		"policy":          shop(map[string]part{rest: {unknown: `{"id":true,"root_resource_id":true,"policy":true}`, expressions: `{"policy":` + given + `}`}}),
		"policy-bad":      shop(map[string]part{rest: {values: `{"name":"a","policy":"{"}`, unknown: `{"id":true,"root_resource_id":true}`}}),
		"policy-list":     shop(map[string]part{rest: {values: `{"name":"a","policy":[1]}`, unknown: `{"id":true,"root_resource_id":true}`}}),
		"policy-resource": shop(nil, part{"aws_api_gateway_rest_api_policy.p", ``, `{"policy":true,"rest_api_id":true}`, `{` + ofAPI + `,"policy":` + given + `}`}),
		"policy-null":     shop(nil, part{"aws_api_gateway_rest_api_policy.p", `{"policy":null}`, `{"rest_api_id":true}`, `{` + ofAPI + `}`}),
		"policy-of-some":  shop(nil, part{"aws_api_gateway_rest_api_policy.p", `{"policy":"{}"}`, `{"rest_api_id":true}`, `{"rest_api_id":` + given + `}`}),
		"method-of-some":  shop(get(`{"http_method":"GET","authorization":"AWS_IAM"}`, "", `{`+ofRoot[len(ofAPI)+1:]+`,"rest_api_id":`+given+`}`)),
		"method-at-some":  shop(get(`{"http_method":"GET","authorization":"AWS_IAM"}`, "", `{`+ofAPI+`,"resource_id":`+given+`}`)),
		"method-at-other": shop(get(`{"http_method":"GET","authorization":"AWS_IAM","resource_id":"abc123"}`, `{"rest_api_id":true}`, "")),
		"method-unknown":  shop(get(`{"authorization":"AWS_IAM"}`, `{`+placed+`,"http_method":true}`, `{`+ofRoot+`,"http_method":`+given+`}`)),
		"resource-of-some": shop(nil, part{"aws_api_gateway_resource.other", `{"path_part":"x"}`, `{"id":true,"rest_api_id":true,"parent_id":true}`,
			`{` + ofAPI + `,"parent_id":{"references":["var.a","aws_api_gateway_resource.sub.id","aws_api_gateway_resource.sub","aws_api_gateway_rest_api.a.root_resource_id","aws_api_gateway_rest_api.a"]}}`}),
		"path-unknown": shop(get(`{"http_method":"GET","authorization":"AWS_IAM"}`, "", `{`+ofAPI+`,"resource_id":{"references":["aws_api_gateway_resource.x.id","aws_api_gateway_resource.x"]}}`),
			part{"aws_api_gateway_resource.x", ``, `{"id":true,"rest_api_id":true,"parent_id":true,"path_part":true}`, `{` + strings.Replace(ofRoot, "resource_id\":{\"ref", "parent_id\":{\"ref", 1) + `,"path_part":` + given + `}`}),
		"settings-rate":    shop(nil, settings(`{"stage_name":"live","method_path":"*/*","settings":[{}]}`, `{"rest_api_id":true,"settings":[{"throttling_rate_limit":true}]}`, `,"settings":[{"throttling_rate_limit":`+given+`}]`)),
		"settings-dynamic": shop(nil, settings(`{"stage_name":"live","method_path":"*/*"}`, `{"rest_api_id":true,"settings":true}`, ``)),
		"settings-none":    shop(nil, settings(`{"stage_name":"live","method_path":"*/*","settings":[]}`, `{"rest_api_id":true}`, ``)),
		"settings-two":     shop(nil, settings(`{"stage_name":"live","method_path":"*/*","settings":[{"throttling_rate_limit":1},{"throttling_rate_limit":1}]}`, `{"rest_api_id":true}`, ``)),
		"settings-path":    shop(nil, settings(`{"stage_name":"live","settings":[{"throttling_rate_limit":1}]}`, `{"rest_api_id":true,"method_path":true}`, `,"method_path":`+given)),
		"settings-word":    shop(nil, settings(`{"stage_name":"live","method_path":"x","settings":[{"throttling_rate_limit":1}]}`, `{"rest_api_id":true}`, ``)),
		"settings-stage":   shop(nil, settings(`{"method_path":"*/*","settings":[{"throttling_rate_limit":1}]}`, `{"rest_api_id":true,"stage_name":true}`, `,"stage_name":`+given)),
		"settings-gone":    shop(nil, settings(`{"stage_name":"other","method_path":"*/*","settings":[{"throttling_rate_limit":1}]}`, `{"rest_api_id":true}`, ``)),
		"acl":              shop(nil, part{"aws_wafv2_web_acl_association.w", ``, `{"resource_arn":true,"web_acl_arn":true}`, `{"resource_arn":{"references":["aws_api_gateway_stage.live.arn","aws_api_gateway_stage.live"]},"web_acl_arn":` + given + `}`}),
		"acl-null":         shop(nil, part{"aws_wafv2_web_acl_association.w", `{"web_acl_arn":null}`, `{"resource_arn":true}`, `{"resource_arn":{"references":["aws_api_gateway_stage.live.arn","aws_api_gateway_stage.live"]}}`}),
		"acl-of-some":      shop(nil, part{"aws_wafv2_web_acl_association.w", `{"web_acl_arn":"arn:aws:wafv2:us-east-1:1:regional/webacl/a/b"}`, `{"resource_arn":true}`, `{"resource_arn":` + given + `}`}),
		"acl-of-stage":     shop(map[string]part{"aws_api_gateway_stage.live": {values: `{"stage_name":"live","web_acl_arn":"arn:aws:wafv2:us-east-1:1:regional/webacl/a/b"}`}}),
		"type":             shop(nil, part{"aws_api_gateway_guard.g", `{}`, `{"rest_api_id":true}`, `{` + ofAPI + `}`}),
		"type-of-some":     shop(nil, part{"aws_api_gateway_guard.g", `{}`, `{"rest_api_id":true}`, `{"rest_api_id":` + given + `}`}),
		"put":              shop(nil, part{"aws_api_gateway_rest_api_put.g", `{"body":"{}"}`, `{"rest_api_id":true}`, `{` + ofAPI + `}`}),
		"body":             shop(map[string]part{rest: {unknown: `{"id":true,"root_resource_id":true,"body":true}`, expressions: `{"body":` + given + `}`}}),
	} {
		t.Run(name, func(t *testing.T) {
			require.GreaterOrEqual(t, answers(t, text, rest, "/")[0], 400)
			doc, err := terraform.Read(text, terraform.Options{})
			require.NoError(t, err)
			g, err := definition.Build(t.Context(), doc, definition.Bindings{Logger: slog.New(slog.DiscardHandler)})
			require.NoError(t, err)
			defer g.Close()
			require.NotEmpty(t, g.Report().Findings, "what is closed is reported")
		})
	}
	// The same plan without what protects is open: the cases above refuse for their own reason.
	require.Equal(t, []int{200, 200}, answers(t, shop(nil), rest, "/", "/x"))
	require.Equal(t, []int{200}, answers(t, shop(nil, settings(`{"stage_name":"live","method_path":"*/*","settings":[{"throttling_rate_limit":100,"throttling_burst_limit":50}]}`, `{"rest_api_id":true}`, ``)), rest, "/"))
	require.Equal(t, []int{200}, answers(t, shop(nil, part{"aws_api_gateway_account.a", `{}`, ``, ``}), rest, "/"))
}

// What is to be closed isn't answered by another route, of which more is known.
func TestGreedyRouteDoesNotAnswer(t *testing.T) {
	closed := shop(map[string]part{"aws_api_gateway_method.get": {values: `{"http_method":"GET","authorization":"AWS_IAM"}`, expressions: `{` + ofAPI + `,"resource_id":` + given + `}`}})
	for _, code := range answers(t, closed, rest, "/", "/admin", "/x/y") {
		require.GreaterOrEqual(t, code, 400)
	}
}

// http is an HTTP API with a route.
func httpPlan(route, stage part) []byte {
	ofAPI := `"api_id":{"references":["aws_apigatewayv2_api.h.id","aws_apigatewayv2_api.h"]}`
	to := `"target":{"references":["aws_apigatewayv2_integration.i.id","aws_apigatewayv2_integration.i"]}`
	route.address, stage.address = "aws_apigatewayv2_route.r", "aws_apigatewayv2_stage.s"
	route.expressions = `{` + strings.TrimSuffix(ofAPI+`,`+to+`,`+route.expressions, ",") + `}`
	stage.expressions = `{` + strings.TrimSuffix(ofAPI+`,`+stage.expressions, ",") + `}`
	if route.unknown == "" {
		route.unknown = `{"api_id":true,"target":true}`
	}
	if stage.unknown == "" {
		stage.unknown = `{"api_id":true}`
	}
	return planned(part{"aws_apigatewayv2_api.h", `{"name":"h","protocol_type":"HTTP"}`, `{"id":true}`, ``},
		part{"aws_apigatewayv2_integration.i", `{"integration_type":"HTTP_PROXY","integration_method":"ANY","integration_uri":"https://back.invalid/","payload_format_version":"1.0"}`, `{"id":true,"api_id":true}`, `{` + ofAPI + `}`},
		route, stage)
}

func TestUnknownOfHTTPAPIs(t *testing.T) {
	open := part{values: `{"route_key":"GET /","authorization_type":"NONE"}`}
	live := part{values: `{"name":"live","auto_deploy":true}`}
	for name, text := range map[string][]byte{
		"type-null":    httpPlan(part{values: `{"route_key":"GET /","authorization_type":null}`}, live),
		"type-unknown": httpPlan(part{values: `{"route_key":"GET /"}`, unknown: `{"api_id":true,"target":true,"authorization_type":true}`, expressions: `"authorization_type":` + given}, live),
		"jwt":          httpPlan(part{values: `{"route_key":"GET /","authorization_type":"JWT"}`}, live),
		"api":          httpPlan(part{values: `{"route_key":"GET /","authorization_type":"JWT"}`, expressions: `"api_id":` + given}, live),
		"default":      httpPlan(open, part{values: `{"name":"live"}`, unknown: `{"api_id":true,"default_route_settings":true}`}),
		"default-rate": httpPlan(open, part{values: `{"name":"live","default_route_settings":[{"throttling_burst_limit":1}]}`, unknown: `{"api_id":true,"default_route_settings":[{"throttling_rate_limit":true}]}`, expressions: `"default_route_settings":[{"throttling_rate_limit":` + given + `}]`}),
		"route":        httpPlan(open, part{values: `{"name":"live"}`, unknown: `{"api_id":true,"route_settings":true}`}),
		"route-key":    httpPlan(open, part{values: `{"name":"live","route_settings":[{"throttling_burst_limit":1}]}`, unknown: `{"api_id":true,"route_settings":[{"route_key":true}]}`, expressions: `"route_settings":[{"route_key":` + given + `}]`}),
	} {
		t.Run(name, func(t *testing.T) {
			if name == "api" { // which is there twice in the configuration
				text = []byte(strings.Replace(string(text), `"api_id":{"references":["aws_apigatewayv2_api.h.id","aws_apigatewayv2_api.h"]},"target"`, `"target"`, 1))
			}
			require.Equal(t, http.StatusInternalServerError, answers(t, text, "aws_apigatewayv2_api.h", "/")[0])
		})
	}
	// The backend isn't there: whoever is let through gets a 503 or 500 of the integration, and not of the gateway.
	doc, err := terraform.Read(httpPlan(open, live), terraform.Options{})
	require.NoError(t, err)
	require.Empty(t, doc.Findings)
	// Zeros that the configuration doesn't have are what the provider reads of a stage without limits.
	doc, err = terraform.Read(httpPlan(open, part{values: `{"name":"live","auto_deploy":true,"default_route_settings":[{"throttling_burst_limit":0,"throttling_rate_limit":0}]}`}), terraform.Options{})
	require.NoError(t, err)
	require.Nil(t, doc.APIs[0].Stages["live"].Throttle)
	doc, err = terraform.Read(httpPlan(open, part{values: `{"name":"live","auto_deploy":true,"default_route_settings":[{"throttling_burst_limit":0,"throttling_rate_limit":0}]}`, expressions: `"default_route_settings":[{}]`}), terraform.Options{})
	require.NoError(t, err)
	require.Zero(t, *doc.APIs[0].Stages["live"].Throttle.Rate)
	require.Contains(t, doc.Findings[0].What, "limits of 0 block all")
}

// Where the service has said an API's region and account they count.
func TestExecutionARN(t *testing.T) {
	doc, err := terraform.Read(planned(part{"aws_api_gateway_rest_api.a", `{"id":"abcdefghij","execution_arn":"arn:aws:execute-api:eu-north-1:111122223333:abcdefghij","minimum_compression_size":"-1"}`, ``, ``}), terraform.Options{})
	require.NoError(t, err)
	require.Equal(t, []string{"eu-north-1", "111122223333", "abcdefghij"}, []string{doc.APIs[0].Region, doc.APIs[0].Account, doc.APIs[0].APIID})
	require.Nil(t, doc.APIs[0].MinimumCompressionSize)
}

// A web ACL of a load balancer is none of an API's, known or not.
func TestWebACLOfAnother(t *testing.T) {
	acl := part{"aws_wafv2_web_acl_association.w", `{"web_acl_arn":"arn:aws:wafv2:us-east-1:1:regional/webacl/a/b"}`, `{"resource_arn":true}`, `{"resource_arn":{"references":["aws_lb.b.arn","aws_lb.b"]}}`}
	require.Equal(t, []int{200}, answers(t, shop(nil, acl, part{"aws_lb.b", `{"name":"b"}`, `{"arn":true}`, ``}), rest, "/"))
}

// Options give what a plan doesn't know.
func TestAttributes(t *testing.T) {
	text := shop(map[string]part{"aws_api_gateway_method.get": {values: `{"http_method":"GET"}`, unknown: `{` + placed + `,"authorization":true}`, expressions: `{` + ofRoot + `,"authorization":` + given + `}`}})
	doc, err := terraform.Read(text, terraform.Options{Attributes: map[string]string{"aws_api_gateway_method.get.authorization": "AWS_IAM"}})
	require.NoError(t, err)
	require.Equal(t, "AWS_IAM", doc.APIs[0].Routes["GET /"].Auth.Type)
	require.Empty(t, doc.Findings)
}

func TestRefused(t *testing.T) {
	for text, want := range map[string]string{
		``: "terraform: ", `[]`: "terraform: ", `{}`: "format_version of 1", `{"format_version":"2.0"}`: `got "2.0"`, `{"format_version":1}`: "format_version",
		`{"format_version":"1.0"}`: "planned_values or values", `{"format_version":"1.0","values":{}}`: "planned_values or values",
		`{"format_version":"1.2","errored":true,"planned_values":{"root_module":{}}}`:                                   "failed",
		`{"format_version":"1.2","complete":false,"planned_values":{"root_module":{}}}`:                                 "isn't complete",
		`{"format_version":"1.2","deferred_changes":[{}],"planned_values":{"root_module":{}}}`:                          "isn't complete",
		`{"format_version":"1.2","complete":true,"complete":false}`:                                                     "repeated",
		`{"format_version":"1.2","planned_values":{"root_module":{"resources":[{"address":"a.b"},{"address":"a.b"}]}}}`: "addresses of their own",
		`{"format_version":"1.0","x":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`:                      "terraform: ",
	} {
		_, err := terraform.Read([]byte(text), terraform.Options{})
		require.ErrorContains(t, err, want, "%.200s", text)
	}
	_, err := terraform.Read(make([]byte, 33<<20), terraform.Options{})
	require.ErrorContains(t, err, "want at most")
	_, err = terraform.Read([]byte(`{"format_version":"1.0","values":{"root_module":{}}}`), terraform.Options{Account: "x"})
	require.ErrorContains(t, err, "Account")
	doc, err := terraform.Read([]byte(`{"format_version":"1.0","values":{"root_module":{"resources":[null],"child_modules":[null]}}}`), terraform.Options{})
	require.NoError(t, err)
	require.Empty(t, doc.APIs)
}

// The value of a key isn't in findings.
func TestKeysStaySecret(t *testing.T) {
	text := planned(part{"aws_api_gateway_api_key.k", `{"name":"k","enabled":true,"value":"verysecretverysecret"}`, ``, ``})
	doc, err := terraform.Read(text, terraform.Options{})
	require.NoError(t, err)
	require.Equal(t, "verysecretverysecret", doc.APIKeys["aws_api_gateway_api_key.k"].Value)
	findings, err := json.Marshal(doc.Findings)
	require.NoError(t, err)
	require.NotContains(t, string(findings), "secret")
}
