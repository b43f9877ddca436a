package cloudformation_test

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/cloudformation"
	"github.com/gatekit-go/gatekit/route/definition"
	"github.com/gatekit-go/gatekit/route/integration"
)

// cloudMap is an API that leads to a Cloud Map service through a VPC link.
func cloudMap(instances string) string {
	return `
Resources:
  Lookup: {Type: Custom::Lookup}
  Space: {Type: AWS::ServiceDiscovery::PrivateDnsNamespace, Properties: {Name: internal, Vpc: vpc-1}}
  Back: {Type: AWS::ServiceDiscovery::Service, Properties: {Name: back, NamespaceId: !Ref Space}}
  Link: {Type: AWS::ApiGatewayV2::VpcLink, Properties: {Name: l, SubnetIds: [subnet-1]}}
  Api: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: a, ProtocolType: HTTP}}
  To: {Type: AWS::ApiGatewayV2::Integration, Properties: {ApiId: !Ref Api, IntegrationType: HTTP_PROXY, IntegrationMethod: ANY, IntegrationUri: !GetAtt Back.Arn, PayloadFormatVersion: '1.0', ConnectionType: VPC_LINK, ConnectionId: !Ref Link}}
  Get: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Api, RouteKey: $default, Target: !Sub 'integrations/${To}'}}
  Stage: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref Api, StageName: $default, AutoDeploy: true}}
` + instances
}

func TestCloudMapInstances(t *testing.T) {
	back := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "back ", r.URL.Path) }))
	defer back.Close()
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "bound ", r.URL.Path) }))
	defer other.Close()
	host, port, err := net.SplitHostPort(back.Listener.Addr().String())
	require.NoError(t, err)
	const instance = "  %s: {Type: AWS::ServiceDiscovery::Instance, Properties: {ServiceId: %s, InstanceAttributes: {%s}}}\n"
	one := fmt.Sprintf(instance, "One", "!Ref Back", "AWS_INSTANCE_IPV4: "+host+", AWS_INSTANCE_PORT: '"+port+"'")
	bound := map[string]integration.HTTPConfig{"Back": {Upstreams: []integration.Upstream{{Address: other.Listener.Addr().String()}}}}
	for _, tt := range []struct {
		name, instances string
		bound           map[string]integration.HTTPConfig
		want, report    string
	}{
		{"literal", one, nil, "200 back /x", ""},
		{"attribute", fmt.Sprintf(instance, "One", "!GetAtt Back.Id", "AWS_INSTANCE_CNAME: localhost, AWS_INSTANCE_PORT: "+port), nil, "200 back /x", ""},
		{"bound", one, bound, "200 bound /x", ""},
		{"none", "", nil, `500 {"message":"Internal Server Error"}`, `bind Bindings.Upstreams["Back"]`},
		{"other-service", fmt.Sprintf(instance, "One", "srv-other", "AWS_INSTANCE_IPV4: 192.0.2.1, AWS_INSTANCE_PORT: 1"), nil, `500 {"message":"Internal Server Error"}`, `bind Bindings.Upstreams["Back"]`},
		{"unknown", one + fmt.Sprintf(instance, "Two", "!Ref Back", "AWS_INSTANCE_IPV4: !GetAtt Lookup.IP, AWS_INSTANCE_PORT: 1"), nil, `500 {"message":"Internal Server Error"}`, "Two doesn't say where it is"},
		{"without-port", fmt.Sprintf(instance, "One", "!Ref Back", "AWS_INSTANCE_IPV4: "+host), nil, `500 {"message":"Internal Server Error"}`, `bind Bindings.Upstreams["Back"], or write`},
		{"bad-port", fmt.Sprintf(instance, "One", "!Ref Back", "AWS_INSTANCE_IPV4: "+host+", AWS_INSTANCE_PORT: x"), nil, `500 {"message":"Internal Server Error"}`, "Upstreams[0]"},
		{"ec2", fmt.Sprintf(instance, "One", "!Ref Back", "AWS_EC2_INSTANCE_ID: i-1"), nil, `500 {"message":"Internal Server Error"}`, "One doesn't say"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc := read(t, cloudMap(tt.instances), cloudformation.Options{})
			g, err := definition.Build(t.Context(), doc, definition.Bindings{Upstreams: tt.bound, Logger: slog.New(slog.DiscardHandler)})
			require.NoError(t, err)
			defer g.Close()
			w := httptest.NewRecorder()
			h, err := g.Stage("Api", "$default")
			require.NoError(t, err)
			h.ServeHTTP(w, httptest.NewRequest("GET", "http://api.example/x", nil))
			require.Equal(t, tt.want, fmt.Sprint(w.Code, " ", w.Body), "%s", g.Report())
			require.Contains(t, g.Report().String(), tt.report)
		})
	}
}

// An Update that moves the instances is served by the new ones.
func TestCloudMapInstancesMove(t *testing.T) {
	var docs []*definition.Document
	for i := range 2 {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, i) }))
		defer s.Close()
		host, port, err := net.SplitHostPort(s.Listener.Addr().String())
		require.NoError(t, err)
		docs = append(docs, read(t, cloudMap(fmt.Sprintf("  I: {Type: AWS::ServiceDiscovery::Instance, Properties: {ServiceId: !Ref Back, InstanceAttributes: {AWS_INSTANCE_IPV4: %s, AWS_INSTANCE_PORT: %s}}}\n", host, port)), cloudformation.Options{}))
	}
	g, err := definition.Build(t.Context(), docs[0], definition.Bindings{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	defer g.Close()
	for i, doc := range docs {
		require.NoError(t, g.Update(t.Context(), doc))
		h, err := g.Stage("Api", "$default")
		require.NoError(t, err)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "http://api.example/x", nil))
		require.Equal(t, fmt.Sprint(i), w.Body.String())
	}
}
