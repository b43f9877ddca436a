// Package compare sends what an access log has to two gateways, one in this process and the one
// that still serves the API, and tells where their answers differ: what a team wants to know before
// clients are moved from one to the other.
//
//	report, err := compare.Run(ctx, compare.Config{
//		Gateway: gateway, // of route/definition, or any http.Handler
//		Remote:  "https://a1b2c3.execute-api.eu-west-1.amazonaws.com/prod",
//		Log:     file,
//		Header:  http.Header{"Authorization": {"Bearer " + token}},
//		Told:    func(d compare.Difference) { fmt.Println(d) },
//	})
//	fmt.Print(report)
//
// # The log
//
// A line is one of these, and a log may mix them:
//
//   - the common log format, with whatever follows: the request is what stands in the first quotes;
//   - an object of JSON with httpMethod, and the first that is there of path, resourcePath and
//     routeKey;
//   - comma-separated values: a method, a path or route key, and a protocol in a row;
//   - a path, or a method and a path.
//
// The console's samples of access log formats have the route ("GET /orders/{id}") where others have
// the path. A route with variables can't be asked for, so such lines are skipped and counted:
// $context.path in the format makes them useful. No format of the managed gateway has the query.
// Each method and path is asked for once.
//
// # What is compared
//
// The status; if that is alike, headers and body. JSON is compared by value: order of members and
// blanks don't matter, spellings of numbers do. Of headers that are new with each answer (Date,
// request and trace IDs) only the shape counts, of cookies their names and attributes. Headers of a
// connection, or of caches and networks between (Via, Age, X-Amz-Cf-Id …), don't count, nor does
// Content-Length, as bodies are compared. Redirects aren't followed. Clients that accept no
// compression are what both see.
//
// # Secrets
//
// Neither the log's queries nor the headers that were sent are told, nor any text that has a word
// of theirs in it. What a header or a member of JSON says is told, unless its name speaks of a
// secret (token, password, session …). Of runs of 16 characters and more with a digit, or of 32
// without, only the length is told, as keys look so, and of text that isn't JSON only where it
// differs. What remains may still be personal: a report belongs where the log belongs.
//
// Requests go to the host of Config.Remote and to Config.Gateway alone, whatever the log says.
//
// # Differences
//
// This is no feature of the managed gateway's. The Gateway is asked over a port of the loopback
// interface, as it would be asked in use; nobody else gets an answer there. What depends on the
// client's address or on TLS may differ for that reason.
package compare
