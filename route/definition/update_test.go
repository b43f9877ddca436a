package definition_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/domain"
	"github.com/gatekit-go/gatekit/route/definition"
	"github.com/gatekit-go/gatekit/route/websocket/websockettest"
)

// What two documents have alike goes on: buckets, caches, decisions, quotas.
func TestUpdateKeeps(t *testing.T) {
	doc := func(more string) string {
		routes := calls("GET /limited", `{"type":"NONE"}`) + "," + calls("GET /cached", `{"type":"NONE"}`) + "," +
			calls("GET /judged", `{"type":"CUSTOM","authorizer":"J"}`) + "," + calls("GET /planned", `{"type":"NONE"}`, keyed) + more
		return withPlans(apiOf("REST", routes, `"authorizers":{"J":{"type":"TOKEN","target":{"kind":"lambda","function":"J"}}},"stages":{"prod":{"cache":"0.5","method_settings":[
			{"path":"/limited","method":"GET","rate":0.001,"burst":2},{"path":"/cached","method":"GET","caching":true}]}}`),
			`"P":{"stages":[{"api":"Api","stage":"prod"}],"throttle":{"rate":0.001,"burst":2},"keys":["K"]}`, `"K":{"enabled":true,"value":"`+keyValue+`"}`)
	}
	j := &judge{}
	g := build(t, doc(""), definition.Bindings{Strict: true, Functions: map[string]gatekit.Invoker{"F": counted(), "J": j}})
	require.Equal(t, "200 1", ask(g, "GET", "/prod/cached"))
	require.Equal(t, "200 2", ask(g, "GET", "/prod/limited"))
	require.Equal(t, "200 3", ask(g, "GET", "/prod/judged", "Authorization: yes"))
	require.Equal(t, "200 4", ask(g, "GET", "/prod/planned", "X-Api-Key: "+keyValue))
	require.Contains(t, ask(g, "GET", "/prod/new"), "403")

	require.NoError(t, g.Update(t.Context(), parse(t, doc(","+calls("GET /new", `{"type":"NONE"}`)))))
	require.Equal(t, "200 1", ask(g, "GET", "/prod/cached"))
	require.Equal(t, "200 5", ask(g, "GET", "/prod/limited"))
	require.Contains(t, ask(g, "GET", "/prod/limited"), "429")
	require.Equal(t, "200 6", ask(g, "GET", "/prod/judged", "Authorization: yes"))
	require.EqualValues(t, 1, j.asked.Load())
	require.Equal(t, "200 7", ask(g, "GET", "/prod/planned", "X-Api-Key: "+keyValue))
	require.Contains(t, ask(g, "GET", "/prod/planned", "X-Api-Key: "+keyValue), "429")
	require.Equal(t, "200 8", ask(g, "GET", "/prod/new"))

	// Where something is from doesn't matter.
	moved := strings.Replace(doc(""), `"GET /cached":{`, `"GET /cached":{"origin":{"template":"other.yaml","line":7},`, 1)
	require.NoError(t, g.Update(t.Context(), parse(t, moved)))
	require.Equal(t, "200 1", ask(g, "GET", "/prod/cached"))

	// What is changed isn't kept.
	changed := strings.Replace(doc(""), `"GET /cached":{`, `"GET /cached":{"operation":"other",`, 1)
	require.NoError(t, g.Update(t.Context(), parse(t, changed)))
	require.Equal(t, "200 9", ask(g, "GET", "/prod/cached"))
	require.Contains(t, ask(g, "GET", "/prod/new"), "403")
	require.NoError(t, g.Update(t.Context(), parse(t, strings.Replace(doc(""), `"keys":["K"]`, `"keys":[]`, 1))))
	require.Equal(t, forbidden, ask(g, "GET", "/prod/planned", "X-Api-Key: "+keyValue))
}

// An Update that fails changes nothing.
func TestUpdateFails(t *testing.T) {
	g := build(t, pets, definition.Bindings{Strict: true, Functions: functions("Get")})
	require.Error(t, g.Update(t.Context(), parse(t, strings.ReplaceAll(pets, `"Get"`, `"Other"`))))
	require.ErrorContains(t, g.Update(t.Context(), nil), "want a document, got nil")
	require.ErrorContains(t, g.Update(t.Context(), parse(t, `{"apis":[{"id":"A","flavor":"HTTP"},{"id":"A","flavor":"HTTP"}]}`)), "want APIs with IDs of their own")
	require.Equal(t, "200 Get", ask(g, "GET", "/beta/pets/1"))
	require.NoError(t, g.Close())
	require.NoError(t, g.Close())
	require.Equal(t, `503 {"message":"Service Unavailable"}`, ask(g, "GET", "/beta/pets/1"))
	require.ErrorContains(t, g.Update(t.Context(), parse(t, pets)), "closed")
}

// held is a function that waits.
type held struct{ begun, end chan struct{} }

