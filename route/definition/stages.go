package definition

// Stage is a stage of an API.
type Stage struct {
	// Variables are the stage variables.
	Variables map[string]string `json:"variables,omitempty"`
	// MethodSettings are a REST stage's, in the source's order.
	MethodSettings []*MethodSettings `json:"method_settings,omitempty"`
	// Throttle is the default for the routes of an HTTP or WebSocket stage, each a bucket of its
	// own; RouteThrottle has single routes', by route key.
	Throttle      *Throttle            `json:"throttle,omitempty"`
	RouteThrottle map[string]*Throttle `json:"route_throttle,omitempty"`
	// Canary takes a share of the requests.
	Canary *Canary `json:"canary,omitempty"`
	// Cache is the size of the stage's cache in gigabytes ("0.5"). Empty: the stage has none, and
	// method settings that ask for caching do nothing.
	Cache string `json:"cache,omitempty"`
	// AutoDeploy is shown to people: a document is served as it is.
	AutoDeploy bool `json:"auto_deploy,omitempty"`
	// Deployment is $context.deploymentId.
	Deployment string `json:"deployment,omitempty"`
	// AccessLog is the format of a line of the access log.
	AccessLog string `json:"access_log,omitempty"`
	// AccessLogDestination is the ARN of the log group or stream that the lines are for.
	AccessLogDestination string `json:"access_log_destination,omitempty"`
	// Logging says which methods of a REST stage have an execution log, in the source's order; of a
	// WebSocket stage, that some route is to have one, which there is none of here.
	Logging []*MethodLogging `json:"logging,omitempty"`
	// WebACL is the logical ID or ARN of the stage's web ACL.
	WebACL string `json:"web_acl,omitempty"`
	// ClientCertificate is the certificate that backends are shown.
	ClientCertificate string `json:"client_certificate,omitempty"`
	Origin            Origin `json:"origin,omitzero"`
}

// Throttle is a token bucket. A number that isn't said is nil.
type Throttle struct {
	// Rate is in requests a second.
	Rate *float64 `json:"rate,omitempty"`
	// Burst is what the bucket holds.
	Burst *int `json:"burst,omitempty"`
	// RateText and BurstText stand in place of a number that only a deployment knows, with its
	// [Unknown] value. What they would limit refuses, unless [Bindings].Parameters make numbers of
	// them. nil is the rule.
	RateText  *string `json:"rate_text,omitempty"`
	BurstText *string `json:"burst_text,omitempty"`
}

// MethodSettings are what a REST stage says of one method, or of all.
type MethodSettings struct {
	// Path is the resource's path ("/pets/{id}"), or "/*" for all.
	Path string `json:"path"`
	// Method is the method, or "*" for all.
	Method string `json:"method"`
	// Rate and Burst are the method's bucket; the texts are as in [Throttle].
	Rate      *float64 `json:"rate,omitempty"`
	Burst     *int     `json:"burst,omitempty"`
	RateText  *string  `json:"rate_text,omitempty"`
	BurstText *string  `json:"burst_text,omitempty"`
	// Caching keeps the method's answers, for TTL seconds; nil is 300.
	Caching bool `json:"caching,omitempty"`
	TTL     *int `json:"ttl,omitempty"`
	// RequireCacheControlAuthorization is true where it is nil.
	RequireCacheControlAuthorization *bool `json:"require_cache_control_authorization,omitempty"`
	// UnauthorizedCacheControl is FAIL_WITH_403, SUCCEED_WITH_RESPONSE_HEADER or
	// SUCCEED_WITHOUT_RESPONSE_HEADER.
	UnauthorizedCacheControl string `json:"unauthorized_cache_control,omitempty"`
}

// MethodLogging says what of one method, or of all, the execution log has.
type MethodLogging struct {
	// Path is the resource's path ("/pets/{id}"), or "/*" for all, and Method the method, or "*".
	Path   string `json:"path"`
	Method string `json:"method"`
	// Level is OFF, ERROR or INFO.
	Level string `json:"level"`
	// DataTrace has bodies as well.
	DataTrace bool `json:"data_trace,omitempty"`
}

// Canary is the part of a stage on which a new version is tried.
type Canary struct {
	// Percent is its share of the requests.
	Percent float64 `json:"percent"`
	// Overrides are stage variables over the stage's own.
	Overrides map[string]string `json:"overrides,omitempty"`
	// UseStageCache shares the stage's cache.
	UseStageCache bool `json:"use_stage_cache,omitempty"`
	// Deployment is the canary's $context.deploymentId.
	Deployment string `json:"deployment,omitempty"`
}

