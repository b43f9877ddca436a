package definition_test

import (
	"bytes"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/definition"
	"github.com/gatekit-go/gatekit/route/websocket/websockettest"
)

// logged keeps lines.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

// take returns what was written since the last time.
func (l *logged) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.text.Reset()
	return l.text.String()
}

// A stage's lines go to what is bound to their destination, by any of its names.
func TestAccessLogs(t *testing.T) {
	const arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/pets"
	text := apiOf("REST", calls("GET /a", `{"type":"NONE"}`), `"stages":{"prod":{"access_log_destination":"`+arn+
		`:*","access_log":"$context.requestId $context.resourcePath $context.status $context.identity.sourceIp"}}`)
	for _, name := range []string{arn + ":*", arn, "/aws/pets", "Api prod", "Api", "*pets", "*"} {
		to := &logged{}
		g := build(t, text, definition.Bindings{NoDifferences: true, Functions: functions("F"), AccessLogs: map[string]io.Writer{name: to}})
		require.Equal(t, "200 F", ask(g, "GET", "/prod/a"), name)
		require.Regexp(t, `^[0-9a-f-]{36} /a 200 192\.0\.2\.1\n$`, to.take(), name)
		require.Contains(t, ask(g, "GET", "/prod/none"), "403")
		require.Regexp(t, ` - 403 192`, to.take())
		require.Empty(t, g.Report().Of(definition.Ignored), "%s is of use", name)
	}
	other := &logged{}
	g := build(t, text, definition.Bindings{NoDifferences: true, Functions: functions("F"), OtherAccessLog: func(r definition.Ref) (io.Writer, bool) {
		require.Equal(t, "AccessLogs", r.Kind)
		require.Equal(t, []string{"Api prod", "Api", arn, arn + ":*", "/aws/pets"}, r.Also)
		return other, true
	}})
	require.Equal(t, "200 F", ask(g, "GET", "/prod/a"))
	require.Contains(t, other.take(), " /a 200 ")
}

// Where nothing is bound the Logger gets records, and the report says so.
func TestAccessLogRecords(t *testing.T) {
	to := &logged{}
	g := build(t, apiOf("HTTP", calls("GET /a", `{"type":"NONE"}`), `"stages":{"$default":{"access_log":"$context.requestId $context.routeKey $context.status"}}`),
		definition.Bindings{Functions: functions("F"), Logger: slog.New(slog.NewTextHandler(to, nil))})
	to.take()
	require.Equal(t, "200 F", ask(g, "GET", "/a"))
	require.Regexp(t, `msg="gatekit: request" requestId=\S+ routeKey="GET /a" status=200\n$`, to.take())
	differs := g.Report().Of(definition.Differs)
	require.Len(t, differs, 1)
	require.Equal(t, "the access log of stage $default goes to the Logger, as records", differs[0].What)
	require.Equal(t, "bind Api $default in Bindings.AccessLogs to have its lines", differs[0].Do)
}

// What a format names that there isn't is told, and served; one that can't find a request isn't.
func TestAccessLogFormats(t *testing.T) {
	to := &logged{}
	b := definition.Bindings{Functions: functions("F"), AccessLogs: map[string]io.Writer{"*": to}}
	stage := func(format string) string {
		return apiOf("HTTP", calls("GET /a", `{"type":"NONE"}`), `"stages":{"$default":{"access_log":"`+format+`"}}`)
	}
	g := build(t, stage("$context.requestId $context.no.such"), b)
	require.Equal(t, "200 F", ask(g, "GET", "/a"))
	require.True(t, strings.HasSuffix(to.take(), " -\n"))
	require.Equal(t, "the access log of stage $default names $context.no.such, which there isn't", g.Report().Of(definition.Warning)[0].What)
	g = build(t, stage("$context.status"), b)
	require.Contains(t, ask(g, "GET", "/a"), "500", "as the managed gateway doesn't take it")
	require.Contains(t, g.Report().Of(definition.Unsupported)[0].What, "want $context.requestId")
}

func TestAccessLogUnmasked(t *testing.T) {
	text := apiOf("REST", calls("GET /a", `{"type":"CUSTOM","authorizer":"J"}`), `"authorizers":{"J":{"type":"TOKEN","target":{"kind":"lambda","function":"J"},`+
		`"identity_source":["method.request.header.Authorization"]}},"stages":{"prod":{"access_log":"$context.requestId $context.authorizer.tenant"}}`)
	j := functionOf(func(map[string]any) map[string]any {
		return map[string]any{"principalId": "me", "context": map[string]any{"tenant": "acme"}, "policyDocument": map[string]any{"Version": "2012-10-17",
			"Statement": []any{map[string]any{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}}}}
	})
	for want, unmasked := range map[string][]string{" ******\n": nil, " acme\n": {"authorizer.tenant"}} {
		to := &logged{}
		all := functions("F")
		all["J"] = j
		g := build(t, text, definition.Bindings{Functions: all, AccessLogs: map[string]io.Writer{"*": to}, AccessLogUnmasked: unmasked})
		require.Equal(t, "200 F", ask(g, "GET", "/prod/a", "Authorization: x"))
		require.True(t, strings.HasSuffix(to.take(), want))
	}
}

