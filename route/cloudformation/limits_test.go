package cloudformation_test

import (
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/cloudformation"
	"github.com/gatekit-go/gatekit/route/definition"
)

// httpStage is an HTTP API whose stage has more properties.
func httpStage(more string) string {
	return `
Resources:
  Lookup: {Type: Custom::Lookup}
  Api: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: a, ProtocolType: HTTP}}
  To: {Type: AWS::ApiGatewayV2::Integration, Properties: {ApiId: !Ref Api, IntegrationType: HTTP_PROXY, IntegrationMethod: ANY, IntegrationUri: 'https://back.example/', PayloadFormatVersion: '1.0'}}
  Get: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Api, RouteKey: GET /, Target: !Sub 'integrations/${To}'}}
  Stage: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref Api, StageName: v1, AutoDeploy: true` + more + `}}
`
}

// plan is a REST API whose method asks for a key, and a plan with the key.
func plan(more, stage string) string {
	return method("", ", ApiKeyRequired: true", `
  Key: {Type: AWS::ApiGateway::ApiKey, Properties: {Enabled: true, Value: abcdefghijklmnopqrstuvwxyz}}
  Plan: {Type: AWS::ApiGateway::UsagePlan, Properties: {ApiStages: [{ApiId: !Ref Api, Stage: v1`+stage+`}]`+more+`}}
  In: {Type: AWS::ApiGateway::UsagePlanKey, Properties: {KeyId: !Ref Key, KeyType: API_KEY, UsagePlanId: !Ref Plan}}
`)
}

func withStage(more string) string {
	return strings.Replace(method("", "", ""), "StageName: v1", "StageName: v1"+more, 1)
}

func deployed(description string) string {
	text := method("", "", "  D: {Type: AWS::ApiGateway::Deployment, DependsOn: Get, Properties: {RestApiId: !Ref Api, StageName: v1"+description+"}}\n")
	return strings.Replace(text, "  Stage: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref Api, StageName: v1}}\n", "", 1)
}

// calls counts how many of three requests, of somebody who has the key, are answered, and has the
// status of the others.
func calls(t *testing.T, doc *definition.Document, parameters map[string]string) (served, status int) {
	t.Helper()
	g, err := definition.Build(t.Context(), doc, definition.Bindings{Parameters: parameters, Logger: slog.New(slog.DiscardHandler),
		Handlers: map[string]http.Handler{"Api GET /": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })}})
	require.NoError(t, err)
	defer g.Close()
	h, err := g.Stage("Api", sortedNames(doc.APIs[0].Stages)[0])
	require.NoError(t, err)
	for range 3 {
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "http://api.example/", nil)
		r.Header.Set("X-Api-Key", "abcdefghijklmnopqrstuvwxyz")
		if h.ServeHTTP(w, r); w.Code < 300 {
			served++
		} else {
			status = w.Code
		}
	}
	return served, status
}