// UsagePlan is what the holders of some API keys may do.
type UsagePlan struct {
	// Name and Description are shown to people.
	Name        string `json:"name,omitempty"`
	Description string `json:"description,omitempty"`
	// Stages are what the plan covers.
	Stages []*PlanStage `json:"stages,omitempty"`
	// Throttle is each key's bucket, and Quota its allowance.
	Throttle *Throttle `json:"throttle,omitempty"`
	Quota    *Quota    `json:"quota,omitempty"`
	// Keys are logical IDs of API keys.
	Keys   []string `json:"keys,omitempty"`
	Origin Origin   `json:"origin,omitzero"`
}

// PlanStage is a stage that a usage plan covers.
type PlanStage struct {
	// API is an [API].ID.
	API   string `json:"api"`
	Stage string `json:"stage"`
	// Throttle has buckets of single methods, by "/pets/{id}/GET".
	Throttle map[string]*Throttle `json:"throttle,omitempty"`
}

// Quota is how many requests a key may make in a period.
type Quota struct {
	// Limit is the number of requests.
	Limit int64 `json:"limit"`
	// Period is DAY, WEEK or MONTH.
	Period string `json:"period"`
	// Offset is subtracted from Limit in the first period.
	Offset int64 `json:"offset,omitempty"`
	// LimitText and OffsetText stand in place of a number that only a deployment knows, as in
	// [Throttle].
	LimitText  *string `json:"limit_text,omitempty"`
	OffsetText *string `json:"offset_text,omitempty"`
}

// APIKey is an API key.
type APIKey struct {
	// Name, Description and CustomerID are shown to people.
	Name        string `json:"name,omitempty"`
	Description string `json:"description,omitempty"`
	CustomerID  string `json:"customer_id,omitempty"`
	// Value is the key itself, if the source has it. It is a secret: a document with values belongs
	// where secrets are kept.
	Value string `json:"value,omitempty"`
	// Enabled is false where the key is refused.
	Enabled bool   `json:"enabled"`
	Origin  Origin `json:"origin,omitzero"`
}

// Domain is a custom domain name.
type Domain struct {
	// Mappings are APIs by base path.
	Mappings []*Mapping `json:"mappings,omitzero"`
	// RoutingMode says whether Rules, Mappings or both choose.
	RoutingMode string  `json:"routing_mode,omitempty"`
	Rules       []*Rule `json:"rules,omitempty"`
	// Certificate is its logical ID or ARN.
	Certificate string `json:"certificate,omitempty"`
	// SecurityPolicy and EndpointAccessMode are its TLS, as in domain.Name.
	SecurityPolicy     string `json:"security_policy,omitempty"`
	EndpointAccessMode string `json:"endpoint_access_mode,omitempty"`
	// MutualTLS demands a certificate of clients, by the authorities in Truststore (an S3 URL).
	MutualTLS  bool   `json:"mutual_tls,omitempty"`
	Truststore string `json:"truststore,omitempty"`
	// Private is a domain name that is reached through VPC endpoints only.
	Private bool   `json:"private,omitempty"`
	Origin  Origin `json:"origin,omitzero"`
}

// Mapping is an API behind a base path.
type Mapping struct {
	// BasePath is empty for the root.
	BasePath string `json:"base_path,omitempty"`
	// API is an [API].ID.
	API string `json:"api"`
	// Stage is the stage's name; empty: the path's next segment names it.
	Stage  string `json:"stage,omitempty"`
	Origin Origin `json:"origin,omitzero"`
}

// Rule is a routing rule of a domain.
type Rule struct {
	// Priority is 1 to 1,000,000: the rule with the lowest is looked at first.
	Priority int `json:"priority"`
	// API and Stage are what it leads to.
	API   string `json:"api"`
	Stage string `json:"stage"`
	// Strip cuts the matched base path off.
	Strip bool `json:"strip,omitempty"`
	// BasePaths: the path must begin with one.
	BasePaths []string `json:"base_paths,omitempty"`
	// Headers are pairs of a name and a glob, of which one must match; of AlsoHeaders, too.
	Headers     [][2]string `json:"headers,omitempty"`
	AlsoHeaders [][2]string `json:"also_headers,omitempty"`
	Origin      Origin      `json:"origin,omitzero"`
}
