// Package crs puts the OWASP Core Rule Set, version 4.25, in front of a handler, judged by the
// engine Coraza. It is a module of its own, as the engine is heavy.
//
//	rules, err := crs.New(ctx, crs.Config{})
//	…
//	api.Use(rules.Middleware) // before routes, authorizers and quotas
//
// In a web ACL it takes the place of a rule group, of a managed one too, whose rules nobody
// publishes:
//
//	web, err := waf.New(ctx, waf.Config{ACL: doc.WebACL, GroupFuncs: map[string]waf.GroupFunc{
//		"AWS:AWSManagedRulesCommonRuleSet": rules.Judge,
//	}})
//
// There its findings are labels in the group's namespace, by rule and by kind of attack
// (awswaf:managed:aws:AWSManagedRulesCommonRuleSet:942100, …:attack-sqli), which later rules can
// look for; its scope-down statement and an override action of Count hold.
//
// # What is refused
//
// A rule that matches adds to the request's score, and what reaches AnomalyThreshold is refused: at
// 5, its default, that is one critical finding. So a single rule can't be told to block or to
// count: take it out by an Exclusion, or let it set another score by Directives. The few rules
// named Rule… refuse by themselves: a body that isn't what its Content-Type says, one with more
// arguments or bytes than are judged.
//
// A refused request gets what the API says for the gateway response WAF_FILTERED, 403, through
// gatekit.Reject, so that logs and gatekit.Shadow see it. The Rejection's Cause names rules and
// variables, and so does Config.Log; neither holds what the client has sent.
//
// # How to tune
//
// Run with DetectionOnly (or in a gatekit.Shadow, or counted in a web ACL) and read the findings of
// a week. What is found in an argument that may hold anything is excluded there, and not
// everywhere:
//
//	Exclusions: []crs.Exclusion{{Tag: "attack-sqli", Variable: "ARGS:json.query", Path: "/reports"}}
//
// Levels above 1 find more, and more that is harmless. Setup and Directives take all else that the
// rule set's documentation and the SecLang reference describe.
//
// # Bodies
//
// A body is read up to RequestBodyLimit before the handler runs, and put back: the handler reads
// what was sent, with its Content-Length, its trailers and its errors. Longer bodies are refused:
// who pads an attack would pass. Give uploads a chain without these rules, or a larger limit; with
// InsecurePassLargerBodies their front is judged, and the rest streamed. A body that fails to be
// read is judged as far as it came, and fails behind the rules at the same place.
//
// Rule 920450 refuses requests with Expect, which some clients send with large bodies; excluded, a
// client that waits for 100 Continue is told to send when its body is read, and never if phase 1
// refuses (tx.early_blocking).
//
// Without InspectResponses a handler has the server's own ResponseWriter, so that streams, upgrades
// and trailers are as ever. With it, answers of ResponseTypes are held back up to
// ResponseBodyLimit; a flush ends that, and what follows isn't judged. An answer that is compressed
// is judged as it is, so compress in front of the rules. An upgraded connection isn't judged.
//
// # Cost
//
// Several hundred regular expressions look at each argument, one after the other. On one core of an
// AMD EPYC a plain GET takes 0.4 ms, a small POST 0.9 ms and 3,500 allocations, 8 KB of JSON in 300
// values 75 ms; twenty rules of a web ACL of auth/waf take a microsecond. (go test -bench . in this
// package.) The expressions are RE2's, so that time grows with the request and not faster; the
// limits on header, body, arguments and cookies bound it: by default the worst request that we know
// takes half a second. Have limits by caller in front, and bind the rules where they are needed: in
// a web ACL behind a scope-down statement.
//
// A compiled set takes some 12 MiB; share one.
//
// # Notes
//
// Where somebody keeps notes (gatekit.RequestContext.KeepNotes), rules that have matched are on
// trial, by their IDs and at most 16 of them; the last note says what comes of it.
//
// # Differences
//
// PUT, PATCH and DELETE are allowed methods by default, and a few formats of JSON allowed types.
// The engine's own http.Handler isn't used: it buffers answers and knows neither flushes nor
// trailers. Its audit log is off, as it holds whole requests. A "#" in a request's path, which the
// engine takes for the end of what there is, hides nothing. net/http refuses malformed requests
// before any rule sees them, and can't tell an empty Host from none.
//
// Of the rule set's 4,674 regression cases 4,658 pass here; those that don't expect answers that
// Apache gives by itself, or the texts of another engine, and are listed with the reasons in this
// package's tests.
package crs
