package route

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/nearest"
)

// Stage is a name under which an [API] is served, with what is particular to it. (Developer guide, "Stages for HTTP APIs", "Set up a stage".)
type Stage struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Name is the first segment of the paths that the stage serves, or "$default" for the stage of all paths that no other serves, which
	// only HTTP APIs have. Required.
	Name string
	// API is what the stage serves. It may be several stages'. Its Config.Stage is empty or Name. Required.
	API *API
	// Variables are the stage variables: at most 100, names of letters, digits and _, up to 64 characters, values up to 2,048 of
	// A-Z a-z 0-9 - . _ ~ : / ? # & = and comma. They are no place for secrets.
	Variables map[string]string
	// MethodSettings are the settings of single methods, by path ("pets/{id}/GET"), and of all others ("*/*"): see
	// gatekit.NewStageSettings. throttle.NewMethodLimits and route/cache do what they say. Each
	// is for a route that the API or the canary's API has: its key, or ANY of its path.
	MethodSettings map[string]gatekit.MethodSettings
	// Deployment names the version of the configuration: $context.deploymentId. Empty, or letters, digits, - . _ up to 128.
	Deployment string
	// DeploymentHeader is a response header that carries Deployment, such as "X-Deployment-Id"; none if empty.
	DeploymentHeader string
	// Canary takes a share of the stage's requests. nil takes none.
	Canary *Canary
}

// Canary is the part of a stage on which a new version is tried. (Developer guide, "Set up an API Gateway canary release deployment".)
type Canary struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Percent is the canary's share of the requests, 0 to 100.
	Percent float64
	// API serves the canary's requests; nil is the stage's own.
	API *API
	// Variables are set over the stage's, name by name.
	Variables map[string]string
	// Deployment names the canary's version; empty is the stage's.
	Deployment string
	// Key makes the canary sticky: requests of one key ("" excepted) are all on one side, on every machine, and moving Percent up only moves
	// keys to the canary. It runs before authorizers, so what it reads is what the client says. nil draws for each request, as the managed
	// gateway does.
	Key func(*http.Request) string
}

var (
	stageName      = regexp.MustCompile(`^([A-Za-z0-9_-]{1,128}|\$default)$`)
	variableName   = regexp.MustCompile(`^[A-Za-z0-9_]{1,64}$`)
	variableValue  = regexp.MustCompile(`^[A-Za-z0-9\-._~:/?#&=,]+$`)
	deploymentName = regexp.MustCompile(`^[A-Za-z0-9._-]{0,128}$`)
	headerName     = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]*$")
)

const (
	maxVariables     = 100
	maxVariableValue = 2048
)

const defaultStage = "$default"

// check returns every mistake in s, each named as a part of field.
func (s *Stage) check(field string) error {
	var errs []error
	bad := func(name, format string, args ...any) {
		errs = append(errs, fmt.Errorf("route: %s.%s: %s", field, name, fmt.Sprintf(format, args...)))
	}
	if !stageName.MatchString(s.Name) {
		bad("Name", `want 1 to 128 letters, digits, - or _, or "$default", got %q`, s.Name)
	}
	if s.API == nil {
		bad("API", "want an API, got nil")
	} else {
		s.checkAPI(s.API, "API", bad)
	}
	checkVariables(s.Variables, "Variables", bad)
	if !deploymentName.MatchString(s.Deployment) {
		bad("Deployment", "want letters, digits, - . or _, at most 128, got %q", s.Deployment)
	}
	if !headerName.MatchString(s.DeploymentHeader) {
		bad("DeploymentHeader", "want the name of a header, got %q", s.DeploymentHeader)
	}
	if s.DeploymentHeader != "" && s.Deployment == "" {
		bad("Deployment", "want one for the header %s, got none", s.DeploymentHeader)
	}
	if c := s.Canary; c != nil {
		if !(c.Percent >= 0 && c.Percent <= 100) { // NaN compares false
			bad("Canary.Percent", "want 0 to 100, got %v", c.Percent)
		}
		if c.API != nil {
			s.checkAPI(c.API, "Canary.API", bad)
			if s.API != nil && c.API.identity.Flavor != s.API.identity.Flavor {
				bad("Canary.API", "want an API of the stage's flavor, %v, got %v", s.API.identity.Flavor, c.API.identity.Flavor)
			}
		}
		checkVariables(c.Variables, "Canary.Variables", bad)
		if merged := len(merge(s.Variables, c.Variables)); merged > maxVariables && len(c.Variables) <= maxVariables {
			bad("Canary.Variables", "want at most %d together with the stage's, got %d", maxVariables, merged)
		}
		if !deploymentName.MatchString(c.Deployment) {
			bad("Canary.Deployment", "want letters, digits, - . or _, at most 128, got %q", c.Deployment)
		}
	}
	return errors.Join(errs...)
}

