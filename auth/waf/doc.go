// Package waf keeps attackers out: web ACLs in the words of AWS WAF (WAFv2), in front of any
// handler. What a team has configured there, as JSON of the API or of CloudFormation, is read and
// judged here; or rules are written down as Go structs.
//
//	doc, err := waf.Read(acl, waf.ReadConfig{})
//	…
//	web, err := waf.New(ctx, waf.Config{ACL: doc.WebACL, IPSets: map[string]waf.IPSource{"office": office}})
//	…
//	api.Use(web.Middleware) // before routes, authorizers and quotas: what is blocked costs none of them
//
// The managed gateway has web ACLs on stages of REST APIs only. Here one may stand in front of any
// API, or of any handler.
//
// # Rules
//
// Rules are judged by their priority, the lowest first. A rule that matches and allows or blocks
// ends the evaluation; one that counts doesn't; a CAPTCHA or a challenge ends it for clients
// without a valid token. What no rule ends gets the default action. A rule that matches sets its
// labels, and later rules can look for them. A rule group is judged at its place, and its rules'
// actions can be overridden there.
//
// A blocked request gets the rule's custom response, or what the API says for the gateway response
// WAF_FILTERED: 403 {"message":"Forbidden"}. Either way the refusal goes through gatekit.Reject, so
// that logs and gatekit.Shadow see it: gatekit.Shadow(web.Middleware, report) puts a whole ACL on
// trial, the action Count one rule.
//
// # Bodies
//
// Of a body as much is read as the ACL inspects (16 KB, or AssociationConfig's 32, 48 or 64), when
// the first rule that looks at it is judged, and put back in front of the rest, which is streamed.
// A body that no rule looks at isn't read. So with such a rule a request waits for the first 16 KB
// or for the end of its body; how long is the server's ReadTimeout. What is beyond the limit isn't
// judged, and goes on all the same: pair a body rule with one that blocks what is too large
// (SizeConstraintStatement GT the limit, with OversizeHandling MATCH).
//
// Nothing is decoded unless a statement says so by its text transformations: neither the path, nor
// queries, forms, or a body's Content-Encoding. What is encoded twice is decoded by URL_DECODE
// twice.
//
// # Documents
//
// [Read] and [New] refuse what they don't know, by the name of the rule: a field, a statement, a
// pattern that RE2 can't do, a managed rule group. With Lenient such a rule is left out and
// reported, and the others are judged: what it would have blocked is then not blocked, so look at
// the findings. No rule of AWS's managed groups is published; a name is bound to a group of your
// own by Config.RuleGroups, or to Go code by Config.GroupFuncs: the module auth/waf/crs has the
// OWASP Core Rule Set.
//
// # Notes
//
// Where somebody keeps notes (gatekit.RequestContext.KeepNotes), rules that have matched and let
// the evaluation go on are on trial, at most 16 of them; the last note is of the rule that has
// ended it, or of Default_Action, with the status of the answer.
//
// # Differences
//
// Rate-based rules are exact: they count the requests of the window that ends now, and the first
// one above the limit is acted upon. The managed service looks every ten seconds or so, and lags.
// Counted are requests that the rule blocks as well. Where a key's header, cookie or argument comes
// several times, a request is counted by its first value and by its last, each by itself, and the
// higher count decides; what is between them isn't counted. Several labels in a key's namespace are
// one value, joined by commas.
//
// A statement about a forwarded address whose header isn't there is neither true nor false: an OR
// goes by its other statements, an AND doesn't match, and a NOT of it neither. So a rule of nothing
// else isn't applied, as the guide says, and no client switches off the rest of a rule by leaving a
// header out.
//
// Cookies are judged as net/http reads them: without blanks around their names, and a value in
// quotes both with and without them. A body, cookie or header that isn't there has no size: no
// SizeConstraintStatement matches it, not even LT.
//
// net/http keeps no order of headers: where OversizeHandling is CONTINUE, all headers are judged
// and not the first 8 KB, so bound them by the server's MaxHeaderBytes; HeaderOrder needs
// Config.HeaderOrder. Names of headers are judged in lower case.
//
// JA3 and JA4 fingerprints, which the managed service has on other resources than API Gateway, are
// known where TLS ends in this program ([Fingerprints]) and Config.JA3 and Config.JA4 are [JA3] and
// [JA4]. Else FallbackBehavior is the answer, as it always is for a URI fragment.
//
// A query argument's name is compared as it is written and decoded, so that an escape in it doesn't
// hide the argument. Patterns are RE2's; in a text that isn't UTF-8 they find characters as well as
// single bytes, such as \xff. A pattern with many repetitions is refused, by its steps and by how
// much of a body is inspected: 1280 steps at 16 KB, 514 at 64 KB. A body that fails to be read is
// judged as far as it came, and fails behind the ACL at the same place. A client's address is that
// of gatekit.SourceIP, which trusted proxies tell.
//
// Records have no matchedData, and show neither cookies nor the headers that hold credentials. Of
// the filters of a LoggingFilter the first that a record meets decides, as the guide doesn't say
// what several do.
//
// Of the labels about tokens only accepted, rejected and absent are set, by what Config.Challenge
// knows; without it there are none.
//
// A rule that can't be judged, as its counter fails, refuses the request; Config.FailOpen passes
// it.
package waf
