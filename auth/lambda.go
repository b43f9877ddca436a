package auth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"regexp"
	"sync/atomic"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth/policy"
	"github.com/gatekit-go/gatekit/internal/clock"
	"github.com/gatekit-go/gatekit/internal/event"
	"github.com/gatekit-go/gatekit/internal/invoke"
	"github.com/gatekit-go/gatekit/internal/selector"
	"github.com/gatekit-go/gatekit/internal/wholebody"
)

// Lambda is the Lambda (custom) authorizer of HTTP, REST and WebSocket APIs: it asks a function who
// is calling and what they may do, with the events and answers that such functions know already. It
// is safe for concurrent use. (Developer guide, "Use API Gateway Lambda authorizers", "Control
// access to HTTP APIs with AWS Lambda authorizers".)
type Lambda struct {
	*decisions
	function   gatekit.Invoker
	local      bool // it runs in this process
	config     LambdaConfig
	sources    []selector.Selector
	expression *regexp.Regexp
	policies   *clock.Cache[decisionKey, *policy.Policy] // by text: few functions answer with many
	warned     atomic.Pointer[time.Time]                 // when it was logged last that one is odd
}

var _ decider = (*Lambda)(nil)

// NewLambda returns an authorizer that asks f, or one error that lists every field it refuses.
func NewLambda(f gatekit.Invoker, c LambdaConfig) (*Lambda, error) {
	c, sources, expression, err := c.check()
	if f == nil {
		err = errors.Join(errors.New("auth: NewLambda: want an Invoker, got nil"), err)
	}
	if err != nil {
		return nil, err
	}
	const policiesKept = 1024
	return &Lambda{
		decisions: newDecisions(c.CacheConfig), function: invoke.New(f), local: invoke.IsLocal(f), config: c,
		sources: sources, expression: expression,
		policies: clock.New[decisionKey, *policy.Policy](policiesKept, policiesKept),
	}, nil
}

// Middleware is Require(l).
func (l *Lambda) Middleware(next http.Handler) http.Handler { return Require(l)(next) }

var (
	errNoIdentity    = noCredentials("missing: an identity source is missing, blank or there twice")
	errNotExpression = errors.New("auth: the header doesn't match IdentityValidationExpression")
)

// Authorize asks the function, or the cache, whether r's caller may make r. Its errors are: a 401
// if an identity source is missing ([ErrNoCredentials]; nobody is asked), if the header doesn't
// match the expression, or if the function fails with the text "Unauthorized"; a 403 if the answer
// doesn't allow what r asks for; a 414 if the ARN of that is longer than 1,600 bytes; a 500 if the
// function fails or its answer is malformed.
func (l *Lambda) Authorize(r *http.Request) (*gatekit.Authorization, error) {
	return l.authorizeAs("", r)
}

func (l *Lambda) authorizeAs(rule string, r *http.Request) (*gatekit.Authorization, error) {
	rc, attached := gatekit.Attach(r)
	n := notesOf(rc, rule, ruleLambda)
	c, err := l.decide(n, rc, attached)
	if attached != r && l.config.BodyDigestBytes > 0 {
		r.Body = attached.Body
	}
	return c.admitted(n, rc, err)
}

func (*Lambda) kind() string { return ruleLambda }

// decide implements decider.
func (l *Lambda) decide(n *notes, rc *gatekit.RequestContext, r *http.Request) (caller, error) {
	var room [4]string
	values, ok := sourceValues(rc, r, l.sources, room[:0])
	if !ok {
		return caller{}, n.authenticated("", &gatekit.Rejection{Type: gatekit.Unauthorized, Cause: errNoIdentity})
	}
	if l.expression != nil && !l.expression.MatchString(values[0]) {
		return caller{}, n.authenticated("", &gatekit.Rejection{Type: gatekit.Unauthorized, Cause: errNotExpression})
	}
	resource, err := arnOf(rc, r)
	if err != nil {
		return caller{}, n.authenticated("", err)
	}
	var digest []byte
	if l.config.BodyDigestBytes > 0 {
		body, err := wholebody.Read("auth", r, l.config.BodyDigestBytes)
		if err != nil {
			return caller{}, n.authenticated("", err)
		}
		sum := sha256.Sum256(body)
		digest = sum[:]
	}
	_ = n.authenticated("", nil)
	key, now := keyOf(rc, values, digest), time.Now()
	asked := policyRequest(rc, r, resource, now)
	made := l.hit(key, now)
	if made != nil {
		n.kept("")
	} else if made, err = l.ask(n, rc, r, key, now, resource, values, digest); err != nil {
		return caller{}, fault(err)
	}
	found := caller{found: made.authorization, decided: made.of(&asked)}
	if n != nil {
		n.look(found.decided, &asked, made.policy)
	}
	return found, nil
}

// ask gets a new decision.
func (l *Lambda) ask(n *notes, rc *gatekit.RequestContext, r *http.Request, key decisionKey, now time.Time,
	resource string, values []string, digest []byte) (*decision, error) {
	simple := l.config.EnableSimpleResponses && rc.API.Flavor == gatekit.HTTP
	e := l.event(rc, r, resource, values, hex.EncodeToString(digest))
	asked := policyRequest(rc, r, resource, now) // the call may outlive the request, so it gets its own
	nested := rc.API.Flavor == gatekit.HTTP && l.config.PayloadFormatVersion != "1.0"
	var ended atomic.Pointer[invoke.Outcome] // by a call that may outlive this request
	n.again()
	made, how, err := l.get(r.Context(), key, now, question{func(ctx context.Context) (*decision, error) {
		var told invoke.Told
		payload, err := l.function.Invoke(told.Context(ctx), e)
		outcome := told.Outcome(l.local, err)
		ended.Store(&outcome)
		if err != nil {
			return nil, functionError(err.Error())
		}
		return l.answer(payload, simple, nested)
	}, func(made *decision) bool { return !made.of(&asked).Allowed() }})
	n.called(how, ended.Load(), err)
	return made, err
}

// fault makes an error that is no Rejection a 500 of the authorizer's.
func fault(err error) error {
	var rejection *gatekit.Rejection
	if errors.As(err, &rejection) || errors.Is(err, ErrNoCredentials) {
		return err
	}
	return &gatekit.Rejection{Type: gatekit.AuthorizerConfigurationError, Cause: err}
}

// event writes what the function is told of r.
func (l *Lambda) event(
	rc *gatekit.RequestContext, r *http.Request, resource string, values []string, bodyDigest string,
) []byte {
	if l.config.Type == typeToken {
		return event.AppendToken(nil, values[0], resource)
	}
	to := &event.Authorizer{ARN: resource, Identity: values, BodyDigest: bodyDigest}
	w := event.Writer{Context: rc, Request: r, Authorizer: to}
	b := make([]byte, 0, w.Room()+len(resource))
	switch {
	case rc.API.Flavor == gatekit.WebSocket:
		return w.AppendWebSocket(b, event.Socket{Type: event.Connect})
	case rc.API.Flavor == gatekit.REST:
		return w.AppendREST(b)
	case l.config.PayloadFormatVersion == "1.0":
		return w.AppendV1(b)
	}
	return w.AppendV2(b)
}
