// Websocketlambda is a chat whose WebSocket API calls a function of aws-lambda-go, unchanged: it
// gets the managed gateway's events, and posts back to @connections with the AWS SDK, signed. It
// needs no account. It is a module of its own, so that only this example needs the SDK:
//
//	go -C examples/websocketlambda run .
//
// The function is in function.go; this file is what stands in place of the managed gateway. The
// program is also a client, with -dial.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/policy"
	"github.com/gatekit-go/gatekit/route/integration"
	"github.com/gatekit-go/gatekit/route/websocket"
)

// stage is the API, which events, ARNs and signatures are of.
var stage = gatekit.API{Region: "us-east-1", AccountID: "111122223333", APIID: "a1b2c3d4e5", Stage: "prod"}

// keyID is the function's access key, and functionMay what its role allows.
const (
	keyID       = "AKIDFUNCTION"
	functionMay = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:ManageConnections",
		"Resource":"arn:aws:execute-api:us-east-1:111122223333:a1b2c3d4e5/prod/POST/@connections/*"}]}`
)

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "address to listen on; port 0 takes a free one")
	url := flag.String("dial", "", "be a client, of this URL: each line that is typed is a message")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	if *url != "" {
		err = dial(ctx, *url, os.Stdin, os.Stdout)
	} else {
		err = run(ctx, *addr)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, addr string) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	url := "http://" + listener.Addr().String()
	secret := rand.Text()
	chat := &function{sdk: credentials(secret), url: url + "/prod", rooms: newRooms()}
	// Connections outlive ctx, so that Shutdown can say goodbye to them.
	handler, sockets, err := gateway(context.WithoutCancel(ctx), chat, secret)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	server := gatekit.HTTP.Limits().HTTPServer(handler) // a connection that is open has its own
	printTry(url)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		<-ctx.Done()
		last, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = sockets.Shutdown(last) // first, as $disconnect posts to whoever is still there
		_ = server.Shutdown(last)
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	<-ended
	return nil
}

// credentials are what config.LoadDefaultConfig finds in a function's environment.
func credentials(secret string) aws.Config {
	provider := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: keyID, SecretAccessKey: secret}, nil
	})
	return aws.Config{Region: stage.Region, Credentials: provider, HTTPClient: awshttp.NewBuildableClient()}
}

// gateway is the WebSocket API, and beside it its management API for whoever signs with secret.
func gateway(ctx context.Context, f *function, secret string) (http.Handler, *websocket.API, error) {
	chat, err := integration.NewLambda(lambda.NewHandler(f.handle), integration.LambdaConfig{})
	if err != nil {
		return nil, nil, err
	}
	sockets, err := websocket.New(ctx, websocket.Config{
		API: stage, RouteSelection: "$request.body.action", DrainOver: time.Second,
	})
	if err != nil {
		return nil, nil, err
	}
	logRefusals := gatekit.LogRefusals(nil) // refusals, and why, on stderr
	sockets.UseMessages(logRefusals)
	for _, key := range []string{"$connect", "join", "say", "$default", "$disconnect"} {
		sockets.Handle(key, chat)
	}
	iam, err := auth.NewSigV4(auth.SigV4Config{Credentials: auth.StaticCredentials{
		keyID: {SecretAccessKey: secret, Policy: gatekit.Must(policy.Parse(functionMay))},
	}})
	if err != nil {
		return nil, nil, err
	}
	connections, err := sockets.Connections(iam.Middleware, logRefusals)
	if err != nil {
		return nil, nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/prod", logRefusals(sockets))
	mux.Handle("/prod/@connections/", connections)
	return mux, sockets, sockets.Build()
}

// printTry prints commands for one shell, each with what it answers behind the #.
func printTry(url string) {
	program, err := os.Executable()
	if err != nil {
		program = os.Args[0]
	}
	fmt.Printf("listening on %s\n\nAPI=%s/prod\nWS=ws%s/prod\nCHAT='%s'\n", url, url, url[len("http"):], program)
	fmt.Print(`
# two messages to the function, which posts the second to all who are in the room
for m in '{"action":"join","room":"tea"}' '{"action":"say","text":"hi"}'; do echo "$m"; done | "$CHAT" -dial "$WS?name=ann" | tail -n 1   # {"type":"message","n":2,"from":"ann","text":"hi"}
# one that the function refuses, by a reply
for m in '{"action":"say","text":"hi"}'; do echo "$m"; done | "$CHAT" -dial "$WS?name=bob"   # {"type":"error","text":"join a room first"}
# no handshake
curl -sw ' %{http_code}\n' $API   # {"message":"Upgrade Required"} 426
# somebody else who posts to a connection
curl -sw ' %{http_code}\n' -d hi $API/@connections/AAAAAAAAAAAAAAA%3D   # {"message":"Forbidden"} 403

# to talk, run this in two shells, with a name each, and type such messages
#   "$CHAT" -dial "$WS?name=ann"
`)
}
