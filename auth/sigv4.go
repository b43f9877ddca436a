package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"hash/maphash"
	"net/http"
	"strconv"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth/policy"
	"github.com/gatekit-go/gatekit/internal/clock"
	"github.com/gatekit-go/gatekit/internal/sigv4"
)

// SigV4 is IAM authorization: it verifies requests signed with Signature Version 4 and its
// multi-region form SigV4A, in the header or presigned in the query. It is safe for concurrent use.
// (IAM user guide, "AWS Signature Version 4 for API requests"; developer guide, "Control access to
// a REST API with IAM permissions".)
type SigV4 struct {
	config SigV4Config
	seed   maphash.Seed
	keys   *clock.Cache[derivedFrom, signingKey]
	replay *replayCache
	dummy  string // the secret of those who have none
	remote bool   // the source may hang: it isn't one of this package's
}

var _ decider = (*SigV4)(nil)

const (
	signatureWindow  = 5 * time.Minute
	maxPresignExpiry = 7 * 24 * 60 * 60 // seconds

	credentialTimeout = 10 * time.Second
)

// NewSigV4 returns an authorizer, or one error that lists every field it refuses.
func NewSigV4(c SigV4Config) (*SigV4, error) {
	c, err := c.check()
	if err != nil {
		return nil, err
	}
	remote := true
	switch c.Credentials.(type) {
	case StaticCredentials, *CredentialsFile:
		remote = false
	}
	return &SigV4{
		remote: remote, config: c, seed: maphash.MakeSeed(), keys: clock.New[derivedFrom, signingKey](c.KeyCache, 1),
		replay: newReplayCache(c.ReplayCache), dummy: rand.Text(),
	}, nil
}

// Middleware is Require(s).
func (s *SigV4) Middleware(next http.Handler) http.Handler { return Require(s)(next) }

// Authorize admits a request that is signed with a known key, and that the caller's policy allows.
// What it verifies of the path is RequestContext.RequestPath: the one that the client signed. It
// reads the body, up to SigV4Config.MaxBodyBytes, and puts an equal one in its place.
//
// Its errors are 403s, worded as the managed gateway does for the flavor; a request without a
// signature is [ErrNoCredentials]. A body that is too large is a 413, a CredentialSource that fails
// a 500.
func (s *SigV4) Authorize(r *http.Request) (*gatekit.Authorization, error) {
	return s.authorizeAs("", r)
}

func (s *SigV4) authorizeAs(rule string, r *http.Request) (*gatekit.Authorization, error) {
	rc, attached := gatekit.Attach(r)
	n := notesOf(rc, rule, ruleSigV4)
	c, err := s.decide(n, rc, attached)
	if attached != r {
		r.Body = attached.Body
	}
	if err != nil {
		return nil, err
	}
	switch {
	case !c.decided.Allowed():
		err = notAuthorized(rc, c.principal.ARN, c.resource, c.decided, callerTails)
	case foreign(rc, c.principal.AccountID):
		// The owner's policy must allow other accounts, and there is none.
		none := policy.Decision{Policy: -1, Statement: -1}
		err = notAuthorized(rc, c.principal.ARN, c.resource, none, resourceTails)
	}
	if n.decided(c.decided, err); err != nil {
		return nil, err
	}
	return c.found, nil
}

func (*SigV4) kind() string { return ruleSigV4 }

// MayInvalidateCache reports whether the caller whom s has admitted may replace the kept answer to
// r, which is a right of its own: the caller's policy must allow execute-api:InvalidateCache on
// what r asks for, as Authorize asks it for execute-api:Invoke. It is for
// cache.Config.MayInvalidate (route/cache). A caller without a policy may; one of another account,
// or whose credential can't be asked for, may not. (Developer guide, "Invalidate an existing cache
// entry".)
func (s *SigV4) MayInvalidateCache(r *http.Request) bool {
	rc := gatekit.From(r.Context())
	if rc == nil {
		return false
	}
	admitted, ok := rc.Authorization.Caller()
	if !ok {
		return false
	}
	sent, err := readSigned(rc, r)
	if err != nil || sent.credential.KeyID != admitted.AccessKey {
		return false
	}
	credential, unknown, err := s.lookUp(r.Context(), &sent)
	resource, malformed := arnOf(rc, r)
	p := withType(credential.Principal, credential.SessionToken != "")
	if err != nil || malformed != nil || unknown || foreign(rc, p.AccountID) {
		return false
	}
	if credential.Policy == nil {
		return true
	}
	asked := policyRequest(rc, r, resource, time.Now())
	asked.Action, asked.Principal = policy.InvalidateCache, p
	return policy.Evaluate(&asked, credential.Policy).Allowed()
}

// decide implements decider.
func (s *SigV4) decide(n *notes, rc *gatekit.RequestContext, r *http.Request) (c caller, err error) {
	credential, keyID, now, err := s.verify(rc, r)
	if err == nil {
		c.resource, err = arnOf(rc, r)
	}
	if n.authenticated("", err) != nil {
		return c, err
	}
	p := withType(credential.Principal, credential.SessionToken != "")
	name := p.ARN
	if name == "" {
		name = keyID
	}
	c.principal, c.decided = p, policy.Decision{Effect: policy.Allow, Policy: -1, Statement: -1}
	c.found = gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: name, Caller: &gatekit.IAMCaller{
		AccessKey: keyID, AccountID: p.AccountID, CallerID: p.UserID, UserID: p.UserID, UserARN: p.ARN,
		PrincipalOrgID: p.OrgID,
	}})
	if credential.Policy != nil {
		asked := policyRequest(rc, r, c.resource, now)
		asked.Principal = p
		c.decided = policy.Evaluate(&asked, credential.Policy)
		if n != nil {
			n.look(c.decided, &asked, credential.Policy)
		}
	}
	return c, nil
}

