package integration

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/awsservice"
	"github.com/gatekit-go/gatekit/internal/hopbyhop"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/requestpath"
	"github.com/gatekit-go/gatekit/internal/selector"
	"github.com/gatekit-go/gatekit/internal/sigv4"
	"github.com/gatekit-go/gatekit/internal/upstream"
	"github.com/gatekit-go/gatekit/internal/wholebody"
)

// Service is an http.Handler that calls an AWS service: what an integration of type AWS is on a
// REST API, and an integration with a subtype on an HTTP API. It is safe for concurrent use.
//
// With ServiceConfig.URI it stands under transform.REST, which makes path, query, headers and body
// by its mappings and templates, and selects the response by the service's status. What goes out is
// signed here (Signature Version 4), as a whole: a client's word reaches the service only where a
// mapping puts it, and never its host, its action, the signature's headers or the region.
//
//	path/…      is sent as it was mapped
//	action/…    of a service with a JSON protocol (DynamoDB, Step Functions, Kinesis, EventBridge …):
//	            POST /, with the X-Amz-Target and Content-Type of the action;
//	            of others: the parameters Action and Version in the query
//
// With ServiceConfig.Subtype its parameters make the request, and the service's answer is passed
// on. Requests that lack a value are 400, be the parameter required or not, as is a value that is
// empty.
//
// Requests and answers are kept in memory, up to the bounds of the config. A service that can't be
// reached, or is too slow, is answered for as an HTTP integration's upstream is.
type Service struct {
	config      ServiceConfig
	uri         *awsservice.URI // of type AWS
	subtype     *subtype        // of an HTTP API
	parameters  []serviceParameter
	asksBody    bool
	endpoint    *url.URL // nil: the service's own
	timeout     [3]time.Duration
	maxRequest  int64
	maxResponse int64
	pool        *upstream.Pool
}

// NewService returns a Service, or one error that lists every field it refuses. It copies cfg and
// calls nobody. When ctx has ended requests are still served, for a program that is shutting down,
// but no connection is kept.
func NewService(ctx context.Context, cfg ServiceConfig) (*Service, error) {
	m := mistakes.In("integration: ServiceConfig")
	s := &Service{config: cfg}
	h, found := s.config.check(m, s)
	if err := m.Err(); err != nil {
		return nil, err
	}
	s.config.RequestParameters = nil // parsed
	s.pool = h.newPool(ctx, found)
	for f := range s.timeout {
		s.timeout[f] = cmp.Or(cfg.Timeout, gatekit.Flavor(f).Limits().IntegrationTimeout)
	}
	return s, nil
}

// Station implements [gatekit.Station]. An integration is where a chain ends.
func (s *Service) Station() (kind string, next http.Handler) { return "integration.Service", nil }

// serviceRequest is what is asked of a service.
type serviceRequest struct {
	service awsservice.Service
	subtype *subtype // nil of type AWS
	host    string
	method  string
	path    string // as it is on the wire
	query   string
	header  http.Header
	body    []byte
}

var (
	errUnmapped = errors.New("integration: want transform.REST around a Service with a URI, with the same URI: " +
		"a client's own request isn't signed")
	errAnotherAction = errors.New("integration: want no other action than the URI's, behind the last dot of an " +
		"X-Amz-Target or as Action of a form: another one isn't called")
	errRegion         = errors.New("integration: want ServiceConfig.Region, a parameter Region or an API with a region")
	errServiceTimeout = fmt.Errorf("integration: from the service %w", upstream.ErrTimeout)
	errCredentials    = errors.New("integration: ServiceConfig.Credentials: want an id and a secret, fit for headers")
)

// ServeHTTP calls the service and answers with what it says.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rc, r := gatekit.Attach(r)
	flavor := gatekit.HTTP
	if int(rc.API.Flavor) < len(s.timeout) {
		flavor = rc.API.Flavor
	}
	to, err := s.request(rc, r)
	if err != nil {
		refuseService(w, r, err)
		return
	}
	x := &serviceCall{service: s, rc: rc, flavor: flavor, client: w}
	x.Began = time.Now()
	ctx, cancel := context.WithTimeoutCause(r.Context(), s.timeout[flavor], errServiceTimeout)
	defer cancel()
	if err := x.prepare(ctx, r, to); err != nil {
		refuseService(w, r, err)
		return
	}
	x.serve(r)
}

// refuseService answers for err: a Rejection as it is, anything else as a mistake of the
// configuration.
func refuseService(w http.ResponseWriter, r *http.Request, err error) {
	var rej *gatekit.Rejection
	if !errors.As(err, &rej) {
		rej = &gatekit.Rejection{Type: gatekit.APIConfigurationError, Cause: err}
	}
	gatekit.Reject(w, r, rej)
}

// request makes what is asked.
func (s *Service) request(rc *gatekit.RequestContext, r *http.Request) (*serviceRequest, error) {
	if s.subtype != nil {
		return s.subtypeRequest(rc, r)
	}
	to := &serviceRequest{service: s.uri.Service, host: s.uri.Host(s.uri.Action), method: r.Method}
	if !rc.Mapped() || r.URL.Host != to.host {
		return nil, errUnmapped
	}
	var err error
	if to.body, err = wholebody.Read("integration", r, s.maxRequest); err != nil {
		return nil, err
	}
	to.path, to.query, to.header = r.URL.EscapedPath(), r.URL.RawQuery, make(http.Header, len(r.Header)+6)
	for name, values := range r.Header {
		if !ownHeader(name) {
			to.header[name] = values
		}
	}
	hopbyhop.Drop(to.header, nil)
	if action := s.uri.Action; action != "" {
		if err := to.call(action); err != nil {
			return nil, err
		}
	}
	if to.method == http.MethodGet || to.method == http.MethodHead {
		to.body = nil // transform.REST makes {} of none, which services don't expect there
	}
	return to, nil
}