func (h held) Invoke(ctx context.Context, _ []byte) ([]byte, error) {
	close(h.begun)
	select {
	case <-h.end:
		return []byte(`{"statusCode":200,"body":"old"}`), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// A request that has begun ends as it began, two documents later.
func TestUpdateLosesNoRequest(t *testing.T) {
	h := held{make(chan struct{}), make(chan struct{})}
	s := backend(t)
	g := build(t, pets, definition.Bindings{Functions: map[string]gatekit.Invoker{"Get": h, "Other": fn("new")}})
	answer := make(chan string, 1)
	go func() { answer <- ask(g, "GET", "/beta/pets/1") }()
	<-h.begun
	next := strings.ReplaceAll(pets, `"Get"`, `"Other"`)
	require.NoError(t, g.Update(t.Context(), parse(t, next)))
	require.Equal(t, "200 new", ask(g, "GET", "/beta/pets/1"))
	require.NoError(t, g.Update(t.Context(), parse(t, apiOf("HTTP", `"GET /":{"auth":{"type":"NONE"},"integration":{"type":"HTTP_PROXY","target":{"kind":"http","uri":"`+s.URL+`/"}}}`, ""))))
	close(h.end)
	require.Equal(t, "200 old", <-answer)
}

// A function that nobody waits for goes on when its document doesn't, and ends with the Gateway.
func TestUpdateAndEvents(t *testing.T) {
	ended := make(chan error, 1)
	begun := make(chan struct{})
	slow := invoker(func(ctx context.Context, _ []byte) ([]byte, error) {
		close(begun)
		<-ctx.Done()
		ended <- ctx.Err()
		return nil, ctx.Err()
	})
	text := apiOf("REST", `"POST /a":{"auth":{"type":"NONE"},"integration":{"type":"AWS","method":"POST","target":{"kind":"lambda","function":"Slow"},
		"request_parameters":{"integration.request.header.X-Amz-Invocation-Type":"'Event'"},"responses":[{"status":"202"}]}}`, "")
	g := build(t, text, definition.Bindings{Functions: map[string]gatekit.Invoker{"Slow": slow}})
	code, _ := post(g, "/prod/a", "application/json", "{}")
	require.Equal(t, 202, code)
	<-begun
	require.NoError(t, g.Update(t.Context(), &definition.Document{}))
	select {
	case err := <-ended:
		t.Fatal("ended by Update", err)
	default:
	}
	require.NoError(t, g.Close())
	require.ErrorIs(t, <-ended, context.Canceled)
}

type invoker func(context.Context, []byte) ([]byte, error)

func (f invoker) Invoke(ctx context.Context, payload []byte) ([]byte, error) { return f(ctx, payload) }

// Requests go on while documents change, and each sees one of them.
func TestUpdateUnderLoad(t *testing.T) {
	g := build(t, pets, definition.Bindings{Functions: functions("Get", "Other")})
	docs := []*definition.Document{parse(t, strings.ReplaceAll(pets, `"Get"`, `"Other"`)), parse(t, pets)}
	var wrong atomic.Pointer[string]
	var stop atomic.Bool
	var all sync.WaitGroup
	stage, err := g.Stage("Pets", "beta")
	require.NoError(t, err)
	for range 4 {
		all.Go(func() {
			for !stop.Load() {
				for h, url := range map[http.Handler]string{g: "/beta/pets/1", stage: "/pets/1"} {
					if got := ask(h, "GET", url); got != "200 Get" && got != "200 Other" {
						wrong.Store(&got)
					}
				}
			}
		})
	}
	for i := range 40 {
		require.NoError(t, g.Update(t.Context(), docs[i%2]))
	}
	stop.Store(true)
	all.Wait()
	if got := wrong.Load(); got != nil {
		t.Fatal(*got)
	}
}

// Flavors make different things of the same words: nothing is taken over from one to another.
func TestUpdateOfFlavor(t *testing.T) {
	doc := func(flavor string) string {
		return apiOf(flavor, calls("GET /a", `{"type":"CUSTOM","authorizer":"J"}`), `"stages":{"prod":{}},"authorizers":{"J":{"type":"REQUEST","identity_source":["$request.header.X"],"target":{"kind":"lambda","function":"J"}}}`)
	}
	j := &judge{}
	g := build(t, doc("HTTP"), definition.Bindings{Strict: true, Functions: map[string]gatekit.Invoker{"F": fn("F"), "J": j}})
	for i, flavor := range []string{"HTTP", "REST"} {
		require.NoError(t, g.Update(t.Context(), parse(t, doc(flavor))))
		for range 2 {
			require.Equal(t, "200 F", ask(g, "GET", "/prod/a", "X: yes"))
		}
		require.EqualValues(t, 2+i, j.asked.Load(), "an HTTP API keeps no decisions, a REST API does")
	}
}

// A stage's handler follows, and refuses while there is no such stage.
func TestStageFollows(t *testing.T) {
	g := build(t, pets, definition.Bindings{Functions: functions("Get")})
	stage, err := g.Stage("Pets", "beta")
	require.NoError(t, err)
	require.NoError(t, g.Update(t.Context(), parse(t, strings.Replace(pets, `"beta"`, `"gamma"`, 1))))
	require.Equal(t, forbidden, ask(stage, "GET", "/pets/1"))
	require.NoError(t, g.Update(t.Context(), parse(t, pets)))
	require.Equal(t, "200 Get", ask(stage, "GET", "/pets/1"))
}

// What a cache keeps is of one function: another one that a stage variable or a resource's name
// leads to answers itself.
func TestCacheAfterUpdate(t *testing.T) {
	doc := func(variable, name, namespace string) string {
		const cached = `"cache":"0.5","method_settings":[{"path":"/*","method":"*","caching":true}]`
		return `{"apis":[{"id":"Api","flavor":"REST","routes":{
		"GET /a":{"auth":{"type":"NONE"},"integration":{` + namespace + `"type":"AWS_PROXY","method":"POST","target":{"kind":"lambda","name":"${stageVariables.f}"}}},
		"GET /b":{"auth":{"type":"NONE"},"integration":{` + namespace + `"type":"AWS_PROXY","method":"POST","target":{"kind":"lambda","function":"Named"}}}},
		"stages":{"prod":{"variables":{"f":"` + variable + `"},` + cached + `}}}],"resources":{"Named":{"type":"AWS::Lambda::Function","name":"` + name + `"}}}`
	}
	for _, namespace := range []string{"", `"cache_namespace":"mine","cache_keys":["method.request.querystring.q"],`} {
		g := build(t, doc("F1", "F1", namespace), definition.Bindings{Functions: functions("F1", "F2")})
		require.Contains(t, ask(g, "GET", "/prod/a?q=a"), "200 F1")
		require.Contains(t, ask(g, "GET", "/prod/b?q=b"), "200 F1")
		require.NoError(t, g.Update(t.Context(), parse(t, doc("F1", "F2", namespace))))
		require.Contains(t, ask(g, "GET", "/prod/b?q=b"), "200 F2")
		require.NoError(t, g.Update(t.Context(), parse(t, doc("F2", "F2", namespace))))
		require.Contains(t, ask(g, "GET", "/prod/a?q=a"), "200 F2")
	}
}

// A WebSocket API's routes that ask for a key follow the plan: it may be built again, or no more.
func TestSocketFollowsPlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		doc := func(period, more string) string {
			return withPlans(`{"apis":[{"id":"Chat",`+more+`"flavor":"WEBSOCKET","route_selection":"$request.body.action","routes":{
				"$connect":{"auth":{"type":"NONE"},"api_key_required":true,"integration":{"type":"MOCK","target":{"kind":"mock"}}}},"stages":{"prod":{}}}]}`,
				`"P":{"stages":[{"api":"Chat","stage":"prod"}],"keys":["K"],"quota":{"limit":10,"period":"`+period+`"}}`, enabled("K", keyValue))
		}
		g := build(t, doc("YEAR", ""), definition.Bindings{InsecureAllowAnyOrigin: true})
		for _, step := range []struct {
			period, more string
			want         int
		}{{"YEAR", "", 500}, {"DAY", "", 101}, {"DAY", `"api_id":"abcdefghij",`, 101}, {"YEAR", "", 500}} {
			require.NoError(t, g.Update(t.Context(), parse(t, doc(step.period, step.more))))
			_, answer := websockettest.Dial(t.Context(), g, "wss://chat.example/prod", http.Header{"X-Api-Key": {keyValue}})
			require.Equal(t, step.want, answer.StatusCode, step)
		}
		require.NoError(t, g.Close())
	})
}

// A domain name's certificate and trust are found by names that resources have.
func TestDomainFollowsResources(t *testing.T) {
	doc := func(name string) string {
		return `{"apis":[{"id":"A","flavor":"REST","routes":{` + calls("GET /a", `{"type":"NONE"}`) + `},"stages":{"prod":{}}}],
		"domains":{"example.com":{"certificate":"Cert","mappings":[{"api":"A","stage":"prod"}]}},"resources":{"Cert":{"type":"AWS::CertificateManager::Certificate","name":"` + name + `"}}}`
	}
	server := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	one := &counting{CertificateSource: domain.Static(server.TLS.Certificates[0])}
	two := &counting{CertificateSource: domain.Static(server.TLS.Certificates[0])}
	b := judged()
	b.Certificates = map[string]domain.CertificateSource{"one": one, "two": two}
	g := build(t, doc("one"), b)
	had := g.Domains()
	require.NoError(t, g.Update(t.Context(), parse(t, doc("one"))))
	require.Same(t, had, g.Domains())
	require.NoError(t, g.Update(t.Context(), parse(t, doc("two"))))
	require.NotSame(t, had, g.Domains())
	require.EqualValues(t, []int32{1, 1}, []int32{one.opened.Load(), two.opened.Load()})
}
