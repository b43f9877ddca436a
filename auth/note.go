package auth

import (
	"cmp"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth/policy"
	"github.com/gatekit-go/gatekit/internal/iam"
	"github.com/gatekit-go/gatekit/internal/invoke"
)

// What authorizers are called in notes, unless [Named] says better.
const (
	ruleJWT         = "jwt"
	ruleCognito     = "cognito"
	ruleLambda      = "lambda"
	ruleCustom      = "custom"
	ruleSigV4       = "sigv4"
	rulePolicy      = "resource policy"
	ruleCertificate = "client certificate"
	ruleForeign     = "authorizer" // one of the program's own
)

// ruled is an Authorizer that notes itself what it finds, as rule, or under the name of its kind if
// that is "". Those of the program's own are noted for by judge.
type ruled interface {
	authorizeAs(rule string, r *http.Request) (*gatekit.Authorization, error)
}

// notes are where an authorizer notes what it finds of one request. They are nil where nobody wants
// to know; then the methods do nothing, and cost no more than the question.
type notes struct {
	rc      *gatekit.RequestContext
	rule    string
	began   time.Time
	spent   time.Duration // of a policy's evaluation, where it is noted later
	claim   string        // of AdditionalClaims, that a token fails by
	nearest string        // of a policy that says nothing, where somebody wants reasons: see look
}

// notesOf returns the notes of a request, which may have no RequestContext.
func notesOf(rc *gatekit.RequestContext, rule, kind string) *notes {
	if !rc.Keeps(gatekit.KeepOutcomes) {
		return nil
	}
	return &notes{rc: rc, rule: cmp.Or(rule, kind), began: rc.Clock()}
}

// again begins anew: what is noted next takes its time from now on.
func (n *notes) again() {
	if n != nil {
		n.began = n.rc.Clock()
	}
}

// of fills in what came of it. err is an Authorizer's.
func (n *notes) of(note gatekit.Note, err error) gatekit.Note {
	if err == nil {
		note.Verdict = gatekit.Passed
		return note
	}
	note.Err = err
	rejection := rejectionIn(err)
	if rejection != nil {
		note.Err, note.Status = rejection.Cause, rejection.StatusFor(n.rc.API.Flavor)
	}
	switch {
	case errors.Is(err, ErrNoCredentials):
		note.Verdict, note.Status = gatekit.Skipped, 0 // whether that refuses, the authorizer around it says
	case rejection == nil || isFault(rejection):
		note.Verdict = gatekit.Failed
	default:
		note.Verdict = gatekit.Refused
	}
	return note
}

// rejectionIn returns the Rejection that err is or wraps, or nil.
func rejectionIn(err error) *gatekit.Rejection {
	if rejection, ok := err.(*gatekit.Rejection); ok || err == nil {
		return rejection
	}
	var rejection *gatekit.Rejection
	errors.As(err, &rejection)
	return rejection
}

// authenticated notes what is found of the credentials, and returns err. why is the check that
// failed.
func (n *notes) authenticated(why string, err error) error {
	if n != nil {
		n.noteAuthenticated(why, err)
	}
	return err
}

// failing keeps by which of AdditionalClaims a token fails, for authenticated.
func (n *notes) failing(claim string) {
	if n != nil {
		n.claim = claim
	}
}

func (n *notes) noteAuthenticated(why string, err error) {
	if n.claim != "" {
		why += " " + n.claim
	}
	n.rc.Note(n.of(gatekit.Note{Phase: gatekit.PhaseAuthenticate, Rule: n.rule, Reason: why, Began: n.began}, err))
	n.again()
}

// said notes the answer of an authorizer that isn't ours.
func (n *notes) said(err error) {
	if n == nil {
		return
	}
	if rejection := rejectionIn(err); rejection != nil && rejection.Type == gatekit.AccessDenied {
		n.rc.Note(n.of(gatekit.Note{Phase: gatekit.PhaseAuthorize, Rule: n.rule, Began: n.began}, err))
		return
	}
	n.noteAuthenticated("", err)
}

// unknown notes that a request is refused for having no credentials, whatever the answer calls
// that: no certificate looks like no API key, no signature like no route.
func (n *notes) unknown(err error) {
	if n == nil || !errors.Is(err, ErrNoCredentials) {
		return
	}
	note := n.of(gatekit.Note{Phase: gatekit.PhaseAuthenticate}, err)
	if rejection := rejectionIn(err); rejection != nil {
		note.Status = rejection.StatusFor(n.rc.API.Flavor)
	}
	note.Verdict = gatekit.Refused
	n.rc.Note(note)
}