// ownHeader reports whether a header is this integration's to write, or the connection's.
func ownHeader(name string) bool {
	switch name {
	case "Authorization", "Content-Length", "Expect", "Host", "X-Amz-Content-Sha256", "X-Amz-Date",
		"X-Amz-Security-Token":
		return true
	}
	return false
}

// call makes it the call of an action, whatever a mapping says: the URI names it, and the rights of
// the integration's role are chosen for it. A mapping may know the target of a JSON protocol, whose
// action is the URI's; services of the query protocol are told none, which some take, too.
func (to *serviceRequest) call(action string) error {
	if target, contentType, ok := to.service.Target(action); ok {
		to.method = http.MethodPost
		to.header["X-Amz-Target"], to.header["Content-Type"] = []string{target}, []string{contentType}
		return nil
	}
	version := to.service.Version()
	if target := to.header["X-Amz-Target"]; version != "" {
		delete(to.header, "X-Amz-Target")
	} else if len(target) > 0 {
		if len(target) > 1 || !strings.HasSuffix(target[0], "."+action) {
			return errAnotherAction
		}
		return nil
	}
	// A form in the body is read, too, and which of two actions wins is the service's secret.
	for pair := range splitQuery(string(to.body)) {
		name, value, _ := strings.Cut(pair, "=")
		if name, _ = url.QueryUnescape(name); name != "Action" {
			continue
		}
		if value, err := url.QueryUnescape(value); err != nil || value != action {
			return errAnotherAction
		}
	}
	pairs, versioned := "Action="+action, false
	for pair := range splitQuery(to.query) {
		name, _ := url.QueryUnescape(pair[:indexOr(pair, '=')])
		if name != "Action" {
			pairs += "&" + pair
		}
		versioned = versioned || name == "Version"
	}
	if version != "" && !versioned {
		pairs += "&Version=" + version
	}
	to.query = pairs
	return nil
}

// subtypeRequest fills a subtype's parameters in.
func (s *Service) subtypeRequest(rc *gatekit.RequestContext, r *http.Request) (*serviceRequest, error) {
	message := selector.Message{Context: rc, Request: r}
	if s.asksBody {
		var err error
		if message.Body, err = wholebody.Read("integration", r, s.maxRequest); err != nil {
			return nil, err
		}
	}
	values := make(map[string]string, len(s.parameters))
	for i := range s.parameters {
		p := &s.parameters[i]
		text, ok := p.text(message)
		if !ok || text == "" {
			return nil, badParameter(p.name, errors.New("what it is filled with isn't there, or empty"))
		}
		values[p.name] = text
	}
	region := cmp.Or(values[regionParameter], s.config.Region, rc.API.Region)
	switch {
	case region == "":
		return nil, errRegion
	case !awsservice.IsRegion(region): // it would be a part of the host
		return nil, badParameter(regionParameter, errors.New("want a region such as us-east-1"))
	}
	to := &serviceRequest{
		service: s.subtype.in(region), subtype: s.subtype, method: http.MethodPost, header: http.Header{},
	}
	to.host = to.service.Host(s.subtype.action)
	if err := s.subtype.build(to, values); err != nil {
		return nil, err
	}
	to.header["X-Amzn-Trace-Id"] = []string{traceOf(rc, r)}
	if rc.API.APIID != "" {
		to.header["User-Agent"] = []string{"AmazonAPIGateway_" + rc.API.APIID}
	}
	return to, nil
}

// badParameter is the 400 of a request that makes no call. The value isn't told.
func badParameter(name string, why error) error {
	return &gatekit.Rejection{
		Type: gatekit.Default4XX, Status: http.StatusBadRequest,
		Cause: fmt.Errorf("integration: the parameter %s: %w", name, why),
	}
}

// sign signs what is asked, for the address that it is sent to.
func (to *serviceRequest) sign(c Credentials, host string, at time.Time) error {
	path, ok := sigv4.Respell(cmp.Or(to.path, "/"))
	if !ok || requestpath.Set(&url.URL{}, path) != nil {
		return badTarget
	}
	// A plus is a blank to the services, but a plus to who signs it.
	to.path, to.query = path, plusAsBlank(to.query)
	hash := sigv4.Hash(to.body)
	to.header["X-Amz-Date"] = []string{sigv4.FormatTime(at)}
	to.header["X-Amz-Content-Sha256"] = []string{hash}
	if c.SessionToken != "" {
		to.header["X-Amz-Security-Token"] = []string{c.SessionToken}
	}
	name, region := to.service.Signing()
	signer := sigv4.Signer{
		Algorithm: sigv4.HMAC, AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey,
		Region: region, Service: name,
		Rules: sigv4.PathRules{KeepSegments: to.service.KeepsPath(), EscapeOnce: to.service.KeepsPath()},
	}
	authorization, err := signer.Authorization(&sigv4.Request{
		Method: to.method, Path: to.path, Query: to.query, Host: host, Header: to.header, BodyHash: hash,
	}, at)
	if err != nil {
		return badTarget
	}
	to.header["Authorization"] = []string{authorization}
	return nil
}
