package usageplan

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/bucket"
	"github.com/gatekit-go/gatekit/internal/routetree"
	"github.com/gatekit-go/gatekit/throttle"
)

// Plan is what the callers of some API stages may do. Its JSON form is the managed gateway's, so that what `aws apigateway get-usage-plans`
// prints can be taken over.
type Plan struct {
	// ID is 1 to 64 letters, digits, "-" or "_". One is made where it is empty.
	ID string `json:"id"`
	// Name is shown to people: 1 to 1024 bytes.
	Name string `json:"name"`
	// Description is shown to people.
	Description string `json:"description,omitempty"`
	// APIStages are what the plan covers. A plan without any covers nothing, and its keys are refused.
	APIStages []APIStage `json:"apiStages,omitempty"`
	// Throttle is the bucket that each key has, over all stages of the plan together. nil doesn't limit.
	Throttle *Throttle `json:"throttle,omitempty"`
	// Quota is how many units each key may use in a period, over all stages of the plan together. nil doesn't limit; usage is counted all
	// the same.
	Quota *Quota `json:"quota,omitempty"`
	// ProductCode and Tags are kept and shown, and change nothing: a product of AWS Marketplace, and up to 50 names of 1 to 128 bytes with values
	// up to 256.
	ProductCode string            `json:"productCode,omitempty"`
	Tags        map[string]string `json:"tags,omitempty"`
}

// APIStage is a stage of an API that a plan covers: both names as in the request's context ([gatekit.API]).
type APIStage struct {
	// APIID is the API's ID, or "*" for all of them. At most 1024 bytes, as is Stage.
	APIID string `json:"apiId"`
	// Stage is the stage's name, or "*" for all of them.
	Stage string `json:"stage"`
	// Throttle has buckets of single methods, for each key, by resource path and method as in "/pets/{id}/GET". At most 20.
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
	// Fast takes units from the store in leases of up to a hundredth of the limit, and at most 1,000, and counts them in the process. No more
	// than the limit is let through. Fewer may be: what other machines hold and haven't used (given back within a minute of idling, or
	// at [Registry.Flush]), and what a process held that crashed. Leases shrink as the quota nears its end.
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

// limit is t in this module's words. A plan is data of the managed gateway's, where either zero blocks all: throttle.Limit{}.
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

// check returns all that is wrong with p.
func (p *Plan) check() error {
	var errs []error
	wrong := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf("usageplan: Plan.%s: %s", field, fmt.Sprintf(format, args...)))
	}
	if !isID(p.ID) {
		wrong("ID", "want 1 to 64 letters, digits, - or _, got %s", quoted(p.ID))
	}
	if p.Name == "" || len(p.Name) > maxName {
		wrong("Name", "want 1 to %d bytes, got %d", maxName, len(p.Name))
	}
	if len(p.Description) > maxName {
		wrong("Description", "want at most %d bytes, got %d", maxName, len(p.Description))
	}
	if len(p.ProductCode) > maxName {
		wrong("ProductCode", "want at most %d bytes, got %d", maxName, len(p.ProductCode))
	}
	if len(p.Tags) > maxTags {
		wrong("Tags", "want at most %d, got %d", maxTags, len(p.Tags))
		return invalid(errors.Join(errs...))
	}
	for _, name := range slices.Sorted(maps.Keys(p.Tags)) {
		value := p.Tags[name]
		if name == "" || len(name) > maxTagName {
			wrong("Tags", "want names of 1 to %d bytes, got %d", maxTagName, len(name))
		}
		if len(value) > maxTagValue {
			wrong("Tags", "want values of at most %d bytes, got %d", maxTagValue, len(value))
		}
	}
	if p.Throttle != nil {
		errs = append(errs, p.Throttle.check("Plan.Throttle"))
	}
	if q := p.Quota; q != nil {
		if q.Limit < 0 || q.Limit > maxUnits {
			wrong("Quota.Limit", "want 0 to %d units, got %d", int64(maxUnits), q.Limit)
		}
		if q.Period != Day && q.Period != Week && q.Period != Month {
			wrong("Quota.Period", "want DAY, WEEK or MONTH, got %s", quoted(string(q.Period)))
		}
		if q.Offset < 0 || q.Offset > q.Limit {
			wrong("Quota.Offset", "want 0 to Limit, which is subtracted from the first period, got %d", q.Offset)
		}
		if q.Mode != "" && q.Mode != Exact && q.Mode != Fast {
			wrong("Quota.Mode", "want EXACT or FAST, got %s", quoted(string(q.Mode)))
		}
	}
	if len(p.APIStages) > maxStages {
		wrong("APIStages", "want at most %d, got %d", maxStages, len(p.APIStages))
		return invalid(errors.Join(errs...))
	}
	for i, s := range p.APIStages {
		field := fmt.Sprintf("APIStages[%d]", i)
		if s.APIID == "" || s.Stage == "" {
			wrong(field, `Invalid API Stage specified: want an API's ID and a stage's name, or "*" for all`)
		}
		if len(s.APIID) > maxName || len(s.Stage) > maxName {
			wrong(field, "want at most %d bytes in each name", maxName)
			continue
		}
		for j, other := range p.APIStages[:i] {
			if s.overlaps(other) {
				wrong(field, "Invalid API Stage {api: %s, stage: %s} specified for usageplan %s: it overlaps with APIStages[%d]", s.APIID, s.Stage, p.ID, j)
			}
		}
		if len(s.Throttle) > maxMethodThrottles {
			wrong(field+".Throttle", "want at most %d methods, got %d", maxMethodThrottles, len(s.Throttle))
		}
		keys := map[string]bool{}
		for _, method := range slices.Sorted(maps.Keys(s.Throttle)) {
			key, err := methodKey(method)
			key = routetree.Shape(key)
			if err == nil && keys[key] {
				err = errors.New("it is there twice, in two spellings")
			}
			if err != nil {
				wrong(fmt.Sprintf("%s.Throttle[%s]", field, quoted(method)), "%v", err)
			}
			keys[key] = true
			errs = append(errs, s.Throttle[method].check(fmt.Sprintf("Plan.%s.Throttle[%s]", field, quoted(method))))
		}
	}
	return invalid(errors.Join(errs...))
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
	return (s.APIID == t.APIID || s.APIID == "*" || t.APIID == "*") && (s.Stage == t.Stage || s.Stage == "*" || t.Stage == "*")
}

// within reports whether p covers no stage that q doesn't name.
func (p *Plan) within(q *Plan) bool {
	return !slices.ContainsFunc(p.APIStages, func(s APIStage) bool {
		return !slices.ContainsFunc(q.APIStages, func(t APIStage) bool { return s.APIID == t.APIID && s.Stage == t.Stage })
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

// quoted keeps what a caller sent short and harmless in an error.
func quoted(text string) string { return fmt.Sprintf("%q", text[:min(len(text), 64)]) }

func isNoIDChar(c rune) bool {
	return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_')
}
