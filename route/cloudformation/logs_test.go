package cloudformation_test

import (
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
