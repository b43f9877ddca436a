package openapi_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/definition"
	"github.com/gatekit-go/gatekit/route/openapi"
)

func TestReadTarget(t *testing.T) {
	const function = "arn:aws:lambda:eu-west-1:111122223333:function:f"
	const listener = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/a/0/1"
	for _, tt := range []struct {
		name, flavor, kind, uri string
		private                 bool
		want                    definition.Target
		wantErr                 string
	}{
		{name: "mock", flavor: "REST", kind: "mock", want: definition.Target{Kind: "mock"}},
		{name: "function", flavor: "REST", kind: "aws_proxy", uri: "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/" + function + ":q/invocations", want: definition.Target{Kind: "lambda", Name: "f", ARN: function, Qualifier: "q"}},
		{name: "bare-function", flavor: "HTTP", kind: "AWS_PROXY", uri: function, want: definition.Target{Kind: "lambda", Name: "f", ARN: function}},
		{name: "bare-function-of-rest", flavor: "REST", kind: "AWS_PROXY", uri: function, wantErr: "AWS ARN for integration must contain path or action"},
		{name: "unknown-function", flavor: "REST", kind: "AWS", uri: "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:a:b:function:" + definition.Unknown("X") + "/invocations", want: definition.Target{Kind: "lambda", URI: "arn:aws:lambda:a:b:function:" + definition.Unknown("X")}},
		{name: "http", flavor: "REST", kind: "HTTP", uri: "https://a.example", want: definition.Target{Kind: "http", URI: "https://a.example"}},
		{name: "no-http", flavor: "REST", kind: "HTTP", uri: "ftp://a.example", wantErr: "Invalid HTTP endpoint specified for URI"},
		{name: "listener", flavor: "HTTP", kind: "HTTP_PROXY", uri: listener, private: true, want: definition.Target{Kind: "private", ARN: listener}},
		{name: "private-rest", flavor: "REST", kind: "HTTP_PROXY", uri: "http://a.example", private: true, want: definition.Target{Kind: "http", URI: "http://a.example"}},
		{name: "service-of-websocket", flavor: "WEBSOCKET", kind: "AWS", uri: "arn:aws:apigateway:eu-west-1:sqs:path/1/q", want: definition.Target{Kind: "service", Service: "sqs", Region: "eu-west-1", Path: "1/q"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := openapi.ReadTarget(tt.flavor, tt.kind, tt.uri, tt.private)
			if tt.wantErr != "" {
				require.EqualError(t, err, tt.wantErr)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
}
