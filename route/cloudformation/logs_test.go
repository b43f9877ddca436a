package cloudformation_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/cloudformation"
	"github.com/gatekit-go/gatekit/route/definition"
)

// A stage's logs, as a Stage says them and as a Deployment's description does.
func TestLogs(t *testing.T) {
	const settings = `LoggingLevel: ERROR, DataTraceEnabled: true`
	stages := map[string]string{
		"Stage, Properties: {RestApiId: !Ref Api, StageName: live, DeploymentId: !Ref D, ":   "}",
		"Deployment, Properties: {RestApiId: !Ref Api, StageName: live, StageDescription: {": "}}",
	}
	for begins, ends := range stages {
		doc := read(t, `Resources:
  Group: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: /pets}}
  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: pets}}
  D: {Type: AWS::ApiGateway::Deployment, Properties: {RestApiId: !Ref Api}}
  S: {Type: AWS::ApiGateway::`+begins+`AccessLogSetting: {DestinationArn: !GetAtt Group.Arn, Format: "$context.requestId"},
    MethodSettings: [{ResourcePath: /~1a, HttpMethod: get, LoggingLevel: info}, {ResourcePath: "/*", HttpMethod: "*", `+settings+`}, {ResourcePath: /b, HttpMethod: GET}]`+ends+`}
`, cloudformation.Options{})
		live := doc.APIs[0].Stages["live"]
		require.Equal(t, "$context.requestId", live.AccessLog, begins)
		require.Regexp(t, `^arn:aws:logs:[a-z0-9-]+:\d{12}:log-group:/pets:\*$`, live.AccessLogDestination)
		require.Equal(t, []*definition.MethodLogging{
			{Path: "/a", Method: "GET", Level: "INFO"}, {Path: "/*", Method: "*", Level: "ERROR", DataTrace: true},
		}, live.Logging)
		require.Empty(t, live.MethodSettings, "they say nothing of limits")
	}
	doc := read(t, `Resources:
  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: pets}}
  D: {Type: AWS::ApiGateway::Deployment, Properties: {RestApiId: !Ref Api, StageName: live, StageDescription: {`+settings+`}}}
`, cloudformation.Options{})
	require.Equal(t, []*definition.MethodLogging{{Path: "/*", Method: "*", Level: "ERROR", DataTrace: true}}, doc.APIs[0].Stages["live"].Logging)
}

// A WebSocket stage that asks for an execution log hears that there is none; for an HTTP stage the
// service has none either.
func TestExecutionLogsOfRoutes(t *testing.T) {
	for _, settings := range []string{"DefaultRouteSettings: {LoggingLevel: INFO}", "RouteSettings: {join: {LoggingLevel: ERROR}}", "DefaultRouteSettings: {LoggingLevel: 'OFF'}"} {
		for _, flavor := range []string{"WEBSOCKET, RouteSelectionExpression: $request.body.action", "HTTP"} {
			doc := read(t, `
Resources:
  Api: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: chat, ProtocolType: `+flavor+`}}
  Stage: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref Api, StageName: prod, AutoDeploy: true, `+settings+`}}
`, cloudformation.Options{})
			g, err := definition.Build(t.Context(), doc, definition.Bindings{})
			require.NoError(t, err)
			told := slices.ContainsFunc(g.Report().Of(definition.Differs), func(f definition.Finding) bool {
				return strings.HasPrefix(f.What, "no execution log is written for stage prod")
			})
			require.Equal(t, strings.HasPrefix(flavor, "WEB") && !strings.Contains(settings, "OFF"), told, "%s %s", flavor, settings)
		}
	}
}
