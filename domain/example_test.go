package domain_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/domain"
)

// named is an API that tells its name and the path that is left for its routes.
func named(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, name, " ", r.URL.Path) })
}

func show(h http.Handler, r *http.Request) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Body)
}

func ExampleNew() {
	d := gatekit.Must(domain.New(context.Background(), domain.Config{Names: []domain.Name{{
		Host: "api.mycompany.com", // Certificate: domain.Files("cert.pem", "key.pem"), and http.Server{TLSConfig: d.TLSConfig()}
		Mappings: []domain.Mapping{
			{BasePath: "orders", Handler: named("orders")},
			{BasePath: "orders/v2", Handler: named("orders, second version")},
			{BasePath: "users", Handler: named("users")},
		},
	}}}))
	for _, url := range []string{
		"https://api.mycompany.com/orders/7", "https://api.mycompany.com/orders/v2/7", "https://api.mycompany.com/users",
		"https://api.mycompany.com/ordersX", "https://www.mycompany.com/orders/7",
	} {
		show(d, httptest.NewRequest("GET", url, nil))
	}
	// Output:
	// 200 orders /7
	// 200 orders, second version /7
	// 200 users /
	// 403 {"message":"Forbidden"}
	// 403 {"message":"Forbidden"}
}

// Tenants by subdomain: the exact name precedes the wildcard.
func ExampleNew_wildcard() {
	tenant := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "tenant ", gatekit.From(r.Context()).DomainName())
	})
	d := gatekit.Must(domain.New(context.Background(), domain.Config{Names: []domain.Name{
		{Host: "*.example.com", Mappings: []domain.Mapping{{Handler: tenant}}},
		{Host: "admin.example.com", Mappings: []domain.Mapping{{Handler: named("admin")}}},
	}}))
	for _, host := range []string{"acme.example.com", "admin.example.com", "a.b.example.com"} {
		show(d, httptest.NewRequest("GET", "https://"+host+"/", nil))
	}
	// Output:
	// 200 tenant acme.example.com
	// 200 admin /
	// 403 {"message":"Forbidden"}
}

func ExampleRoutingRule() {
	d := gatekit.Must(domain.New(context.Background(), domain.Config{Names: []domain.Name{{
		Host: "api.example.com", RoutingMode: domain.RoutingRuleThenAPIMapping,
		Rules: []domain.RoutingRule{{
			Priority: 10, MatchHeaders: []domain.AnyOf{{{Header: "X-Client", ValueGlob: "beta-*"}}},
			MatchBasePaths: []string{"orders"}, StripBasePath: true, Handler: named("next orders"),
		}},
		Mappings: []domain.Mapping{{BasePath: "orders", Handler: named("orders")}},
	}}}))
	for _, client := range []string{"beta-7", "web"} {
		r := httptest.NewRequest("GET", "https://api.example.com/orders/7", nil)
		r.Header.Set("X-Client", client)
		show(d, r)
	}
	// Output:
	// 200 next orders /7
	// 200 orders /7
}

// A host whose clients have to show a certificate isn't served on connections that weren't made for
// it.
func ExampleMutualTLS() {
	pair, truststore := exampleCertificate("bank.example.com")
	d := gatekit.Must(domain.New(context.Background(), domain.Config{Names: []domain.Name{{
		Host: "bank.example.com", Certificate: domain.Static(pair),
		MutualTLS: &domain.MutualTLS{Truststore: truststore}, // or TruststoreFile, which is looked at again
		Mappings:  []domain.Mapping{{Handler: named("bank")}},
	}}}))
	show(d, httptest.NewRequest("GET", "http://bank.example.com/", nil))
	// Output:
	// 421 {"message":"Misdirected Request"}
}

// The worst mistake: the API stays open under the name that the gateway made for it. Disable that
// one.
func ExampleDisabledEndpoint() {
	d := gatekit.Must(domain.New(context.Background(), domain.Config{Names: []domain.Name{
		{Host: "api.example.com", Mappings: []domain.Mapping{{Handler: named("orders")}}},
		{Host: "a1b2c3.execute-api.eu-central-1.amazonaws.com", Mappings: []domain.Mapping{{Handler: domain.DisabledEndpoint(gatekit.HTTP)}}},
	}}))
	show(d, httptest.NewRequest("GET", "https://a1b2c3.execute-api.eu-central-1.amazonaws.com/orders", nil))
	// Output:
	// 404 {"message":"Not Found"}
}

// A configuration that can't be meant doesn't start, and tells all that is wrong with it.
func ExampleNew_incorrect() {
	_, err := domain.New(context.Background(), domain.Config{Names: []domain.Name{{
		Host:     "API.example.com",
		Mappings: []domain.Mapping{{BasePath: "/orders", Handler: named("orders")}},
		Rules:    []domain.RoutingRule{{Priority: 10, Handler: named("next orders")}},
	}}})
	fmt.Println(err)
	// Output:
	// domain: Config.Names[0].Host: want lower case, no port and no dot at the end, got "API.example.com"
	// domain: Config.Names[0].RoutingMode: want one that looks at Rules beside them, got ""
	// domain: Config.Names[0].Mappings[0].BasePath: want letters, digits and $-_.+!*'() in segments divided by single slashes, none at the ends, got "/orders"
}
