package route

import (
	"cmp"
	"maps"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/nearest"
)

// Stage is a name under which an [API] is served, with what is particular to it. (Developer guide,
// "Stages for HTTP APIs", "Set up a stage".)
type Stage struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Name is the first segment of the paths that the stage serves, or "$default" for the stage of
	// all paths that no other serves, which only HTTP APIs have. Required.
	Name string
	// API is what the stage serves. It may be several stages'. Its Config.Stage is empty or Name.
	// Required.
	API *API
	// Variables are the stage variables: at most 100, names of letters, digits and _, up to 64
	// characters, values up to 2,048 of A-Z a-z 0-9 - . _ ~ : / ? # & = and comma. They are no
	// place for secrets.
	Variables map[string]string
	// MethodSettings are the settings of single methods, by path ("pets/{id}/GET"), and of all
	// others ("*/*"): see gatekit.NewStageSettings. throttle.NewMethodLimits and route/cache do
	// what they say. Each is for a route that the API or the canary's API has: its key, or ANY of
	// its path.
	MethodSettings map[string]gatekit.MethodSettings
	// Deployment names the version of the configuration: $context.deploymentId. Empty, or letters,
	// digits, - . _ up to 128.
	Deployment string
	// DeploymentHeader is a response header that carries Deployment, such as "X-Deployment-Id";
	// none if empty.
	DeploymentHeader string
	// Canary takes a share of the stage's requests. nil takes none.
	Canary *Canary
}

// Canary is the part of a stage on which a new version is tried. (Developer guide, "Set up an API
// Gateway canary release deployment".)
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
	// Key makes the canary sticky: requests of one key ("" excepted) are all on one side, on every
	// machine, and moving Percent up only moves keys to the canary. It runs before authorizers, so
	// what it reads is what the client says. nil draws for each request, as the managed gateway
	// does.
	Key func(*http.Request) string
}

var (
	stageName      = regexp.MustCompile(`^([A-Za-z0-9_-]{1,128}|\$default)$`)
	variableName   = regexp.MustCompile(`^[A-Za-z0-9_]{1,64}$`)
	variableValue  = regexp.MustCompile(`^[A-Za-z0-9\-._~:/?#&=,]+$`)
	deploymentName = regexp.MustCompile(`^[A-Za-z0-9._-]{0,128}$`)
)

const (
	maxVariables     = 100
	maxVariableValue = 2048
)

const defaultStage = "$default"

// check adds every mistake in s to m.
func (s *Stage) check(m *mistakes.Mistakes) {
	m.Require(stageName.MatchString(s.Name), "Name", `want 1 to 128 letters, digits, - or _, or "$default", got %q`,
		s.Name)
	if s.API == nil {
		m.Add("API", "want an API, got nil")
	} else {
		s.checkAPI(m, s.API)
		m.Require(s.Name != defaultStage || s.API.identity.Flavor != gatekit.REST, "Name",
			"want a name that is a path's first segment, as a REST API has no $default stage")
	}
	checkVariables(m, s.Variables)
	checkDeployment(m, s.Deployment)
	m.Require(s.DeploymentHeader == "" || httpword.IsToken(s.DeploymentHeader), "DeploymentHeader",
		"want the name of a header, got %q", s.DeploymentHeader)
	m.Require(s.DeploymentHeader == "" || s.Deployment != "", "Deployment", "want one for the header %s, got none",
		s.DeploymentHeader)
	if s.Canary != nil {
		s.checkCanary(m.Under("Canary"), s.Canary)
	}
}

func (s *Stage) checkCanary(m *mistakes.Mistakes, c *Canary) {
	mistakes.Range(m, "Percent", c.Percent, 0, 100)
	if c.API != nil {
		s.checkAPI(m, c.API)
		if s.API != nil {
			own, canary := s.API.identity.Flavor, c.API.identity.Flavor
			m.Require(own == canary, "API", "want an API of the stage's flavor, %v, got %v", own, canary)
		}
	}
	checkVariables(m, c.Variables)
	if merged := len(merge(s.Variables, c.Variables)); len(c.Variables) <= maxVariables {
		m.Require(merged <= maxVariables, "Variables", "want at most %d together with the stage's, got %d",
			maxVariables, merged)
	}
	checkDeployment(m, c.Deployment)
}

func (s *Stage) checkAPI(m *mistakes.Mistakes, a *API) {
	own := a.identity.Stage
	m.Require(own == "" || own == s.Name, "API", "want an API whose Config.Stage is empty or %q, got %q", s.Name, own)
}

func checkVariables(m *mistakes.Mistakes, variables map[string]string) {
	m.Require(len(variables) <= maxVariables, "Variables", "want at most %d, got %d", maxVariables, len(variables))
	for _, key := range slices.Sorted(maps.Keys(variables)) {
		m.Require(variableName.MatchString(key), "Variables", "want names of 1 to 64 letters, digits or _, got %q", key)
		// The value isn't told: someone may have put a secret there.
		v := variables[key]
		m.Require(len(v) <= maxVariableValue && variableValue.MatchString(v), "Variables",
			"want a value of 1 to 2,048 of A-Z a-z 0-9 -._~:/?#&=, for %s", key)
	}
}

func checkDeployment(m *mistakes.Mistakes, name string) {
	m.Require(deploymentName.MatchString(name), "Deployment", "want letters, digits, - . or _, at most 128, got %q",
		name)
}

// build builds the stage's APIs, and looks for the methods that have settings. s has been checked.
func (s *Stage) build(m *mistakes.Mistakes, settings *gatekit.StageSettings) {
	apis := []*API{s.API}
	if err := s.API.Build(); err != nil {
		m.Add("API", "%w", err)
	}
	if s.Canary != nil && s.Canary.API != nil && s.Canary.API != s.API {
		apis = append(apis, s.Canary.API)
		if err := s.Canary.API.Build(); err != nil {
			m.Add("Canary.API", "%w", err)
		}
	}
	for method, resource := range settings.Methods() {
		has := func(a *API) bool { return a.hasMethod(method, resource) }
		if !slices.ContainsFunc(apis, has) {
			key := method + " " + resource
			m.Add("MethodSettings", "want the method of a route, got %q%s", key, nearest.Hint(key, s.API.keys()))
		}
	}
}

// hasMethod reports whether some request is one of the method's: on its own route, or on the one of
// any method.
func (a *API) hasMethod(method, resource string) bool {
	for key := range a.keys() {
		if of, path, ok := strings.Cut(key, " "); ok && path == resource && (of == method || of == "ANY") {
			return true
		}
	}
	return false
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

// newServed returns the stage as it is served. s has been checked; settings are nil if it has none.
func newServed(s Stage, settings *gatekit.StageSettings) *served {
	out := &served{name: s.Name, own: side{api: s.API, identity: s.API.identity,
		header: http.CanonicalHeaderKey(s.DeploymentHeader)}}
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
	return out
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
