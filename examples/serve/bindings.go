package main

import (
	"context"
	"os"
	"strings"

	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/route/definition"
	"github.com/gatekit-go/gatekit/route/integration"
)

// bindings are what stands in for AWS.
func (s *server) bindings() definition.Bindings {
	b := definition.Bindings{
		Upstreams: map[string]integration.HTTPConfig{}, OtherFunction: s.code.Function, Strict: s.strict,
		Credentials: auth.StaticCredentials{s.key[0]: {SecretAccessKey: s.key[1]}},
		OtherKey:    func(r definition.Ref) (string, bool) { return s.keyOf(r.LogicalID), true },
	}
	issuer := definition.IssuerBinding{URL: s.issuer.URL()}
	if s.options.issuer != "" {
		issuer.URL = s.options.issuer
	}
	if issuer.URL != "own" {
		b.OtherIssuer = func(definition.Ref) (definition.IssuerBinding, bool) { return issuer, true }
	}
	credentials := func(context.Context) (integration.Credentials, error) {
		return integration.Credentials{AccessKeyID: s.key[0], SecretAccessKey: s.key[1]}, nil
	}
	b.OtherService = func(r definition.Ref) (integration.ServiceConfig, bool) {
		for _, name := range r.Also { // such as sqs:SendMessage, sqs, SQS-SendMessage
			name, _, _ = strings.Cut(strings.ReplaceAll(strings.ToLower(name), "-", ":"), ":")
			if endpoint := s.endpoints[name]; endpoint != "" {
				return integration.ServiceConfig{Endpoint: endpoint, Credentials: credentials}, true
			}
		}
		return integration.ServiceConfig{}, false
	}
	for name, addr := range s.upstreams {
		b.Upstreams[name] = integration.HTTPConfig{Upstreams: []integration.Upstream{{Address: addr}}}
	}
	return b
}

// keyOf is the value of an API key of which the template has none.
func (s *server) keyOf(logicalID string) string { return "key-" + logicalID + "-" + s.key[2] }

// environment adds to a function's variables a key of this gateway's, where services are, and what
// flags say.
func (s *server) environment(_ string, variables map[string]string) {
	variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"] = s.key[0], s.key[1]
	for service, endpoint := range s.endpoints {
		variables["AWS_ENDPOINT_URL_"+strings.ToUpper(service)] = endpoint
	}
	for name, value := range s.variables {
		if value == "$" {
			value = os.Getenv(name)
		}
		variables[name] = value
	}
}
