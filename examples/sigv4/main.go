// Sigv4 is service to service with IAM authorization: one service verifies signatures, the other
// signs with the AWS SDK. Each caller's policy says what it may do. It is a module of its own, so
// that only this example needs the SDK:
//
//	go -C examples/sigv4 run .
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/policy"
	"github.com/gatekit-go/gatekit/route"
)

const (
	region      = "us-east-1"
	billingID   = "AKIDBILLING"
	emptyHash   = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	billingText = `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:*:*:a1b2c3d4e5/prod/GET/invoices*"}]}`
)

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "address to listen on; port 0 takes a free one")
	secret := flag.String("secret", "an-example-secret-of-forty-characters-xx",
		"the billing service's secret access key")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *addr, *secret); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, addr, secret string) error {
	api, err := gateway(secret)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: api, ReadHeaderTimeout: 5 * time.Second}
	url := "http://" + listener.Addr().String()
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	go func() {
		answer, err := call(ctx, url+"/invoices/7", secret)
		if err != nil {
			log.Print(err)
		}
		fmt.Printf("listening on %s\nthe billing service, with the AWS SDK: %s\n", url, answer)
		printTry(url, secret)
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// gateway is the service that is called.
func gateway(secret string) (http.Handler, error) {
	mayRead, err := policy.Parse(billingText)
	if err != nil {
		return nil, err
	}
	iam, err := auth.NewSigV4(auth.SigV4Config{Credentials: auth.StaticCredentials{billingID: {
		SecretAccessKey: secret, Policy: mayRead, Principal: policy.Principal{ARN: "arn:aws:iam::111122223333:user/billing"},
	}}})
	if err != nil {
		return nil, err
	}
	api, err := route.New(route.Config{API: gatekit.API{
		Flavor: gatekit.REST, Region: region, AccountID: "111122223333", APIID: "a1b2c3d4e5", Stage: "prod",
	}})
	if err != nil {
		return nil, err
	}
	api.Use(gatekit.LogRefusals(nil)) // refusals, and why, on stderr
	api.UseMatched(iam.Middleware)
	api.Handle("ANY /invoices/{id}", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "invoice %s for %s", r.PathValue("id"), gatekit.From(r.Context()).Authorization.Principal())
	}))
	return api, nil
}

// call is the service that calls: what any client of the managed gateway does.
func call(ctx context.Context, url, secret string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	credentials := aws.Credentials{AccessKeyID: billingID, SecretAccessKey: secret}
	if err := v4.NewSigner().SignHTTP(ctx, credentials, r, emptyHash, "execute-api", region, time.Now()); err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return fmt.Sprintf("%s %d", body, resp.StatusCode), err
}

// printTry prints commands for one shell, each with what it answers behind the #. curl signs from
// 7.75 on.
func printTry(url, secret string) {
	fmt.Printf("\nAPI=%s\nSERVICE=aws:amz:%s:execute-api\nKEY=%s:%s\n", url, region, billingID, secret)
	fmt.Print(`
# the same with curl
curl -sw ' %{http_code}\n' --aws-sigv4 $SERVICE --user $KEY $API/invoices/7   # invoice 7 for arn:aws:iam::111122223333:user/billing 200
# without a signature
curl -sw ' %{http_code}\n' $API/invoices/7   # {"message":"Missing Authentication Token"} 403
# with another secret
curl -sw ' %{http_code}\n' --aws-sigv4 $SERVICE --user ${KEY}x $API/invoices/7   # {"message":"The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."} 403
# what its policy doesn't allow
curl -sw ' %{http_code}\n' --aws-sigv4 $SERVICE --user $KEY -X DELETE $API/invoices/7   # {"Message":"User: arn:aws:iam::111122223333:user/billing is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:us-east-1:********3333:a1b2c3d4e5/prod/DELETE/invoices/7 because no identity-based policy allows the execute-api:Invoke action"} 403
`)
}
