// Package selector reads the words by which a configuration names a part of a request:
// "method.request.header.X-Tenant", "$request.querystring.token", "context.identity.sourceIp",
// "stageVariables.env". Identity sources, parameter mappings, gateway responses, request validators
// and cache keys are written in them, and each flavor of API spells them in its own way: that is a
// [Form]. A [Grammar] is what one place of a configuration takes: some forms, and some kinds of
// things to read.
//
//	var keys = selector.Grammar{Forms: []selector.Form{selector.Method}, Kinds: selector.Header | selector.Query}
//	s, err := keys.Parse("method.request.header.X-Tenant")
//	value, found := s.Last(&selector.Message{Request: r})
//
// There is one reader because there were seven, and they differed: one took a header that the next
// refused, one found a query parameter behind a semicolon that the next didn't see. An authorizer,
// a cache and a mapping that disagree on what a request says judge one request and serve another.
//
// # Names
//
// A name is what can be there, so that a selector that can never find anything is refused when the
// API is built:
//
//   - a header's is a token of HTTP (RFC 9110, section 5.6.2), in any letter case; it is kept in
//     canonical form;
//   - a query parameter's is case-sensitive; in the forms of REST and WebSocket APIs it has
//     letters, digits and ._$- (the model of CreateAuthorizer and PutMethod: ^[a-zA-Z0-9._$-]+$),
//     in those of HTTP APIs anything but control characters;
//   - a path variable's is what a route key's braces can hold: letters, digits and .:_-, without
//     the + of a greedy one;
//   - a stage variable's has letters, digits and _, as a stage takes no other;
//   - a variable of $context is one of package contextvar's table.
//
// (Developer guide: "Use API Gateway Lambda authorizers", "Transform API requests and responses for
// HTTP APIs", "Amazon API Gateway API request and response data mapping reference", "Set up data
// mapping for WebSocket APIs".)
package selector
