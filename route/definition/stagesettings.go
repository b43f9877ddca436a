package definition

import (
	"cmp"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/throttle"
)

// limitOf is a bucket as a document has it, in the account's numbers where it says only one. nil is
// no limit, which -1 says as well.
func limitOf(rate *float64, burst *int) *throttle.Limit {
	if rate != nil && *rate == -1 {
		rate = nil
	}
	if burst != nil && *burst == -1 {
		burst = nil
	}
	switch {
	case rate == nil && burst == nil:
		return nil
	case rate != nil && *rate == 0, burst != nil && *burst == 0:
		return &throttle.Limit{} // either zero blocks all
	}
	l := throttle.Limit{Rate: accountRate, Burst: accountBurst}
	if rate != nil {
		l.Rate = *rate
	}
	if burst != nil {
		l.Burst = *burst
	}
	return &l
}

// An account's limit. (API Gateway quotas.)
const (
	accountRate  = 10_000
	accountBurst = 5_000
)

// methodSettings are the REST stage's, as route.Stage has them. Of two elements for one method the
// later one's members win.
func (s *stageBuilder) methodSettings() (map[string]gatekit.MethodSettings, *problem) {
	if len(s.stage.MethodSettings) == 0 {
		return nil, nil
	}
	if s.api.Flavor != FlavorREST {
		return nil, unsupportedf("use throttle and route_throttle", "only stages of REST APIs have method settings")
	}
	merged := map[string]MethodSettings{"*/*": {}} // for all methods, whatever a cache would do of its own accord
	for _, m := range s.stage.MethodSettings {
		path := resourcePath(m.Path)
		key := strings.Trim(path, "/") + "/" + m.Method
		if path == "/*" && m.Method == "*" {
			key = "*/*"
		} else if !s.hasMethod(m.Method, path) {
			s.warn(m.Method+" "+path, s.stage.Origin, "stage "+s.name+" has settings for a method that there isn't",
				"take them out")
			continue
		}
		merged[key] = merged[key].with(m)
	}
	all := map[string]gatekit.MethodSettings{}
	for key, m := range merged {
		all[key] = settingsOf(&m)
	}
	if _, err := gatekit.NewStageSettings(all); err != nil {
		return nil, asProblem("the method settings of stage "+s.name+" can't be used", err)
	}
	return all, nil
}

// with returns m with what over says.
func (m MethodSettings) with(over *MethodSettings) MethodSettings {
	m.Rate, m.Burst = cmp.Or(over.Rate, m.Rate), cmp.Or(over.Burst, m.Burst)
	m.Caching, m.TTL = m.Caching || over.Caching, cmp.Or(over.TTL, m.TTL)
	m.RequireCacheControlAuthorization = cmp.Or(over.RequireCacheControlAuthorization,
		m.RequireCacheControlAuthorization)
	m.UnauthorizedCacheControl = cmp.Or(over.UnauthorizedCacheControl, m.UnauthorizedCacheControl)
	return m
}

// resourcePath is a path of method settings, which templates also write as "~1pets~1{id}", or with
// a slash before that.
func resourcePath(text string) string {
	return "/" + strings.Trim(strings.ReplaceAll(strings.ReplaceAll(text, "~1", "/"), "~0", "~"), "/")
}

func sameResource(settings, path string) bool {
	return resourcePath(settings) == "/"+strings.Trim(path, "/")
}

// hasMethod reports whether some request is one of the method's, as route.NewStages asks.
func (s *stageBuilder) hasMethod(method, path string) bool {
	return s.api.Routes[method+" "+path] != nil || s.api.Routes["ANY "+path] != nil
}

func settingsOf(m *MethodSettings) gatekit.MethodSettings {
	made := gatekit.MethodSettings{CachingEnabled: m.Caching}
	if l := limitOf(m.Rate, m.Burst); l != nil {
		made.Throttling = &gatekit.MethodThrottling{RateLimit: l.Rate, BurstLimit: l.Burst}
	}
	if m.TTL != nil {
		if made.CacheTTL = time.Duration(*m.TTL) * time.Second; *m.TTL == 0 {
			made.CacheTTL = gatekit.Off
		}
	}
	made.OpenCacheControl = m.RequireCacheControlAuthorization != nil && !*m.RequireCacheControlAuthorization
	switch m.UnauthorizedCacheControl {
	case "FAIL_WITH_403":
		made.UnauthorizedCacheControl = gatekit.FailWith403
	case "SUCCEED_WITHOUT_RESPONSE_HEADER":
		made.UnauthorizedCacheControl = gatekit.SucceedWithoutResponseHeader
	}
	return made
}