// build builds the stage's APIs, and looks for the methods that have settings.
func (s *Stage) build(field string) error {
	var errs []error
	apis := []*API{s.API}
	if s.Canary != nil && s.Canary.API != nil && s.Canary.API != s.API {
		apis = append(apis, s.Canary.API)
	}
	for i, api := range apis {
		if err := api.Build(); err != nil {
			errs = append(errs, fmt.Errorf("route: %s.%s: %w", field, [...]string{"API", "Canary.API"}[i], err))
		}
	}
	settings, err := gatekit.NewStageSettings(s.MethodSettings)
	if err != nil {
		return errors.Join(errs...) // newServed has told
	}
	for method, resource := range settings.Methods() {
		has := func(a *API) bool { return a.hasMethod(method, resource) }
		if !slices.ContainsFunc(apis, has) {
			key := method + " " + resource
			errs = append(errs, fmt.Errorf("route: %s.MethodSettings: want the method of a route, got %q%s", field, key, nearest.Hint(key, s.API.keys())))
		}
	}
	return errors.Join(errs...)
}

// hasMethod reports whether some request is one of the method's: on its own route, or on the one of any method.
func (a *API) hasMethod(method, resource string) bool {
	for key := range a.keys() {
		if of, path, ok := strings.Cut(key, " "); ok && path == resource && (of == method || of == "ANY") {
			return true
		}
	}
	return false
}

func (s *Stage) checkAPI(a *API, name string, bad func(name, format string, args ...any)) {
	if own := a.identity.Stage; own != "" && own != s.Name {
		bad(name, "want an API whose Config.Stage is empty or %q, got %q", s.Name, own)
	}
	if s.Name == defaultStage && a.identity.Flavor == gatekit.REST {
		bad("Name", "want a name that is a path's first segment, as a REST API has no $default stage")
	}
}

func checkVariables(variables map[string]string, name string, bad func(name, format string, args ...any)) {
	if len(variables) > maxVariables {
		bad(name, "want at most %d, got %d", maxVariables, len(variables))
	}
	for _, key := range slices.Sorted(maps.Keys(variables)) {
		if !variableName.MatchString(key) {
			bad(name, "want names of 1 to 64 letters, digits or _, got %q", key)
		}
		if v := variables[key]; len(v) > maxVariableValue || !variableValue.MatchString(v) { // the value isn't told: someone may have put a secret there
			bad(name, "want a value of 1 to 2,048 of A-Z a-z 0-9 -._~:/?#&=, for %s", key)
		}
	}
}

// merge returns a map of its own, with over's values set over base's; nil if there are none.
func merge(base, over map[string]string) map[string]string {
	if len(base)+len(over) == 0 {
		return nil
	}
	merged := make(map[string]string, len(base)+len(over))
	maps.Copy(merged, base)
	maps.Copy(merged, over)
	return merged
}

// served is a stage that has been checked.
type served struct {
	name   string
	own    side
	canary *side
	share  uint64 // of 2^64, below which a draw is the canary's
	always bool   // 100 percent, which share can't say
	key    func(*http.Request) string
}

// side is a stage's own part, or its canary's.
type side struct {
	api      *API
	identity gatekit.API // with what the stage says
	header   string      // in canonical form, or empty
}

func newServed(s Stage) (*served, error) {
	settings, err := gatekit.NewStageSettings(s.MethodSettings)
	if err != nil {
		return nil, err
	}
	if len(s.MethodSettings) == 0 {
		settings = nil
	}
	out := &served{name: s.Name, own: side{api: s.API, identity: s.API.identity, header: http.CanonicalHeaderKey(s.DeploymentHeader)}}
	own := &out.own.identity
	own.Stage, own.Variables, own.Settings, own.DeploymentID = s.Name, merge(s.Variables, nil), settings, s.Deployment
	if c := s.Canary; c != nil {
		canary := out.own
		if c.API != nil {
			canary.api, canary.identity = c.API, c.API.identity
			canary.identity.Stage, canary.identity.Settings = s.Name, settings
		}
		canary.identity.Variables = merge(s.Variables, c.Variables)
		canary.identity.DeploymentID = cmp.Or(c.Deployment, s.Deployment)
		own.Canary, canary.identity.Canary = "false", "true"
		out.canary, out.key = &canary, c.Key
		out.always = c.Percent == 100
		if !out.always {
			out.share = uint64(c.Percent / 100 * math.MaxUint64)
		}
	}
	return out, nil
}

// firstSegment is that of an escaped path, which may be a stage's name, or "".
func firstSegment(path string) string {
	path, ok := strings.CutPrefix(path, "/")
	if !ok {
		return ""
	}
	segment, _, _ := strings.Cut(path, "/")
	return segment
}
