package cache

import (
	"net/http"

	"github.com/gatekit-go/gatekit"
)

// Why an answer comes from the cache or doesn't, in notes.
const (
	whyOff         = "no answers to this method are kept here, or their TTL is 0"
	whyUnjudged    = "credentials that no authorizer has judged, and that the key doesn't have"
	whyUnplain     = "a range, an upgrade, another method or a body is asked for that the key doesn't have"
	whyRequested   = "Cache-Control: max-age=0"
	whyIgnored     = "Cache-Control: max-age=0, which the caller may not ask for, is passed over"
	whyForbidden   = "Cache-Control: max-age=0, which the caller may not ask for"
	whyExpired     = "expired"
	whyStale       = "stale, and renewed in the background"
	whyJoined      = "waited for another request's answer"
	whyKept        = "kept"
	whyTags        = "not kept: its tags can't be read, or it varies by everything"
	whyStatus      = "not kept: its status is of the request or of a failure"
	whyHeaders     = "not kept: Set-Cookie, Content-Range or a trailer"
	whyPrivate     = "not kept: Cache-Control says private or no-store"
	whyLarge       = "not kept: larger than MaxBodyBytes"
	whyCrowded     = "not kept: too much is being copied at the moment"
	whyStreamed    = "not kept: it is streamed"
	whyClient      = "not kept: the client is gone"
	whyCut         = "not kept: it is shorter or longer than it says, or has trailers"
	whyRefused     = "not kept: the gateway has refused"
	whyReplaced    = "not kept: it was asked for before another request replaced it"
	whyStoreRefuse = "not kept: the store takes nothing"
)

// note notes what becomes of a request in the cache. Only the words above are said of it.
func note(rc *gatekit.RequestContext, v gatekit.Verdict, why string, err error) {
	if rc.Keeps(gatekit.KeepOutcomes) {
		rc.Note(gatekit.Note{Phase: gatekit.PhaseCache, Verdict: v, Reason: why, Err: err})
	}
}

// noteForbidden notes that the caller may not have an answer replaced.
func noteForbidden(rc *gatekit.RequestContext) {
	if rc.Keeps(gatekit.KeepOutcomes) {
		rc.Note(gatekit.Note{
			Phase: gatekit.PhaseCache, Verdict: gatekit.Refused, Reason: whyForbidden, Status: http.StatusForbidden,
		})
	}
}

// noteKept notes whether an answer that wasn't there is there now.
func noteKept(rc *gatekit.RequestContext, why string, err error) {
	v := gatekit.Skipped
	if why == whyKept {
		v = gatekit.Passed
	}
	note(rc, v, why, err)
}