// A limit that isn't known is none that can be left out: what it limits refuses, and the findings
// say so.
func TestUnknownLimitIsClosed(t *testing.T) {
	for _, tt := range []struct{ name, text string }{
		{"rate", withStage(", MethodSettings: [{ResourcePath: /*, HttpMethod: '*', ThrottlingRateLimit: !GetAtt Lookup.X, ThrottlingBurstLimit: 2}]")},
		{"burst-alone", withStage(", MethodSettings: [{ResourcePath: /, HttpMethod: GET, ThrottlingBurstLimit: !GetAtt Lookup.X}]")},
		{"word", withStage(", MethodSettings: [{ResourcePath: /*, HttpMethod: '*', ThrottlingRateLimit: many}]")},
		{"list", withStage(", MethodSettings: [{ResourcePath: /*, HttpMethod: '*', ThrottlingRateLimit: [1]}]")},
		{"empty", withStage(", MethodSettings: [{ResourcePath: /*, HttpMethod: '*', ThrottlingRateLimit: ''}]")},
		{"too-large", withStage(", MethodSettings: [{ResourcePath: /*, HttpMethod: '*', ThrottlingRateLimit: 1e300}]")},
		{"not-a-number", withStage(", MethodSettings: [{ResourcePath: /*, HttpMethod: '*', ThrottlingRateLimit: NaN}]")},
		{"misspelled", withStage(", MethodSettings: [{ResourcePath: /*, HttpMethod: '*', ThrotlingRateLimit: 1}]")},
		{"settings-misspelled", withStage(", MethodSetting: [{ResourcePath: /*, HttpMethod: '*', ThrottlingRateLimit: 1}]")},
		{"settings", withStage(", MethodSettings: !GetAtt Lookup.X")},
		{"element", withStage(", MethodSettings: [!GetAtt Lookup.X]")},
		{"element-text", withStage(", MethodSettings: [none]")},
		{"path", withStage(", MethodSettings: [{ResourcePath: !GetAtt Lookup.X, HttpMethod: GET, ThrottlingRateLimit: 1}]")},
		{"method", withStage(", MethodSettings: [{ResourcePath: /, HttpMethod: !GetAtt Lookup.X, ThrottlingRateLimit: 1}]")},
		{"description", deployed(", StageDescription: !GetAtt Lookup.X")},
		{"description-rate", deployed(", StageDescription: {ThrottlingRateLimit: !GetAtt Lookup.X}")},
		{"description-method", deployed(", StageDescription: {MethodSettings: [{ResourcePath: /, HttpMethod: GET, ThrottlingRateLimit: x}]}")},
		{"default", httpStage(", DefaultRouteSettings: {ThrottlingRateLimit: !GetAtt Lookup.X}")},
		{"default-whole", httpStage(", DefaultRouteSettings: !GetAtt Lookup.X")},
		{"default-list", httpStage(", DefaultRouteSettings: [1]")},
		{"default-misspelled", httpStage(", DefaultRouteSetting: {ThrottlingRateLimit: 1}")},
		{"route", httpStage(", RouteSettings: {GET /: {ThrottlingBurstLimit: !GetAtt Lookup.X}}")},
		{"route-whole", httpStage(", RouteSettings: {GET /: !GetAtt Lookup.X}")},
		{"routes", httpStage(", RouteSettings: !GetAtt Lookup.X")},
		{"routes-text", httpStage(", RouteSettings: none")},
		{"plan-rate", plan(", Throttle: {RateLimit: !GetAtt Lookup.X, BurstLimit: 1}", "")},
		{"plan-throttle", plan(", Throttle: !GetAtt Lookup.X", "")},
		{"plan-misspelled", plan(", Throttel: {RateLimit: 1}, Throttles: {RateLimit: 1}", "")},
		{"plan-quota", plan(", Quota: !GetAtt Lookup.X", "")},
		{"plan-quota-limit", plan(", Quota: {Limit: !GetAtt Lookup.X, Period: DAY}", "")},
		{"plan-quota-text", plan(", Quota: {Limit: many, Period: DAY}", "")},
		{"plan-quota-offset", plan(", Quota: {Limit: 5, Offset: !GetAtt Lookup.X, Period: DAY}", "")},
		{"plan-quota-period", plan(", Quota: {Limit: 5, Period: !GetAtt Lookup.X}", "")},
		{"plan-method", plan("", ", Throttle: {/GET: {RateLimit: !GetAtt Lookup.X}}")},
		{"plan-method-whole", plan("", ", Throttle: {/GET: !GetAtt Lookup.X}")},
		{"plan-methods", plan("", ", Throttle: !GetAtt Lookup.X")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc := read(t, tt.text, cloudformation.Options{})
			require.NotEmpty(t, doc.Findings)
			served, status := calls(t, doc, nil)
			require.Zero(t, served)
			require.Equal(t, http.StatusInternalServerError, status)
		})
	}
}

// The same limits with numbers limit; and a number that a program gives stands for one that the
// template doesn't know.
func TestKnownLimit(t *testing.T) {
	for _, text := range []string{
		withStage(", MethodSettings: [{ResourcePath: /*, HttpMethod: '*', ThrottlingRateLimit: 0.001, ThrottlingBurstLimit: LIMIT}]"),
		deployed(", StageDescription: {ThrottlingRateLimit: 0.001, ThrottlingBurstLimit: LIMIT}"),
		httpStage(", DefaultRouteSettings: {ThrottlingRateLimit: 0.001, ThrottlingBurstLimit: LIMIT}"),
		httpStage(", RouteSettings: {GET /: {ThrottlingRateLimit: 0.001, ThrottlingBurstLimit: LIMIT}}"),
		plan(", Throttle: {RateLimit: 0.001, BurstLimit: LIMIT}", ""),
		plan(", Quota: {Limit: LIMIT, Period: MONTH}", ""),
		plan("", ", Throttle: {/GET: {RateLimit: 0.001, BurstLimit: LIMIT}}"),
	} {
		served, status := calls(t, read(t, strings.Replace(text, "LIMIT", "2", 1), cloudformation.Options{}), nil)
		require.Equal(t, []int{2, http.StatusTooManyRequests}, []int{served, status}, text)

		doc := read(t, strings.Replace(text, "LIMIT", "!GetAtt Lookup.X", 1), cloudformation.Options{})
		served, status = calls(t, doc, map[string]string{"Lookup.X": "1"})
		require.Equal(t, []int{1, http.StatusTooManyRequests}, []int{served, status}, text)
		for _, word := range []string{"", "many", "NaN", "1e999", "⟨unknown: y"} {
			served, status = calls(t, doc, map[string]string{"Lookup.X": word})
			require.Equal(t, []int{0, http.StatusInternalServerError}, []int{served, status}, "%q of %s", word, text)
		}
	}
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
