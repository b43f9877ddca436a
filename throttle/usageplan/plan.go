package usageplan

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/bucket"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/routetree"
	"github.com/gatekit-go/gatekit/throttle"
)

// Plan is what the callers of some API stages may do. Its JSON form is the managed gateway's, so
// that what `aws apigateway get-usage-plans` prints can be taken over.
type Plan struct {
	// ID is 1 to 64 letters, digits, "-" or "_". One is made where it is empty.
	ID string `json:"id"`
	// Name is shown to people: 1 to 1024 bytes.
	Name string `json:"name"`
	// Description is shown to people.
	Description string `json:"description,omitempty"`
	// APIStages are what the plan covers. A plan without any covers nothing, and its keys are
	// refused.
	APIStages []APIStage `json:"apiStages,omitempty"`
	// Throttle is the bucket that each key has, over all stages of the plan together. nil doesn't
	// limit.
	Throttle *Throttle `json:"throttle,omitempty"`
	// Quota is how many units each key may use in a period, over all stages of the plan together.
	// nil doesn't limit; usage is counted all the same.
	Quota *Quota `json:"quota,omitempty"`
	// ProductCode and Tags are kept and shown, and change nothing: a product of AWS Marketplace,
	// and up to 50 names of 1 to 128 bytes with values up to 256.
	ProductCode string            `json:"productCode,omitempty"`
	Tags        map[string]string `json:"tags,omitempty"`
}

// APIStage is a stage of an API that a plan covers: both names as in the request's context
// ([gatekit.API]).
type APIStage struct {
	// APIID is the API's ID, or "*" for all of them. At most 1024 bytes, as is Stage.
	APIID string `json:"apiId"`
	// Stage is the stage's name, or "*" for all of them.
	Stage string `json:"stage"`
	// Throttle has buckets of single methods, for each key, by resource path and method as in
	// "/pets/{id}/GET". At most 20.
	Throttle map[string]Throttle `json:"throttle,omitempty"`
}

// Throttle is a token bucket. Either 0 blocks all.
type Throttle struct {
	// RateLimit is in requests per second.
	RateLimit float64 `json:"rateLimit"`
	// BurstLimit is what the bucket holds.
	BurstLimit int `json:"burstLimit"`
}

// Quota is how many units a key may use in a period.
type Quota struct {
	// Limit is in units; a request is one unit, unless Config.Cost or Charge.Settle say otherwise.
	Limit int64 `json:"limit"`
	// Period is DAY, WEEK or MONTH.
	Period Period `json:"period"`
	// Offset is subtracted from Limit in the period in which a key joins the plan.
	Offset int64 `json:"offset,omitempty"`
	// Mode is Exact, also if empty, or Fast.
	Mode Mode `json:"mode,omitempty"`
}

// Mode says how a quota is counted where several machines share it.
type Mode string

const (
	// Exact asks the store for each request. No more than the limit is let through, and no fewer.
	Exact Mode = "EXACT"
	// Fast takes units from the store in leases of up to a hundredth of the limit, and at most
	// 1,000, and counts them in the process. No more than the limit is let through. Fewer may be:
	// what other machines hold and haven't used (given back within a minute of idling, or at
	// [Registry.Flush]), and what a process held that crashed. Leases shrink as the quota nears its
	// end.
	Fast Mode = "FAST"
)

// The managed gateway's numbers, and ones that keep arithmetic exact in any store.
const (
	maxPlansPerKey     = 10
	maxMethodThrottles = 20
	maxStages          = 1000
	maxTags            = 50
	maxTagName         = 128
	maxTagValue        = 256
	maxUnits           = 1 << 50
)

// limit is t in this module's words. A plan is data of the managed gateway's, where either zero
// blocks all: throttle.Limit{}.
func (t Throttle) limit() throttle.Limit {
	if t.RateLimit == 0 && t.BurstLimit >= 0 || t.BurstLimit == 0 && t.RateLimit >= 0 {
		return throttle.Limit{}
	}
	return throttle.Limit{Rate: t.RateLimit, Burst: t.BurstLimit}
}

func (t Throttle) check(field string) error {
	if err := t.limit().Validate(field); err != nil {
		return err
	}
	if err := bucket.Check(t.RateLimit, t.BurstLimit); err != nil {
		return fmt.Errorf("usageplan: %s: %w", field, err)
	}
	return nil
}

// Validate returns an error, which is [ErrInvalid], that names each field of p that can't be one:
// of a plan that is to be created it wants the ID, too. It doesn't tell whether its keys are in
// other plans of its stages.
func (p Plan) Validate() error { return p.check() }

// check returns all that is wrong with p. Where there are too many of something, they aren't looked
// at one by one: the error has a bound as well.
func (p *Plan) check() error {
	m := mistakes.In("usageplan: Plan")
	m.Require(isID(p.ID), "ID", wantID, p.ID)
	m.Require(p.Name != "" && len(p.Name) <= maxName, "Name", "want 1 to %d bytes, got %d", maxName, len(p.Name))
	for _, text := range []struct{ field, value string }{{"Description", p.Description},
		{"ProductCode", p.ProductCode}} {
		m.Require(len(text.value) <= maxName, text.field, "want at most %d bytes, got %d", maxName, len(text.value))
	}
	if len(p.Tags) > maxTags {
		m.Add("Tags", "want at most %d, got %d", maxTags, len(p.Tags))
	} else {
		p.checkTags(m)
	}
	if p.Throttle != nil {
		m.Join(p.Throttle.check("Plan.Throttle"))
	}
	if p.Quota != nil {
		p.Quota.check(m.Under("Quota"))
	}
	if len(p.APIStages) > maxStages {
		m.Add("APIStages", "want at most %d, got %d", maxStages, len(p.APIStages))
	} else {
		p.checkStages(m.Under("APIStages"))
	}
	return invalid(m.Err())
}

