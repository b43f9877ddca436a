package gatekit

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"

	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/requestpath"
)

// Flavor is the kind of API whose wire conventions answers follow: bodies, header names, the form
// of request IDs. The package documentation compares the three.
type Flavor uint8

const (
	// HTTP is an HTTP API, API Gateway's version 2. The default.
	HTTP Flavor = iota
	// REST is a REST API, API Gateway's version 1.
	REST
	// WebSocket is a WebSocket API.
	WebSocket
	flavors // how many there are
)

// String returns "HTTP", "REST" or "WebSocket".
func (f Flavor) String() string {
	switch f {
	case HTTP:
		return "HTTP"
	case REST:
		return "REST"
	case WebSocket:
		return "WebSocket"
	}
	return fmt.Sprintf("Flavor(%d)", uint8(f))
}

// API is what ARNs, events and error forms need to know of the API that a request is for, and of
// the stage that serves it. Every field may be empty: an ARN then carries a documented constant in
// its place, and a policy that names a specific API fails closed.
//
// All requests of a stage share one: it must not be written to once it is in use.
type API struct {
	// Flavor says whose wire conventions answers follow.
	Flavor Flavor
	// AccountID is the 12-digit account that owns the API.
	AccountID string
	// Region is where the API lives, such as "us-east-1".
	Region string
	// APIID is the API's identifier, such as "a1b2c3d4e5".
	APIID string
	// Stage is the stage's name, or "$default".
	Stage string

	// Variables are the stage variables. The map must not be written to.
	Variables map[string]string
	// Settings are what the stage says of its methods, or nil.
	Settings *StageSettings
	// DeploymentID names the deployment of the API that is served, where the stage was given one.
	DeploymentID string
	// Canary is $context.isCanaryRequest: "true" or "false" on a stage that has a canary, else "".
	Canary string
}

// Described reports whether anything is known of the API.
func (a *API) Described() bool {
	return a.Flavor != HTTP || a.AccountID != "" || a.Region != "" || a.APIID != "" || a.Stage != "" ||
		len(a.Variables) > 0 || a.Settings != nil || a.DeploymentID != "" || a.Canary != ""
}

var (
	accountIDForm = regexp.MustCompile(`^[0-9]{12}$`)
	regionForm    = regexp.MustCompile(`^[a-z]{2,}(-[a-z0-9]+)+$`)
	apiIDForm     = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)
	stageForm     = regexp.MustCompile(`^([A-Za-z0-9_-]{1,128}|\$default)$`)
)

// Validate returns nil, or one error that joins every field that can't be what it says. Empty
// fields are fine. (Stage names: CloudFormation reference, "AWS::ApiGatewayV2::Stage".)
func (a API) Validate() error {
	m := mistakes.In("gatekit: API")
	m.Require(a.Flavor <= WebSocket, "Flavor", "want HTTP, REST or WebSocket, got %v", a.Flavor)
	for _, f := range []struct {
		name, value, want string
		form              *regexp.Regexp
	}{
		{"AccountID", a.AccountID, "12 digits", accountIDForm},
		{"Region", a.Region, `a region such as "us-east-1"`, regionForm},
		{"APIID", a.APIID, "1 to 64 letters, digits, - or _", apiIDForm},
		{"Stage", a.Stage, `1 to 128 letters, digits, - or _, or "$default"`, stageForm},
	} {
		m.Require(f.value == "" || f.form.MatchString(f.value), f.name, "want %s, got %q", f.want, f.value)
	}
	return m.Err()
}

// Describe returns a middleware that tells the stations behind it which API a request is for, where
// no route.API does: under http.ServeMux or chi. It returns an error that lists every field it
// refuses.
func Describe(a API) (Middleware, error) {
	if err := a.Validate(); err != nil {
		return nil, err
	}
	a.Variables = maps.Clone(a.Variables)
	return func(next http.Handler) http.Handler {
		return &described{api: &a, next: next}
	}, nil
}

type described struct {
	api  *API
	next http.Handler
}

func (h *described) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rc, r := Attach(r)
	rc.API = h.api
	if rc.API.Flavor == REST {
		rc.AdoptRequestID(r.Header)
	}
	r = requestpath.FollowRequest(&rc.Path, r, rc.API.Flavor == REST)
	h.next.ServeHTTP(w, r)
}

// Station implements [Station].
func (h *described) Station() (kind string, next http.Handler) { return "describe", h.next }
