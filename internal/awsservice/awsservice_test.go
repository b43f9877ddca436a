package awsservice_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/awsservice"
	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/uritemplate"
)

const arn = "arn:aws:apigateway:eu-west-1:"

func TestURIs(t *testing.T) {
	for _, tt := range []struct{ uri, host, signed, target, path, query string }{
		{arn + "sqs:path/123456789012/orders", "sqs.eu-west-1.amazonaws.com", "sqs/eu-west-1", "", "/123456789012/orders", ""},
		{arn + "sqs:action/SendMessage", "sqs.eu-west-1.amazonaws.com", "sqs/eu-west-1", "", "/", ""},
		{arn + "sns:action/Publish&TopicArn={topic}&x=1", "sns.eu-west-1.amazonaws.com", "sns/eu-west-1", "", "/", "TopicArn=v&x=1"},
		{arn + "sns:action/Publish?TopicArn={topic}", "sns.eu-west-1.amazonaws.com", "sns/eu-west-1", "", "/", "TopicArn=v"},
		{arn + "dynamodb:action/PutItem", "dynamodb.eu-west-1.amazonaws.com", "dynamodb/eu-west-1", "DynamoDB_20120810.PutItem application/x-amz-json-1.0", "/", ""},
		{arn + "streams.dynamodb:action/ListStreams", "streams.dynamodb.eu-west-1.amazonaws.com", "dynamodb/eu-west-1", "DynamoDBStreams_20120810.ListStreams application/x-amz-json-1.0", "/", ""},
		{arn + "states:action/StartExecution", "states.eu-west-1.amazonaws.com", "states/eu-west-1", "AWSStepFunctions.StartExecution application/x-amz-json-1.0", "/", ""},
		{arn + "states:action/StartSyncExecution", "sync-states.eu-west-1.amazonaws.com", "states/eu-west-1", "AWSStepFunctions.StartSyncExecution application/x-amz-json-1.0", "/", ""},
		{arn + "kinesis:action/PutRecord", "kinesis.eu-west-1.amazonaws.com", "kinesis/eu-west-1", "Kinesis_20131202.PutRecord application/x-amz-json-1.1", "/", ""},
		{arn + "events:action/PutEvents", "events.eu-west-1.amazonaws.com", "events/eu-west-1", "AWSEvents.PutEvents application/x-amz-json-1.1", "/", ""},
		{arn + "s3:path/{bucket}/{key}?versionId={v}", "s3.eu-west-1.amazonaws.com", "s3/eu-west-1", "", "/v/v", "versionId=v"},
		{arn + "my.own.bucket.s3:path/a/{key}", "my.own.bucket.s3.eu-west-1.amazonaws.com", "s3/eu-west-1", "", "/a/v", ""},
		{arn + "s3:path//", "s3.eu-west-1.amazonaws.com", "s3/eu-west-1", "", "/", ""},
		{arn + "a1B2-ats.iotdata:path/topics/{t}", "a1B2-ats.iot.eu-west-1.amazonaws.com", "iotdata/eu-west-1", "", "/topics/v", ""},
		{arn + "iotdata:path/topics", "data.iot.eu-west-1.amazonaws.com", "iotdata/eu-west-1", "", "/topics", ""},
		{arn + "runtime.sagemaker:path/endpoints/e/invocations", "runtime.sagemaker.eu-west-1.amazonaws.com", "sagemaker/eu-west-1", "", "/endpoints/e/invocations", ""},
		{arn + "abc123.execute-api:path/prod/x", "abc123.execute-api.eu-west-1.amazonaws.com", "execute-api/eu-west-1", "", "/prod/x", ""},
		{arn + "iam:action/ListUsers", "iam.amazonaws.com", "iam/us-east-1", "", "/", ""},
		{"arn:aws-cn:apigateway:cn-north-1:sqs:path/1/q", "sqs.cn-north-1.amazonaws.com.cn", "sqs/cn-north-1", "", "/1/q", ""},
		{arn + "lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:1:function:f/invocations", "lambda.eu-west-1.amazonaws.com", "lambda/eu-west-1", "", "/2015-03-31/functions/arn:aws:lambda:eu-west-1:1:function:f/invocations", ""},
		{arn + "lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:1:function:${stageVariables.f}:${stageVariables.alias}/invocations", "lambda.eu-west-1.amazonaws.com", "lambda/eu-west-1", "", "/2015-03-31/functions/arn:aws:lambda:eu-west-1:1:function::/invocations", ""},
		{arn + "newservice:action/Do_It", "newservice.eu-west-1.amazonaws.com", "newservice/eu-west-1", "", "/", ""},
	} {
		u, err := awsservice.Parse(tt.uri)
		require.NoError(t, err, tt.uri)
		require.Equal(t, tt.host, u.Host(u.Action), tt.uri)
		service, region := u.Signing()
		require.Equal(t, tt.signed, service+"/"+region, tt.uri)
		target, contentType, _ := u.Target(u.Action)
		if u.Action == "" {
			target, contentType = "", ""
		}
		require.Equal(t, tt.target, strings.TrimSpace(target+" "+contentType), tt.uri)
		all := func(string) (uritemplate.Value, bool, error) {
			return uritemplate.Value{Escaped: "v", Text: "v"}, true, nil
		}
		template, err := u.Path.Template(nil)
		require.NoError(t, err)
		path, err := template.Path(all)
		require.NoError(t, err)
		query, err := template.Query(all)
		require.NoError(t, err)
		require.Equal(t, tt.path+"?"+tt.query, path+"?"+query, tt.uri)
	}
}

