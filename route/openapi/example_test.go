package openapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/definition"
	"github.com/gatekit-go/gatekit/route/openapi"
)

const petstore = `openapi: 3.0.1
info: {title: Pets, version: "1"}
paths:
  /pets/{petId}:
    get:
      security: [{caller: []}]
      x-amazon-apigateway-integration:
        type: mock
        requestTemplates: {application/json: '{"statusCode": 200}'}
        responses:
          default: {responseTemplates: {application/json: '{"id":"$input.params(''petId'')"}'}}
    options:
      x-amazon-apigateway-integration:
        type: mock
        requestTemplates: {application/json: '{"statusCode": 200}'}
        responses: {default: {statusCode: 204}}
components:
  securitySchemes:
    caller:
      type: apiKey
      name: Authorization
      in: header
      x-amazon-apigateway-authorizer:
        type: token
        authorizerUri: arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:who/invocations
`

func ExampleRead() {
	doc, err := openapi.Read([]byte(petstore), openapi.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	route := doc.APIs[0].Routes["GET /pets/{petId}"]
	fmt.Println(route.Auth.Type, route.Auth.Authorizer, route.RequestParameters)
	fmt.Println(route.Integration.Origin)

	// What was read is served as it is.
	g := gatekit.Must(definition.Build(context.Background(), doc, definition.Bindings{
		DefaultStage: "prod", Functions: map[string]gatekit.Invoker{"who": who{}}}))
	defer g.Close()
	stage := gatekit.Must(g.Stage("api", "prod"))
	for _, token := range []string{"", "Ann"} {
		r := httptest.NewRequest("GET", "/pets/7", nil)
		if token != "" {
			r.Header.Set("Authorization", token)
		}
		w := httptest.NewRecorder()
		stage.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// CUSTOM caller map[method.request.path.petId:true]
	// line:8 /paths/~1pets~1{petId}/get/x-amazon-apigateway-integration
	// 401 {"message":"Unauthorized"}
	// 200 {"id":"7"}
}

// who is an authorizer function that lets everybody in.
type who struct{}

func (who) Invoke(context.Context, []byte) ([]byte, error) {
	return []byte(`{"principalId":"ann","policyDocument":{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"*"}]}}`), nil
}

// The import's errors come all at once, in the managed gateway's words.
func ExampleRead_incorrect() {
	text := strings.Replace(petstore, "type: mock", "type: mokc", 1)
	_, err := openapi.Read([]byte(text), openapi.Options{})
	fmt.Println(err)
	var refused *openapi.Error
	if errors.As(err, &refused) {
		fmt.Println(refused.Errors[0].Origin)
	}
	// Output:
	// openapi: Errors found during import:
	// 	Unable to parse API definition because of a malformed integration at path /pets/{petId}
	// line:8 /paths/~1pets~1{petId}/get/x-amazon-apigateway-integration
}

func ExampleWrite() {
	doc := gatekit.Must(openapi.Read([]byte(petstore), openapi.Options{}))
	text := gatekit.Must(openapi.Write(doc, "api", openapi.Options{Public: true}))
	fmt.Println(string(text[:strings.Index(string(text), `"options"`)]))
	// Output:
	// {
	//   "openapi": "3.0.1",
	//   "info": {
	//     "title": "Pets",
	//     "version": "1"
	//   },
	//   "paths": {
	//     "/pets/{petId}": {
	//       "get": {
	//         "parameters": [
	//           {
	//             "name": "petId",
	//             "in": "path",
	//             "required": true,
	//             "schema": {
	//               "type": "string"
	//             }
	//           }
	//         ],
	//         "responses": {
	//           "default": {
	//             "description": "What the backend answers."
	//           },
	//           "401": {
	//             "description": "The credentials are missing, or aren't valid.",
	//             "content": {
	//               "application/json": {
	//                 "schema": {
	//                   "type": "object",
	//                   "properties": {
	//                     "message": {
	//                       "type": "string"
	//                     }
	//                   }
	//                 }
	//               }
	//             }
	//           },
	//           "403": {
	//             "description": "The caller may not do this.",
	//             "content": {
	//               "application/json": {
	//                 "schema": {
	//                   "type": "object",
	//                   "properties": {
	//                     "message": {
	//                       "type": "string"
	//                     }
	//                   }
	//                 }
	//               }
	//             }
	//           }
	//         },
	//         "security": [
	//           {
	//             "caller": []
	//           }
	//         ]
	//       },
}
