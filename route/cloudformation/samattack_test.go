package cloudformation_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/route/cloudformation"
)

// Thousands of events are as many routes, and none is copied for each other.
func TestSAMManyEvents(t *testing.T) {
	var b strings.Builder
	b.WriteString("Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      CodeUri: .\n      Handler: a.b\n      Runtime: c\n      Events:\n")
	for i := range 4000 {
		fmt.Fprintf(&b, "        E%d: {Type: Api, Properties: {Path: /p/%d, Method: get}}\n", i, i)
	}
	b.WriteString("Globals: {Api: {Auth: {DefaultAuthorizer: G0, Authorizers: {")
	for i := range 100 {
		fmt.Fprintf(&b, "G%d: {FunctionArn: !GetAtt F.Arn, Identity: {Header: H%d}}, ", i, i)
	}
	b.WriteString("}}}}\n")
	doc := read(t, b.String(), cloudformation.Options{})
	require.Equal(t, "G0", doc.APIs[0].Routes["GET /p/3999"].Auth.Authorizer)
	require.Len(t, doc.APIs[0].Routes, 4000)
}

// Thousands of functions, each with a condition of its own: Fn::Or takes ten, so that they are
// nested.
func TestSAMManyConditions(t *testing.T) {
	var conditions, resources strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&conditions, "  C%d: !Equals [a, %q]\n", i, "ab"[min(i, 1):min(i, 1)+1])
		fmt.Fprintf(&resources, "  F%d: {Type: AWS::Serverless::Function, Condition: C%d, Properties: {CodeUri: ., Handler: a.b, Runtime: c, Events: "+
			"{E: {Type: Api, Properties: {Path: /p/%d, Method: get}}}}}\n", i, i, i)
	}
	doc := read(t, "Conditions:\n"+conditions.String()+"Resources:\n"+resources.String(), cloudformation.Options{})
	require.Len(t, doc.APIs, 1)
	require.Len(t, doc.APIs[0].Routes, 1, "one of the conditions holds")
	require.Contains(t, doc.APIs[0].Routes, "GET /p/0")
}

// What a translation repeats for each resource or path is bounded.
func TestSAMTooLarge(t *testing.T) {
	list := strings.Repeat("192.0.2.1, ", 2000)
	var events, apis strings.Builder
	for i := range 600 {
		fmt.Fprintf(&events, "E%d: {Type: Api, Properties: {Path: /p/%d, Method: get}}, ", i, i)
		fmt.Fprintf(&apis, "  A%d: {Type: AWS::Serverless::Api, Properties: {StageName: s}}\n", i)
	}
	for name, text := range map[string]string{
		"globals": "Globals: {Api: {BinaryMediaTypes: [" + list + "]}}\nResources:\n" + apis.String(),
		"policy": "Globals: {Api: {Auth: {ResourcePolicy: {IpRangeWhitelist: [" + list + "]}}}}\nResources: {F: {Type: " +
			"AWS::Serverless::Function, Properties: {CodeUri: ., Handler: a.b, Runtime: c, Events: {" + events.String() + "}}}}\n",
		"text": "Globals: {Api: {Name: '" + strings.Repeat("a", 1<<20) + "'}}\nResources:\n" + apis.String(),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := tried(text, cloudformation.Options{})
			require.ErrorIs(t, err, doctree.ErrTooLarge)
			require.ErrorContains(t, err, "its translation from SAM has more than")
		})
	}
}

// Events that clash are each named, and what refers to itself ends.
func TestSAMClashesAndCycles(t *testing.T) {
	var b strings.Builder
	for i := range 300 {
		fmt.Fprintf(&b, "E%d: {Type: Api, Properties: {Path: /p, Method: get}}, ", i)
	}
	_, err := tried("Resources: {F: {Type: AWS::Serverless::Function, Properties: {CodeUri: ., Handler: a.b, Runtime: c, Events: {"+b.String()+"}}}}\n",
		cloudformation.Options{})
	require.ErrorContains(t, err, "resource F, event E1: the method get of /p is defined more than once")
	require.ErrorContains(t, err, "resource F, event E100: the method get of /p is defined more than once")
	require.ErrorContains(t, err, "\nand 199 more")

	for name, text := range map[string]string{
		"stage":   restAPI("Variables: {a: !Ref A.Stage}"),
		"itself":  "\n  A: {Type: AWS::Serverless::Api, Properties: {StageName: !Ref A.Stage}}",
		"globals": "\n  A: {Type: AWS::Serverless::Api, Properties: {StageName: s, Variables: {a: !Ref A}}}",
		"alias":   "\n  F: {Type: AWS::Serverless::Function, Properties: {CodeUri: ., Handler: a.b, Runtime: c, AutoPublishAlias: a, FunctionName: !Ref F.Alias}}",
		"null":    "\n  A: {Type: AWS::Serverless::Api, Properties: {StageName: s, Auth: , Cors: , Domain: , Models: , GatewayResponses: }}",
		"empty":   "\n  A: {Type: AWS::Serverless::HttpApi, Properties: {Auth: {}, CorsConfiguration: {}, RouteSettings: {}}}",
	} {
		t.Run(name, func(t *testing.T) {
			doc, err := tried("Resources:"+text+"\n", cloudformation.Options{})
			if err == nil {
				require.NotNil(t, doc)
			}
		})
	}
}

// A translation never panics, leaves the template as it is, and says the same of the same.
func FuzzTranslateSAM(f *testing.F) {
	for _, name := range samTemplates {
		text, err := os.ReadFile("testdata/sam/" + name + ".yaml")
		require.NoError(f, err)
		f.Add(string(text))
	}
	for _, properties := range []string{"Auth: [a]", "Cors: {AllowOrigin: ''}", "DefinitionBody: {openapi: 3.0.1, paths: {/p: {Fn::If: a}}}",
		"DefinitionBody: {openapi: 3.0.1, paths: {/p: {Fn::If: [a, {get: b}, !Ref AWS::NoValue]}}}", "Domain: {DomainName: a, CertificateArn: b, BasePath: [1]}"} {
		f.Add("Resources:" + restAPI(properties) + withEvent(restFunction, "Auth: {Authorizer: a}"))
		f.Add("Resources:" + httpAPI(properties) + withEvent(httpFunction, "RouteSettings: {a: b}"))
		f.Add("Globals: {Api: {" + properties + "}}\nResources:" + socketAPI(routes))
	}
	f.Fuzz(func(t *testing.T, text string) {
		before, after, out, err := cloudformation.TranslateSAM([]byte(text))
		require.Equal(t, before, after)
		if err != nil {
			require.Empty(t, out)
		}
		_, _, again, err2 := cloudformation.TranslateSAM([]byte(text))
		require.Equal(t, out, again)
		require.Equal(t, fmt.Sprint(err), fmt.Sprint(err2))
	})
}
