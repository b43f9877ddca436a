package route

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"sync/atomic"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/requestpath"
)

// Stages is an http.Handler that serves the stages of an API by the first segment of the path, as
// the managed gateway's own endpoint does:
//
//	/prod/orders/7 → the stage prod, whose API sees /orders/7
//	/orders/7      → the stage $default, if there is one and none is named orders
//
// Behind a custom domain the mapping names the stage, and the path isn't looked at: see
// [Stages.Handler]. Stages may be replaced while requests are served. It is safe for concurrent
// use.
type Stages struct {
	current atomic.Pointer[stageSet]
}

// stageSet is what Replace replaces as a whole.
type stageSet struct {
	byName   map[string]*served
	fallback *served      // $default, or nil
	identity *gatekit.API // of requests without a stage
}

// NewStages returns the stages, or one error that lists every field it refuses, and what
// [API.Build] does, which it calls. It copies them. All are of one flavor, as a client that names
// no stage must be answered in it.
func NewStages(stages ...Stage) (*Stages, error) {
	set, err := newStageSet(stages)
	if err != nil {
		return nil, err
	}
	s := &Stages{}
	s.current.Store(set)
	return s, nil
}

// Replace puts other stages in the place of all that there are, at one instant: requests that have
// begun end with what they began with, and each later one sees only the new. What limiters and
// caches count isn't lost, as they belong to who made them: give the new API the old one's. On an
// error, which lists every field it refuses, nothing changes.
func (s *Stages) Replace(stages ...Stage) error {
	set, err := newStageSet(stages)
	if err != nil {
		return err
	}
	s.current.Store(set)
	return nil
}

func newStageSet(stages []Stage) (*stageSet, error) {
	if len(stages) == 0 {
		return nil, errors.New("route: NewStages: want at least one Stage, got none")
	}
	m := mistakes.In("route: Stage")
	set := &stageSet{byName: make(map[string]*served, len(stages))}
	flavor, known := gatekit.HTTP, false // the first API's
	for i, stage := range stages {
		m := m.Index(i)
		before := m.Len()
		stage.check(m)
		settings, err := gatekit.NewStageSettings(stage.MethodSettings)
		if err != nil {
			m.Add("MethodSettings", "%w", err)
		}
		if m.Len() > before {
			continue // what can't be built isn't
		}
		stage.build(m, settings)
		m.Require(set.byName[stage.Name] == nil, "Name", "want names that differ, got %q twice", stage.Name)
		if of := stage.API.identity.Flavor; !known {
			flavor, known = of, true
		} else {
			m.Require(of == flavor, "API", "want APIs of one flavor, got %v beside %v", of, flavor)
		}
		if len(stage.MethodSettings) == 0 {
			settings = nil
		}
		set.byName[stage.Name] = newServed(stage, settings)
	}
	if err := m.Err(); err != nil {
		return nil, err
	}
	set.fallback = set.byName[defaultStage]
	delete(set.byName, defaultStage) // no segment is $default's
	identity := stages[0].API.identity
	identity.Stage = ""
	set.identity = &identity
	return set, nil
}

// names are the stages' names, sorted.
func (set *stageSet) names() iter.Seq[string] {
	return slices.Values(slices.Sorted(maps.Keys(set.byName)))
}

func (set *stageSet) named(name string) *served {
	if name == defaultStage {
		return set.fallback
	}
	return set.byName[name]
}

// ServeHTTP sends the request to the stage that its path begins with, or to $default; without
// either it is refused, an HTTP API's with 404, a REST API's with 403.
func (s *Stages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	set := s.current.Load()
	if set.fallback == nil && gatekit.From(r.Context()) == nil && r.Header["X-Amzn-Requestid"] == nil {
		// Asked before anything is attached: whoever asks for what isn't there shall cost as little
		// as can be.
		path := requestpath.Of(r)
		if sent, _ := path.Routed().Raw(); set.byName[firstSegment(sent)] == nil {
			refuseStage(w, r, set, "")
			return
		}
	}
	rc, r := gatekit.Attach(r)
	path, _ := rc.Path.Routed().Raw()
	if stage := set.byName[firstSegment(path)]; stage != nil {
		stage.serve(w, r, true)
		return
	}
	if set.fallback != nil {
		set.fallback.serve(w, r, false)
		return
	}
	refuseStage(w, r, set, firstSegment(path))
}

// What a request for no stage gets.
var (
	noStageHTTP = &gatekit.Rejection{Type: gatekit.ResourceNotFound}
	noStageREST = &gatekit.Rejection{
		Type: gatekit.Default4XX, Status: http.StatusForbidden, Message: "Forbidden", Header: http.Header{"X-Amzn-Errortype": {"ForbiddenException"}},
	}
)

// refuseStage refuses a request for a stage of that name.
func refuseStage(w http.ResponseWriter, r *http.Request, set *stageSet, name string) {
	api, rc := set.identity, gatekit.From(r.Context())
	if rc.Keeps(gatekit.KeepOutcomes) {
		set.noteNoStage(rc, name)
	}
	if rc != nil && !api.Described() {
		api = rc.API
	}
	if api.Flavor == gatekit.REST {
		rc.AdoptRequestID(r.Header)
		api.Reject(w, r, noStageREST)
		return
	}
	api.Reject(w, r, noStageHTTP)
}

// Handler returns one stage as a handler that doesn't look at the path: for a mapping of a custom
// domain. It follows [Stages.Replace]; while the stage isn't there, requests are refused. It
// returns an error if the stage isn't there now.
func (s *Stages) Handler(name string) (http.Handler, error) {
	if s.current.Load().named(name) == nil {
		return nil, fmt.Errorf("route: Stages.Handler: want the name of a stage, got %q", name)
	}
	return &stageHandler{stages: s, name: name}, nil
}

type stageHandler struct {
	stages *Stages
	name   string
}

func (h *stageHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	set := h.stages.current.Load()
	if stage := set.named(h.name); stage != nil {
		stage.serve(w, r, false)
		return
	}
	refuseStage(w, r, set, h.name)
}

// serve fills in what the stage knows, and serves with the stage's API or its canary's. cut takes
// the stage's name off the path.
func (s *served) serve(w http.ResponseWriter, r *http.Request, cut bool) {
	rc, r := gatekit.Attach(r)
	if cut {
		r = withoutStage(r, s.name)
		requestpath.Follow(&rc.Path, r.URL, rc.API.Flavor == gatekit.REST)
	}
	side := s.side(r)
	rc.API = &side.identity
	if rc.Keeps(gatekit.KeepOutcomes) {
		s.noteStage(rc, side)
	}
	if side.header != "" {
		w.Header()[side.header] = []string{side.identity.DeploymentID}
	}
	side.api.serve(w, r, rc, &side.identity)
}

// withoutStage returns a copy of r whose path begins behind the stage's name.
func withoutStage(r *http.Request, name string) *http.Request {
	c := &struct {
		r http.Request
		u url.URL
	}{*r, requestpath.Cut(r.URL, 1+len(name))}
	c.r.URL = &c.u
	return &c.r
}

// side draws: by the request's key where the canary has one, so that each client stays where it is.
func (s *served) side(r *http.Request) *side {
	if s.canary == nil {
		return &s.own
	}
	draw := rand.Uint64()
	if s.key != nil {
		if key := s.key(r); key != "" {
			sum := sha256.Sum256([]byte(s.name + "\x00" + s.canary.identity.DeploymentID + "\x00" + key))
			draw = binary.BigEndian.Uint64(sum[:])
		}
	}
	if s.always || draw < s.share {
		return s.canary
	}
	return &s.own
}
