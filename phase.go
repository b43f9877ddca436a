package gatekit

// Phase is a part of the way of a request, as the managed gateway's access-log variables divide it
// where they do ($context.waf, .authenticate, .authorizer, .authorize, .integration). (Developer
// guide, "Variables for access logging".)
type Phase uint8

// The phases, in the order in which a request of a REST API passes them.
const (
	PhaseGateway      Phase = iota // what is none of the others
	PhaseRoute                     // which API, stage and route answer?
	PhaseCORS                      // may a page of this origin?
	PhaseWAF                       // what does the web ACL say?
	PhaseAuthenticate              // who is calling? tokens, signatures, certificates
	PhaseAuthorizer                // the call of a Lambda authorizer's function
	PhaseAuthorize                 // may they? policies, scopes
	PhaseKey                       // whose API key is it?
	PhaseThrottle                  // how often may they?
	PhaseQuota                     // how much is left of the plan?
	PhaseValidate                  // is it what the models want?
	PhaseCache                     // has it been answered before?
	PhaseTransform                 // which template, which mapping?
	PhaseIntegration               // what does the backend say?
	Phases                         // how many there are
)

var phaseNames = [Phases]string{
	"gateway", "route", "cors", "waf", "authenticate", "authorizer", "authorize", "key", "throttle", "quota",
	"validate", "cache", "transform", "integration",
}

// String returns the phase's name: "authorize".
func (p Phase) String() string {
	if p < Phases {
		return phaseNames[p]
	}
	return phaseNames[PhaseGateway]
}

// Phase returns the part of the way of a request that refuses with t.
func (t ResponseType) Phase() Phase {
	switch t {
	case MissingAuthenticationToken, ResourceNotFound:
		return PhaseRoute
	case Unauthorized, InvalidSignature, ExpiredToken, AuthorizerFailure, AuthorizerConfigurationError:
		return PhaseAuthenticate
	case AccessDenied:
		return PhaseAuthorize
	case InvalidAPIKey:
		return PhaseKey
	case Throttled:
		return PhaseThrottle
	case QuotaExceeded:
		return PhaseQuota
	case WAFFiltered:
		return PhaseWAF
	case BadRequestBody, BadRequestParameters, UnsupportedMediaType, RequestTooLarge:
		return PhaseValidate
	case APIConfigurationError, IntegrationFailure, IntegrationTimeout:
		return PhaseIntegration
	}
	return PhaseGateway
}
