// Function posts each message back to its connection, as it would on AWS: where to and with which
// key is the SDK's to find in its environment.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	management "github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
)

func main() {
	sdk, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		panic(err)
	}
	client := management.NewFromConfig(sdk)
	lambda.Start(func(ctx context.Context, e events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
		_, err := client.PostToConnection(ctx, &management.PostToConnectionInput{
			ConnectionId: &e.RequestContext.ConnectionID, Data: []byte("you said " + e.Body),
		})
		return events.APIGatewayProxyResponse{StatusCode: 200}, err
	})
}