// verify returns the credential that signed r.
func (s *SigV4) verify(
	rc *gatekit.RequestContext, r *http.Request,
) (credential Credential, keyID string, now time.Time, err error) {
	now = time.Now()
	sent, err := readSigned(rc, r)
	if err != nil {
		return credential, "", now, err
	}
	expires, err := s.checkScopeAndTime(rc, &sent, now)
	if err != nil {
		return credential, "", now, err
	}
	keyID = sent.credential.KeyID
	credential, unknown, err := s.lookUp(r.Context(), &sent)
	if err != nil {
		return credential, keyID, now, &gatekit.Rejection{Type: gatekit.AuthorizerFailure, Cause: err}
	}
	var room [256]byte
	toSign, readable, err := s.check(room[:0], rc, r, &sent, credential.SecretAccessKey, unknown)
	if err != nil && s.config.AllowUnsignedSessionToken && readable && sent.query && sent.token != "" {
		sent.leaveOut = unsignedTokenToo
		toSign, readable, err = s.check(room[:0], rc, r, &sent, credential.SecretAccessKey, unknown)
	}
	var digest [sha256.Size]byte
	if s.replay != nil {
		digest = sha256.Sum256(append(toSign, keyID...))
	}
	switch {
	case unknown && s.config.DiscloseUnknownKey:
		err = signatureRefusal(rc, textUnknownKey, typeUnknownKey, ErrUnknownKey)
	case unknown && readable:
		err = wrongSignature(rc, ErrUnknownKey)
	case err != nil: // a body that is too large must be so for everybody, or it would tell who is known
	case !credential.Expires.IsZero() && !now.Before(credential.Expires):
		err = &gatekit.Rejection{Type: gatekit.ExpiredToken, Cause: errExpiredSession}
	default:
		err = s.replay.check(rc, digest, expires, now)
	}
	return credential, keyID, now, err
}

// checkScopeAndTime returns when the signature expires.
func (s *SigV4) checkScopeAndTime(
	rc *gatekit.RequestContext, sent *signed, now time.Time,
) (expires time.Time, err error) {
	region := s.config.Region
	if region == "" {
		region = rc.API.Region
	}
	c := &sent.credential
	at, dated := sigv4.ParseTime(sent.date)
	switch {
	case region == "":
		return expires, &gatekit.Rejection{Type: gatekit.AuthorizerConfigurationError, Cause: errNoRegion}
	case c.Service != s.config.Service:
		return expires, scopeRefusal(rc, "Credential should be scoped to correct service: '"+s.config.Service+"'.")
	case sent.algorithm == sigv4.HMAC && c.Region != region:
		return expires, scopeRefusal(rc, "Credential should be scoped to a valid Region, not "+clipped(c.Region))
	case sent.algorithm == sigv4.ECDSA && !sigv4.InRegionSet(sent.regionSet, region):
		return expires, scopeRefusal(rc, "Credential should be scoped to a valid Region, not "+clipped(sent.regionSet))
	case !dated:
		return expires, signatureRefusal(rc,
			"Date must be in ISO-8601 'basic format'. See https://en.wikipedia.org/wiki/ISO_8601.", typeIncomplete,
			errIncomplete)
	case c.Date != sent.date[:8]:
		return expires, scopeRefusal(rc,
			"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '"+
				clipped(c.Date)+"' != '"+sent.date[:8]+"', from '"+sent.date+"'.")
	case at.After(now.Add(signatureWindow)):
		return expires, notYetCurrent(rc, at, now)
	}
	if !sent.query {
		if at.Before(now.Add(-signatureWindow)) {
			return expires, signatureExpired(rc, at, now)
		}
		return at.Add(signatureWindow), nil
	}
	seconds, err := strconv.Atoi(sent.expires)
	if err != nil || seconds < 1 || seconds > maxPresignExpiry || sent.expires[0] == '+' {
		return expires, signatureRefusal(rc, "X-Amz-Expires must be a number of seconds from 1 to 604800",
			typeIncomplete, errIncomplete)
	}
	if expires = at.Add(time.Duration(seconds) * time.Second); now.After(expires) {
		return expires, presignedExpired(rc, expires, now)
	}
	return expires, nil
}

func clipped(s string) string { return s[:min(len(s), 64)] }

// lookUp returns the credential that sent names. An unknown one gets a secret that nobody has, and
// the same work. So does a token that isn't the credential's.
func (s *SigV4) lookUp(ctx context.Context, sent *signed) (c Credential, unknown bool, err error) {
	if s.remote {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, credentialTimeout)
		defer cancel()
	}
	c, err = s.config.Credentials.Credential(ctx, sent.credential.KeyID, sent.token)
	if unknown = errors.Is(err, ErrUnknownKey); err != nil && !unknown {
		return Credential{}, false, err
	}
	if c.SecretAccessKey == "" || sent.token == "" != (c.SessionToken == "") {
		unknown = true
	}
	if sent.token != "" {
		// their lengths may differ
		have, want := sha256.Sum256([]byte(sent.token)), sha256.Sum256([]byte(c.SessionToken))
		unknown = subtle.ConstantTimeCompare(have[:], want[:]) != 1 || unknown
	}
	if unknown {
		c = Credential{SecretAccessKey: s.dummy}
	}
	return c, unknown, nil
}
