package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	management "github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"
)

// function is what is deployed on AWS, where its main is
//
//	sdk, err := config.LoadDefaultConfig(context.Background())
//	f := &function{sdk: sdk, url: os.Getenv("CONNECTIONS_URL"), rooms: newRooms()}
//	lambda.Start(f.handle)
//
// and a table stands in place of rooms. Nothing in this file knows what the function runs behind.
type function struct {
	sdk aws.Config
	// url is where the management API is. Without one it is made of each event, as AWS's samples
	// do, which is good behind the managed gateway's own host names. A custom domain needs it, as
	// no event tells the base path; so does a gateway that takes any Host, as the domain in the
	// event is then whatever a client has sent.
	url   string
	rooms *rooms
}

// handle is called when a connection opens, for each of its messages, and when it has ended.
func (f *function) handle(
	ctx context.Context, e events.APIGatewayWebsocketProxyRequest,
) (events.APIGatewayProxyResponse, error) {
	id := e.RequestContext.ConnectionID
	var body struct{ Room, Text string }
	if e.RequestContext.EventType == "MESSAGE" && json.Unmarshal([]byte(e.Body), &body) != nil {
		return answer(errMessage)
	}
	var out []news
	var err error
	switch e.RequestContext.RouteKey {
	case "$connect":
		err = f.rooms.connect(id, e.QueryStringParameters["name"])
	case "$disconnect":
		out = f.rooms.disconnect(id)
	case "join":
		out, err = f.rooms.join(id, body.Room)
	case "say":
		out, err = f.rooms.say(id, body.Text)
	default:
		err = errMessage
	}
	if err != nil {
		return answer(err)
	}
	for _, n := range out {
		if err := f.post(ctx, e, n); err != nil {
			return events.APIGatewayProxyResponse{}, err
		}
	}
	return answer(nil)
}

// answer refuses a handshake by its status, and a message by its body, which is the reply.
func answer(refused error) (events.APIGatewayProxyResponse, error) {
	if refused == nil {
		return events.APIGatewayProxyResponse{StatusCode: http.StatusOK}, nil
	}
	body, err := json.Marshal(event{Type: "error", Text: refused.Error()})
	return events.APIGatewayProxyResponse{StatusCode: http.StatusBadRequest, Body: string(body)}, err
}

// post sends news to all whom they are for, at once: where one reads slowly the SDK comes again,
// and nobody else waits for that. Who has missed it then has to do without.
func (f *function) post(ctx context.Context, e events.APIGatewayWebsocketProxyRequest, n news) error {
	data, err := json.Marshal(n.event)
	if err != nil {
		return err
	}
	url := cmp.Or(f.url, "https://"+e.RequestContext.DomainName+"/"+e.RequestContext.Stage)
	client := management.NewFromConfig(f.sdk, func(o *management.Options) { o.BaseEndpoint = &url })
	errs := make([]error, len(n.to))
	var posts sync.WaitGroup
	for i, id := range n.to {
		posts.Go(func() {
			_, errs[i] = client.PostToConnection(ctx, &management.PostToConnectionInput{ConnectionId: &id, Data: data})
		})
	}
	posts.Wait()
	for i, err := range errs {
		_, gone := errors.AsType[*types.GoneException](err) // $disconnect is on its way
		_, slow := errors.AsType[*types.LimitExceededException](err)
		if gone || slow {
			errs[i] = nil
		}
	}
	return errors.Join(errs...)
}
