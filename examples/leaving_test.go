package examples_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing/fstest"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth/authtest"
	"github.com/gatekit-go/gatekit/route/cloudformation"
	"github.com/gatekit-go/gatekit/route/definition"
	"github.com/gatekit-go/gatekit/throttle/usageplan"
	"github.com/gatekit-go/gatekit/throttle/usageplan/boltstore"
)

// shop has a REST API for partners, whose keys have a quota, and an HTTP API for people.
const shop = `
Resources:
  Orders: {Type: AWS::Lambda::Function}
  Partners: {Type: AWS::ApiGateway::RestApi, Properties: {Name: partners}}
  Stock:
    Type: AWS::ApiGateway::Resource
    Properties: {RestApiId: !Ref Partners, ParentId: !GetAtt Partners.RootResourceId, PathPart: stock}
  GetStock:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Partners
      ResourceId: !Ref Stock
      HttpMethod: GET
      AuthorizationType: NONE
      ApiKeyRequired: true
      Integration:
        Type: AWS_PROXY
        IntegrationHttpMethod: POST
        Uri: !Sub 'arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Orders.Arn}/invocations'
  Deployment: {Type: AWS::ApiGateway::Deployment, DependsOn: GetStock, Properties: {RestApiId: !Ref Partners}}
  Prod: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref Partners, DeploymentId: !Ref Deployment, StageName: prod}}
  ShopKey: {Type: AWS::ApiGateway::ApiKey, Properties: {Name: shop, Enabled: true}}
  Gold:
    Type: AWS::ApiGateway::UsagePlan
    Properties: {Quota: {Limit: 5000, Period: MONTH}, ApiStages: [{ApiId: !Ref Partners, Stage: !Ref Prod}]}
  ShopInGold: {Type: AWS::ApiGateway::UsagePlanKey, Properties: {KeyId: !Ref ShopKey, KeyType: API_KEY, UsagePlanId: !Ref Gold}}
  People: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: people, ProtocolType: HTTP}}
  Login:
    Type: AWS::ApiGatewayV2::Authorizer
    Properties:
      ApiId: !Ref People
      Name: login
      AuthorizerType: JWT
      IdentitySource: ['$request.header.Authorization']
      JwtConfiguration: {Issuer: https://login.example, Audience: [orders]}
  ToOrders:
    Type: AWS::ApiGatewayV2::Integration
    Properties: {ApiId: !Ref People, IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt Orders.Arn, PayloadFormatVersion: '2.0'}
  GetOrder:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref People
      RouteKey: 'GET /orders/{id}'
      AuthorizationType: JWT
      AuthorizerId: !Ref Login
      AuthorizationScopes: ['orders:read']
      Target: !Sub 'integrations/${ToOrders}'
  Live: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref People, StageName: $default, AutoDeploy: true}}
`

// exportedKeys is what the AWS CLI answers to get-api-keys --include-values.
const exportedKeys = `{"items":[{"id":"k1","value":"0123456789abcdef0123","name":"shop","enabled":true,"stageKeys":[]}]}`

// answers is a function that answers with a body.
type answers string

func (a answers) Invoke(context.Context, []byte) ([]byte, error) {
	return json.Marshal(map[string]any{"statusCode": 200, "body": string(a)})
}

func Example_leaving() {
	ctx := context.Background()
	repository := fstest.MapFS{"template.yaml": {Data: []byte(shop)}}
	dir := gatekit.Must(os.MkdirTemp("", "leaving"))
	defer os.RemoveAll(dir)
	stateFile := filepath.Join(dir, "plans.db")
	issuer := gatekit.Must(authtest.StartIssuer())
	defer issuer.Close()
	orders, login := answers("[]"), definition.IssuerBinding{URL: issuer.URL()}

	var keys struct {
		Items []struct{ Name, Value string }
	}
	if err := json.Unmarshal([]byte(exportedKeys), &keys); err != nil {
		panic(err)
	}
	values := map[string]string{}
	for _, key := range keys.Items {
		values[key.Name] = key.Value
	}

	// README: Leaving
	store := gatekit.Must(boltstore.Open(ctx, stateFile, boltstore.Config{}))
	doc := gatekit.Must(cloudformation.Read(repository, "template.yaml", cloudformation.Options{})) // or openapi.Read
	gateway := gatekit.Must(definition.Build(ctx, doc, definition.Bindings{
		Functions: map[string]gatekit.Invoker{"Orders": orders}, // lambda.NewHandler(f) of aws-lambda-go
		Issuers:   map[string]definition.IssuerBinding{"https://login.example": login},
		Keys:      values, PlanStore: store, // by the names in keys.json
		Strict: true, // what isn't bound is an error, which says what to do
	}))
	plans := gatekit.Must(usageplan.NewRegistry(ctx, usageplan.RegistryConfig{Store: store}))
	err := plans.SetRemaining(ctx, "Gold", "ShopKey", 2) // of usage.json, for the plan and the key of the template
	// README: end

	defer gateway.Close()
	defer store.Close()
	fmt.Println(err)
	partners := gatekit.Must(gateway.Stage("Partners", "prod"))
	for range 3 {
		r := httptest.NewRequest("GET", "/stock", nil)
		r.Header.Set("X-Api-Key", "0123456789abcdef0123")
		w := httptest.NewRecorder()
		partners.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// <nil>
	// 200 []
	// 200 []
	// 429 {"message":"Limit Exceeded"}
}
