package cloudformation_test

import (
	"fmt"
	"maps"
	"slices"
	"testing/fstest"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/cloudformation"
)

// A SAM template is read as the service translates it: the API that no resource describes is there,
// and so is its preflight.
func ExampleRead_sam() {
	fsys := fstest.MapFS{"template.yaml": {Data: []byte(`
Transform: AWS::Serverless-2016-10-31
Globals:
  Api:
    Cors: "'https://shop.example'"
    Auth:
      DefaultAuthorizer: Users
      AddDefaultAuthorizerToCorsPreflight: false
      Authorizers:
        Users: {UserPoolArn: !GetAtt Pool.Arn}
Resources:
  Pool: {Type: AWS::Cognito::UserPool}
  Pets:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: ./pets
      Handler: pets.handler
      Runtime: nodejs22.x
      Events:
        List: {Type: Api, Properties: {Path: /pets, Method: get}}
        Health: {Type: Api, Properties: {Path: /health, Method: get, Auth: {Authorizer: NONE}}}
`)}}
	doc := gatekit.Must(cloudformation.Read(fsys, "template.yaml", cloudformation.Options{}))
	for _, api := range doc.APIs {
		fmt.Println(api.ID, slices.Sorted(maps.Keys(api.Stages)))
		for _, key := range slices.Sorted(maps.Keys(api.Routes)) {
			route := api.Routes[key]
			fmt.Println(key, route.Auth.Type, route.Integration.Type)
		}
	}
	// Output:
	// ServerlessRestApi [Prod Stage]
	// GET /health NONE AWS_PROXY
	// GET /pets COGNITO_USER_POOLS AWS_PROXY
	// OPTIONS /health NONE MOCK
	// OPTIONS /pets NONE MOCK
}