func TestRefused(t *testing.T) {
	for uri, want := range map[string]string{
		"": "want an ARN such as", "https://sqs.us-east-1.amazonaws.com/1/q": "want an ARN such as", "arn:aws:sqs:us-east-1:1:q": "want an ARN such as",
		arn + "sqs": "want an ARN such as", arn + "sqs:1/q": `want path/… or action/… behind the service, got "1/q"`, arn + "sqs:": "want path/… or action/…",
		arn + ":path/x": "want a service", arn + "{s}:path/x": "want a service", arn + "${stageVariables.s}:path/x": "want a service",
		arn + "evil.com/.s3:path/x": "want a service", arn + "a..s3:path/x": "want a service", arn + "-a.s3:path/x": "want a service", arn + "S3:path/x": "want a service",
		arn + "x@y.s3:path/x": "want a service", arn + "sqs:action/": "want the name of an action", arn + "sqs:action/{a}": "want the name of an action",
		arn + "sqs:action/Send Message": "want the name of an action", arn + "s3:path/a/../b": "dot segments", arn + "s3:path/%zz": "good escapes", arn + "s3:path/{a": "want {name}",
		"arn:aws:apigateway:{r}:s3:path/x": "want an ARN such as", "arn:aws:apigateway:a.b:s3:path/x": "want an ARN such as", "arn:aws:apigateway::s3:path/x": "want an ARN such as",
		arn + "s3:path/a\nb": "visible ASCII", arn + "s3:path/a#b": "visible ASCII",
	} {
		_, err := awsservice.Parse(uri)
		require.ErrorContains(t, err, want, uri)
	}
}

// Whatever is read leads to a host of the service's own, and to no other.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{arn + "sqs:path/1/q", arn + "bucket.s3:path/{key}", arn + "sns:action/Publish&a={b}", "arn:aws:apigateway:r:evil.com:path/x", arn + "x.y.z.s3:path/"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := awsservice.Parse(text)
		if err != nil {
			return
		}
		host := u.Host(u.Action)
		require.True(t, httpword.IsHost(host), "%q of %q", host, text)
		require.Empty(t, httpword.Port(host))
		ok := strings.HasSuffix(host, ".amazonaws.com") || strings.HasSuffix(host, ".amazonaws.com.cn") || strings.HasSuffix(host, ".gov")
		require.True(t, ok, "%q of %q", host, text)
		require.NotContains(t, host, "..")
		require.True(t, u.Path.Shape().Scheme == "")
	})
}