// remembered notes whether a token is one that was verified before.
func (n *notes) remembered(hit bool) {
	if n != nil {
		n.noteRemembered(hit)
	}
}

func (n *notes) noteRemembered(hit bool) {
	note := gatekit.Note{Phase: gatekit.PhaseAuthenticate, Rule: n.rule, Verdict: gatekit.Miss}
	if hit {
		note.Verdict = gatekit.Hit
	}
	n.rc.Note(note)
}

// scoped notes which of the route's scopes a caller has, or with err that it has none.
func (n *notes) scoped(scopes []string, has string, err error) {
	if n != nil && len(scopes) > 0 {
		n.noteScoped(scopes, has, err)
	}
}

func (n *notes) noteScoped(scopes []string, has string, err error) {
	note := gatekit.Note{Phase: gatekit.PhaseAuthorize, Rule: has}
	if err != nil && n.rc.Keeps(gatekit.KeepReasons) {
		note.Reason = "wanted is one of: " + strings.Join(scopes, " ")
	}
	n.rc.Note(n.of(note, err))
}

// evaluated keeps how long a policy's evaluation took: more than nothing, which would be filled in.
func (n *notes) evaluated() {
	if n != nil && !n.began.IsZero() {
		n.spent = max(time.Since(n.began), 1)
	}
}

// look keeps which statement comes nearest to allowing what none of the policies allows or denies,
// where somebody wants reasons: for decided.
func (n *notes) look(d policy.Decision, asked *policy.Request, policies ...*policy.Policy) {
	n.nearest = ""
	if d.Effect == policy.ImplicitDeny && n.rc.Keeps(gatekit.KeepReasons) {
		n.nearest = iam.Nearest(asked, policies...)
	}
}

// decided notes what a policy says, and with err that it refuses. What neither allows nor denies is
// skipped: another policy may have a say.
func (n *notes) decided(d policy.Decision, err error) {
	if n != nil {
		n.noteDecided(d, err)
	}
}

func (n *notes) noteDecided(d policy.Decision, err error) {
	note := gatekit.Note{Phase: gatekit.PhaseAuthorize, Rule: n.statement(d), Began: n.began, Took: n.spent}
	if n.rc.Keeps(gatekit.KeepReasons) {
		if note.Reason = d.String(); n.nearest != "" {
			note.Reason += "; nearest is " + n.nearest
		}
	}
	if err == nil && !d.Allowed() {
		note.Verdict = gatekit.Skipped
		n.rc.Note(note)
		return
	}
	n.rc.Note(n.of(note, err))
}

// statement names the statement that decided, as its policy does: by its Sid, or by its place.
func (n *notes) statement(d policy.Decision) string {
	switch {
	case d.Statement < 0:
		return n.rule
	case d.Sid != "":
		return n.rule + " " + d.Sid
	}
	return n.rule + " statement " + strconv.Itoa(d.Statement)
}

const (
	ruleOptional    = "optional"
	reasonAnonymous = "no credentials"
	reasonJoined    = "joined the call of another request"
	reasonStale     = "the last decision, as there is no newer one (StaleIfError)"
)

// kept notes that a decision was found in the cache.
func (n *notes) kept(why string) {
	if n != nil {
		n.noteKept(why)
	}
}

func (n *notes) noteKept(why string) {
	n.rc.Note(gatekit.Note{Phase: gatekit.PhaseAuthorizer, Rule: n.rule, Verdict: gatekit.Hit, Reason: why})
	n.again()
}

// called notes what became of a call of an authorizer function, or of one that wasn't needed in the
// end. call is nil where nothing is known of it but err.
func (n *notes) called(how provenance, call *invoke.Outcome, err error) {
	if n == nil {
		return
	}
	if how.found {
		n.kept("")
		return
	}
	if how.cached {
		miss := gatekit.Note{Phase: gatekit.PhaseAuthorizer, Rule: n.rule, Verdict: gatekit.Miss}
		if how.joined {
			miss.Reason = reasonJoined
		}
		n.rc.Note(miss)
	}
	if how.fault != nil {
		err = how.fault
	}
	note := n.of(gatekit.Note{Phase: gatekit.PhaseAuthorizer, Rule: n.rule, Began: n.began}, err)
	if call != nil {
		note.RequestID = call.RequestID
		if note.Verdict != gatekit.Refused {
			note.Status = call.Status
		}
	}
	n.rc.Note(note)
	n.again()
	if how.fault != nil {
		n.kept(reasonStale)
	}
}
