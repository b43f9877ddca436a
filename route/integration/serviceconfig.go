package integration

import (
	"cmp"
	"context"
	"net"
	"net/url"
	"time"

	"github.com/gatekit-go/gatekit/internal/awsservice"
	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/selector"
)

// ServiceConfig configures a [Service]. The zero value is refused: it names no service, and nobody
// would sign.
type ServiceConfig struct {
	_ struct{} // keyed literals only, so that fields can be added

	// URI is the service of a REST or WebSocket API's integration of type AWS:
	// arn:aws:apigateway:REGION:SERVICE:path/PATH, or :action/NAME, with SUBDOMAIN.SERVICE for a
	// bucket or an endpoint. It is for use under transform.REST, whose RESTConfig.URI is the same
	// text: that station fills in path and query.
	URI string
	// Subtype is what is called by an HTTP API's integration, in place of URI: "SQS-SendMessage",
	// "EventBridge-PutEvents", … See [Subtypes].
	Subtype string
	// RequestParameters are the parameters of a Subtype: text, or selectors, as in "$request.body",
	// "$request.path.id", or
	// `{"tenant":{"DataType":"String","StringValue":"${request.header.x}"}}`. The body is selected
	// from as in transform.Parameters, but for $request.body, which is all of it.
	RequestParameters map[string]string
	// Region is where a Subtype's service is, if its parameter Region doesn't say. Empty means the
	// API's (gatekit.API); if that isn't known either, the answer is 500.
	Region string
	// PassErrors answers with the service's own status and body where it refuses a Subtype's
	// request. Without it the answer is 500, as the managed gateway's is (asserted on it for
	// Kinesis-PutRecord).
	PassErrors bool

	// Credentials tells the key to sign with, for each request: as a role that may be assumed anew.
	// Required; an emulator takes any key. It is called by many goroutines and should answer from
	// memory. ctx ends with the integration's time. Its error is a 500, and stands in the cause.
	Credentials func(ctx context.Context) (Credentials, error)
	// Endpoint is an emulator, or a VPC endpoint, that requests are sent to in place of the
	// service's own: "http://localhost:4566". A subdomain of URI is put before its host in the Host
	// header alone, so that no name has to resolve. Requests are signed for the service and region
	// all the same.
	Endpoint string

	// Timeout is how long the whole answer may take, with the wait for credentials and for a
	// connection. 0 means the flavor's: 30 seconds for HTTP APIs, 29 for REST APIs. At least 50 ms.
	Timeout time.Duration
	// ConnectTimeout is how long a connection may take to be made, with its TLS handshake. 0 means
	// 5 seconds.
	ConnectTimeout time.Duration
	// MaxConnections is how many requests may be at the service at a time. 0 means 1,000.
	MaxConnections int
	// ConnectionWait is how long a request waits if so many are. 0 means 1 second.
	ConnectionWait time.Duration
	// MaxWaiting is how many wait at the most; more are refused at once. 0 means 1,000.
	MaxWaiting int
	// MaxRequestBytes is the longest request body, which is signed and therefore read whole. 0
	// means 10 MiB; at most 1 GiB.
	MaxRequestBytes int64
	// MaxResponseBytes is the longest response, which is kept in memory. 0 means 10 MiB; at most 1
	// GiB.
	MaxResponseBytes int64
	// TLS is for services that speak TLS, which all but emulators do.
	TLS TLS
	// Dial connects in place of net.Dialer. It must return when ctx ends.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Credentials are a key of AWS Signature Version 4. SessionToken goes with temporary ones.
type Credentials struct {
	AccessKeyID, SecretAccessKey, SessionToken string
}

// String hides the secrets from logs that print all they get.
func (c Credentials) String() string { return "Credentials(" + c.AccessKeyID + ")" }

// GoString is String, for %#v.
func (c Credentials) GoString() string { return c.String() }

// usable reports whether c can be put into headers.
func (c *Credentials) usable() bool {
	return httpword.IsToken(c.AccessKeyID) && len(c.AccessKeyID) <= 128 && c.SecretAccessKey != "" &&
		httpword.IsFieldValue(c.SessionToken) && len(c.SessionToken) <= 16<<10
}

// check adds every mistake in c to m, and fills in what a Service is made of.
func (c *ServiceConfig) check(m *mistakes.Mistakes, s *Service) (HTTPConfig, checked) {
	m.Require((c.URI == "") != (c.Subtype == ""), "URI", "want it or Subtype, got %s", bothOrNone(c.URI))
	m.Require(c.Credentials != nil, "Credentials", "want a func, got nil: requests couldn't be signed")
	mistakes.Range(m, "MaxRequestBytes", c.MaxRequestBytes, 0, maxBytes)
	mistakes.Range(m, "MaxResponseBytes", c.MaxResponseBytes, 0, maxBytes)
	m.Require(c.Region == "" || awsservice.IsRegion(c.Region),
		"Region", "want a region such as us-east-1, got %q", c.Region)
	if c.URI != "" {
		c.checkURI(m, s)
	}
	if c.Subtype != "" {
		c.checkSubtype(m, s)
	} else {
		m.Require(len(c.RequestParameters) == 0, "RequestParameters",
			"want none beside URI: transform.RESTConfig.RequestParameters maps the request")
		m.Require(!c.PassErrors && c.Region == "", "PassErrors", "want it, and Region, beside Subtype alone")
	}
	return c.checkHTTP(m, s)
}

func bothOrNone(uri string) string {
	if uri == "" {
		return "none"
	}
	return "both"
}

func (c *ServiceConfig) checkURI(m *mistakes.Mistakes, s *Service) {
	uri, err := awsservice.Parse(c.URI)
	switch {
	case err != nil:
		m.Add("URI", "%w", err)
	case uri.Name == awsservice.Lambda:
		m.Add("URI", "want a service other than lambda, whose functions NewLambda and NewLambdaCustom call, got %.100q",
			c.URI)
	case uri.Action != "" && uri.ByPath():
		m.Add("URI", "want path/… for %s, which is told by method and path what to do, got action/%s",
			uri.Name, uri.Action)
	default:
		s.uri = uri
	}
}

// serviceValues are what a subtype's parameters select from.
var serviceValues = selector.Grammar{
	Forms: []selector.Form{selector.Request},
	Kinds: selector.Header | selector.Query | selector.Body | selector.BodyPart | selector.Path |
		selector.PathVariable | selector.Context | selector.StageVariable,
}

func (c *ServiceConfig) checkSubtype(m *mistakes.Mistakes, s *Service) {
	found := subtypes[c.Subtype]
	if found == nil {
		m.Add("Subtype", "want one of %v, got %q", Subtypes(), c.Subtype)
		return
	}
	s.subtype = found
	parameters := m.Under("RequestParameters")
	for _, p := range found.parameters {
		text, given := c.RequestParameters[p.name]
		parameters.Require(given && text != "" || !p.required, p.name, "want it: %s demands it", c.Subtype)
		if text == "" {
			continue
		}
		value, err := serviceValues.ParseText(text)
		if err != nil {
			parameters.Add(p.name, "%w", err)
			continue
		}
		s.parameters = append(s.parameters, serviceParameter{p, value})
		s.asksBody = s.asksBody || value.Asks(selector.Body|selector.BodyPart)
	}
	for name := range c.RequestParameters {
		parameters.Require(found.has(name), name, "want one of %v", found.names())
	}
}

// checkHTTP checks what a Service has in common with a Proxy, by what a Proxy is made of.
func (c *ServiceConfig) checkHTTP(m *mistakes.Mistakes, s *Service) (HTTPConfig, checked) {
	base := "https://service.invalid" // in whose place the request's own comes
	if c.Endpoint != "" {
		u, err := url.Parse(c.Endpoint)
		if err == nil && (u.Scheme == "http" || u.Scheme == "https") && httpword.IsHost(u.Host) && u.User == nil &&
			(u.Path == "" || u.Path == "/") && u.RawQuery == "" && !u.ForceQuery && u.Fragment == "" {
			s.endpoint = u
			base = u.Scheme + "://" + u.Host
		} else {
			// It isn't shown: it may hold a password.
			m.Add("Endpoint", "want http://host:port or https://host, without a path, a query or a user")
		}
	}
	h := HTTPConfig{
		URI: base, Timeout: c.Timeout, ConnectTimeout: c.ConnectTimeout,
		MaxConnections: c.MaxConnections, ConnectionWait: c.ConnectionWait, MaxWaiting: c.MaxWaiting,
		TLS: c.TLS, Dial: c.Dial,
	}
	found := h.check(m)
	m.Require(!h.idleTLS(found.scheme), "TLS", "want none for an http Endpoint: nothing is encrypted")
	if s.endpoint == nil {
		found.host = "" // each request's URL says it
	}
	s.maxRequest = cmp.Or(c.MaxRequestBytes, maxPayload)
	s.maxResponse = cmp.Or(c.MaxResponseBytes, maxPayload)
	return h, found
}