// Each event of a WebSocket API is a line.
func TestWebSocketAccessLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to := &logged{}
		g := build(t, `{"apis":[{"id":"Chat","flavor":"WEBSOCKET","route_selection":"$request.body.action","routes":{
			"join":{"auth":{"type":"NONE"},"response_selection":"$default","integration":{"type":"AWS_PROXY","target":{"kind":"lambda","function":"Join"}}},
			"$disconnect":{"auth":{"type":"NONE"},"integration":{"type":"AWS_PROXY","target":{"kind":"lambda","function":"Join"}}}},
			"stages":{"prod":{"access_log":"$context.requestId $context.eventType $context.routeKey $context.status $context.integration.status"}}}]}`,
			definition.Bindings{InsecureAllowAnyOrigin: true, Functions: functions("Join"), AccessLogs: map[string]io.Writer{"Chat": to}})
		c, _ := websockettest.Dial(t.Context(), g, "wss://chat.example/prod", nil)
		require.NoError(t, c.SendText(`{"action":"join"}`))
		_, err := c.Receive(time.Second)
		require.NoError(t, err)
		require.NoError(t, c.Close(1000, ""))
		c.Wait()
		synctest.Wait()
		var got []string
		for line := range strings.Lines(to.take()) {
			_, line, _ = strings.Cut(line, " ")
			got = append(got, strings.TrimSuffix(line, "\n"))
		}
		require.Equal(t, []string{"CONNECT $connect 101 -", "MESSAGE join 200 200", "DISCONNECT $disconnect 200 200"}, got)
	})
}

// Methods whose settings ask for it have an execution log, a method's own before those of all.
func TestExecutionLogs(t *testing.T) {
	stage := `"authorizers":{"J":{"type":"TOKEN","target":{"kind":"lambda","function":"J"},"identity_source":["method.request.header.X-Token"]}},"stages":{"prod":{"logging":[
		{"path":"/*","method":"*","level":"ERROR"},{"path":"/~1a","method":"GET","level":"INFO","data_trace":true},{"path":"/b","method":"GET","level":"OFF"},{"path":"/d","method":"GET","level":"INFO"}]}}`
	text := apiOf("REST", calls("GET /a", `{"type":"NONE"}`)+","+calls("GET /b", `{"type":"NONE"}`)+","+calls("GET /c", `{"type":"NONE"}`)+","+
		calls("GET /d", `{"type":"CUSTOM","authorizer":"J"}`), stage)
	for _, name := range []string{"API-Gateway-Execution-Logs_Api/prod", "Api prod", "Api", "*"} {
		to := &logged{}
		g := build(t, text, definition.Bindings{NoDifferences: true, Functions: map[string]gatekit.Invoker{"F": fn("F"), "J": fn("J")},
			ExecutionLogs: map[string]io.Writer{name: to}})
		require.Equal(t, "200 F", ask(g, "GET", "/prod/a"))
		got := to.take()
		for _, want := range []string{
			"HTTP Method: GET, Resource Path: /a", "Sending request to https://lambda.us-east-1.amazonaws.com/2015-03-31/functions/F/invocations",
			"Method response body after transformations: F", "Method completed with status: 200",
		} {
			require.Contains(t, got, ") "+want+"\n")
		}
		require.Equal(t, "200 F", ask(g, "GET", "/prod/b"))
		require.Empty(t, to.take(), "off")
		require.Equal(t, "200 F", ask(g, "GET", "/prod/c"))
		require.Empty(t, to.take(), "nothing went wrong")
		require.Contains(t, ask(g, "GET", "/prod/d", "X-Token: 0123456789abcdefghijklmnop"), "500", "the authorizer makes no sense")
		got = to.take()
		require.Contains(t, got, "Method completed with status: 500")
		require.Contains(t, got, "X-Token=********************klmnop", "what tells who is calling is a secret, wherever it is")
	}
	g := build(t, text, definition.Bindings{Functions: map[string]gatekit.Invoker{"F": fn("F"), "J": fn("J")}})
	require.Equal(t, "200 F", ask(g, "GET", "/prod/a"))
	require.Equal(t, "no execution log is written for stage prod", g.Report().Of(definition.Differs)[0].What)
	require.Equal(t, "bind Api prod in Bindings.ExecutionLogs", g.Report().Of(definition.Differs)[0].Do)
}
