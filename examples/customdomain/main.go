// Customdomain serves three APIs under one name in TLS, by base path, and one of them once more
// under a name whose clients have to show a certificate.
//
//	go run ./examples/customdomain
//
// It makes a certificate authority and certificates at the start, in a directory that it removes at
// the end, and prints what to try. With -host, -cert and -key it serves under a name of yours, with
// files that are looked at again when they change:
//
//	go run ./examples/customdomain -addr :443 -host api.mycompany.com -cert cert.pem -key key.pem
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/domain"
	"github.com/gatekit-go/gatekit/route"
)

const partners = "partners.mycompany.com"

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "address to listen on; port 0 takes a free one")
	host := flag.String("host", "api.mycompany.com", "custom domain name")
	cert := flag.String("cert", "", "PEM file of the name's certificate; empty makes one")
	key := flag.String("key", "", "PEM file of the certificate's key")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *addr, *host, *cert, *key); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, addr, host, cert, key string) error {
	orders, err := api("orders")
	if err != nil {
		return err
	}
	users, err := api("users")
	if err != nil {
		return err
	}
	payments, err := api("payments")
	if err != nil {
		return err
	}
	names := []domain.Name{{
		Host: host, Certificate: domain.Files(cert, key),
		Mappings: []domain.Mapping{
			{BasePath: "orders", Handler: orders},
			{BasePath: "users", Handler: users},
			{BasePath: "payments/v1", Handler: payments},
		},
	}}
	var made *files
	if cert == "" {
		if made, err = makeFiles(host, partners); err != nil {
			return err
		}
		defer os.RemoveAll(made.dir)
		names[0].Certificate = domain.Files(made.cert, made.key)
		names = append(names, domain.Name{
			Host: partners, Certificate: domain.Files(made.cert, made.key),
			MutualTLS: &domain.MutualTLS{TruststoreFile: made.truststore},
			Mappings:  []domain.Mapping{{Handler: payments}},
		})
	}
	d, err := domain.New(ctx, domain.Config{Names: names})
	if err != nil {
		return err
	}
	return serve(ctx, addr, d, func(at string) {
		if made != nil {
			printTry(at, host, made)
		}
	})
}

func serve(ctx context.Context, addr string, d *domain.Domain, started func(addr string)) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           gatekit.LogRefusals(nil)(d), // refusals, and why, on stderr
		TLSConfig:         d.TLSConfig(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      30 * time.Second,
		MaxHeaderBytes:    10 << 10, // the managed gateway's
	}
	fmt.Printf("listening on %s\n", listener.Addr())
	started(listener.Addr().String())
	go func() {
		<-ctx.Done()
		last, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = server.Shutdown(last)
	}()
	// No files: the certificates are TLSConfig's.
	if err := server.ServeTLS(listener, "", ""); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// api is an API that knows nothing of the name and the base path that it is served under.
func api(name string) (http.Handler, error) {
	a, err := route.New(route.Config{})
	if err != nil {
		return nil, err
	}
	a.Handle("GET /{id}", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rc := gatekit.From(r.Context())
		caller := "anybody"
		if c := rc.ClientCert(); c != nil {
			caller = c.Subject.CommonName
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"api":%q,"id":%q,"basePath":%q,"caller":%q}`, name, r.PathValue("id"), rc.BasePath(), caller)
	}))
	return a, nil
}

// printTry prints commands for one shell, each with what it answers behind the #. --connect-to
// stands in for DNS.
func printTry(addr, host string, f *files) {
	fmt.Printf("\nAPI=https://%s\nPARTNERS=https://%s\n", host, partners)
	fmt.Printf("CA=%s\nTO=::%s\nCERT=%s\nKEY=%s\n", f.authority, addr, f.clientCert, f.clientKey)
	fmt.Print(strings.ReplaceAll(`
# three APIs under one name
curl -sw ' %{http_code}\n' --cacert $CA --connect-to $TO $API/orders/7   # {"api":"orders","id":"7","basePath":"orders","caller":"anybody"} 200
curl -sw ' %{http_code}\n' --cacert $CA --connect-to $TO $API/users/ann   # {"api":"users","id":"ann","basePath":"users","caller":"anybody"} 200
curl -sw ' %{http_code}\n' --cacert $CA --connect-to $TO $API/payments/v1/42   # {"api":"payments","id":"42","basePath":"payments/v1","caller":"anybody"} 200
# a path that belongs to none, one that an API has no route for, and a host that isn't ours
curl -sw ' %{http_code}\n' --cacert $CA --connect-to $TO $API/invoices/7   # {"message":"Forbidden"} 403
curl -sw ' %{http_code}\n' --cacert $CA --connect-to $TO $API/orders/7/items   # {"message":"Not Found"} 404
curl -sw ' %{http_code}\n' --cacert $CA --connect-to $TO -H 'Host: www.mycompany.com' $API/orders/7   # {"message":"Forbidden"} 403
# partners show a certificate; who has none gets no connection
curl -sw ' %{http_code}\n' --cacert $CA --connect-to $TO --cert $CERT --key $KEY $PARTNERS/42   # {"api":"payments","id":"42","basePath":"","caller":"bank"} 200
curl -s --cacert $CA --connect-to $TO $PARTNERS/42 || echo refused   # refused
# nor does another name's connection help
curl -sw ' %{http_code}\n' --cacert $CA --connect-to $TO -H 'Host: PARTNERSHOST' $API/42   # {"message":"Misdirected Request"} 421
`, "PARTNERSHOST", partners))
}
