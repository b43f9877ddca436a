// Orders is the function behind GET /orders/{id}, as it is deployed to Lambda.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

func main() { lambda.Start(getOrder) }

func getOrder(_ context.Context, e events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	id := e.PathParameters["id"]
	if id == "0" {
		return events.APIGatewayV2HTTPResponse{}, fmt.Errorf("there is no order %s", id)
	}
	body, err := json.Marshal(map[string]string{
		"id": id, "shop": os.Getenv("SHOP"), "for": e.RequestContext.Authorizer.JWT.Claims["sub"],
	})
	return events.APIGatewayV2HTTPResponse{
		StatusCode: 200, Headers: map[string]string{"Content-Type": "application/json"}, Body: string(body),
	}, err
}