func (p *Plan) checkTags(m *mistakes.Mistakes) {
	for _, name := range slices.Sorted(maps.Keys(p.Tags)) {
		m.Require(name != "" && len(name) <= maxTagName, "Tags", "want names of 1 to %d bytes, got %d", maxTagName,
			len(name))
		value := p.Tags[name]
		m.Require(len(value) <= maxTagValue, "Tags", "want values of at most %d bytes, got %d", maxTagValue, len(value))
	}
}

func (q *Quota) check(m *mistakes.Mistakes) {
	mistakes.Range(m, "Limit", q.Limit, 0, maxUnits)
	m.Require(slices.Contains([]Period{Day, Week, Month}, q.Period),
		"Period", "want DAY, WEEK or MONTH, got %.64q", string(q.Period))
	m.Require(q.Offset >= 0 && q.Offset <= q.Limit,
		"Offset", "want 0 to Limit, which is subtracted from the first period, got %d", q.Offset)
	m.Require(slices.Contains([]Mode{"", Exact, Fast}, q.Mode), "Mode", "want EXACT or FAST, got %.64q", string(q.Mode))
}

func (p *Plan) checkStages(all *mistakes.Mistakes) {
	for i, s := range p.APIStages {
		m := all.Index(i)
		m.Require(s.APIID != "" && s.Stage != "",
			"", `Invalid API Stage specified: want an API's ID and a stage's name, or "*" for all`)
		if len(s.APIID) > maxName || len(s.Stage) > maxName {
			m.Add("", "want at most %d bytes in each name", maxName)
			continue
		}
		for j, other := range p.APIStages[:i] {
			m.Require(!s.overlaps(other), "",
				"Invalid API Stage {api: %s, stage: %s} specified for usageplan %s: it overlaps with APIStages[%d]",
				s.APIID, s.Stage, p.ID, j)
		}
		m.Require(len(s.Throttle) <= maxMethodThrottles,
			"Throttle", "want at most %d methods, got %d", maxMethodThrottles, len(s.Throttle))
		s.checkMethods(m, fmt.Sprintf("Plan.APIStages[%d].Throttle", i))
	}
}

func (s *APIStage) checkMethods(m *mistakes.Mistakes, field string) {
	shapes := map[string]bool{}
	for _, method := range slices.Sorted(maps.Keys(s.Throttle)) {
		short := method[:min(len(method), 64)] // what a caller sent stays short in an error
		key, err := methodKey(method)
		shape := routetree.Shape(key)
		if err == nil && shapes[shape] {
			err = errors.New("it is there twice, in two spellings")
		}
		if err != nil {
			m.Under("Throttle").Key(short).Add("", "%w", err)
		}
		shapes[shape] = true
		m.Join(s.Throttle[method].check(fmt.Sprintf("%s[%q]", field, short)))
	}
}

// methodKey turns "/pets/{id}/GET" into the route key "GET /pets/{id}".
func methodKey(method string) (string, error) {
	i := strings.LastIndexByte(method, '/')
	if i < 0 || method[0] != '/' {
		return "", errors.New(`want a resource path and a method, such as "/pets/{id}/GET"`)
	}
	path := method[:i]
	if path == "" {
		path = "/" // "/GET" is the root's as "//GET" is
	}
	key := method[i+1:] + " " + path
	_, err := routetree.ParseKey(key)
	return key, err
}

func (s APIStage) covers(apiID, stage string) bool {
	return (s.APIID == apiID || s.APIID == "*") && (s.Stage == stage || s.Stage == "*")
}

// overlaps reports whether some request is one of both stages.
func (s APIStage) overlaps(t APIStage) bool {
	return (s.APIID == t.APIID || s.APIID == "*" || t.APIID == "*") &&
		(s.Stage == t.Stage || s.Stage == "*" || t.Stage == "*")
}

// within reports whether p covers no stage that q doesn't name.
func (p *Plan) within(q *Plan) bool {
	return !slices.ContainsFunc(p.APIStages, func(s APIStage) bool {
		return !slices.ContainsFunc(q.APIStages, func(t APIStage) bool {
			return s.APIID == t.APIID &&
				s.Stage == t.Stage
		})
	})
}

// overlaps reports whether some request is one of both plans.
func (p *Plan) overlaps(q *Plan) bool {
	return slices.ContainsFunc(p.APIStages, func(s APIStage) bool {
		return slices.ContainsFunc(q.APIStages, s.overlaps)
	})
}

// isID reports whether id can stand in a URL, a file and a line of CSV.
func isID(id string) bool {
	return id != "" && len(id) <= 64 && strings.IndexFunc(id, isNoIDChar) < 0
}

func isNoIDChar(c rune) bool {
	return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_')
}
