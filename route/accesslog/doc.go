// Package accesslog tells who has called and what came of it: a line for each request, in the
// formats that stages of the managed gateway have, as in the developer guide's pages "Set up
// CloudWatch logging for REST APIs", "Configure logging for HTTP APIs" and "… for WebSocket APIs".
//
//	w, err := accesslog.NewWriter(ctx, accesslog.WriterConfig{To: os.Stdout})
//	log, err := accesslog.New(accesslog.Config{Format: accesslog.HTTPJSON, Writer: w})
//	api.Use(log.Middleware) // outside of all others
//
// A format is compiled once. A line of 14 variables in JSON costs one allocation, for the
// ResponseWriter that counts, and 0.25 times what log/slog's JSON handler takes for the same
// fields, 0.84 times what zerolog does (internal/bench, BenchmarkAccessLog).
//
// # Variables
//
// Every variable of $context that has a meaning here has its value; [Log.Unknown] and the error of
// [New] tell of names that there aren't. Those of phases ($context.waf, .authenticate, .authorizer,
// .authorize: status, error, latency) are made of the notes that stations make of a request
// (gatekit.Note), which are kept only for a format that asks for them; times are taken only for a
// latency of a phase. authenticate.* is what was found of any credentials; authorizer.status,
// .error and .latency are that as well where no function was called.
//
// A log's lines are one a request, also of those that are refused: it stands outside of what
// refuses. An http.TimeoutHandler stands behind the stations, right around the integration: what it
// leaves behind is at work while the line is written, and must not say anything of the request.
//
// # When the log can't keep up
//
// A [Writer] holds up to 4 MiB of lines. What doesn't fit is dropped, the newest line first, and
// counted ([Writer.Dropped]); with WriterConfig.Wait requests wait for room up to that long.
// Rotation is the system's: To is any io.Writer, such as one that opens its file anew on SIGHUP
// (see the example of [NewWriter]).
//
// # Secrets
//
// API keys, access keys, claims and what an authorizer says of the caller are masked, unless
// [Config.Unmasked] names them: a key of 20 bytes or more shows its last six, as the managed
// gateway's execution logs have it, everything else nothing.
//
// # Execution logs
//
// [Execution] is for who debugs templates: what a method of a REST API got, what its backend was
// sent, what that answered, and what became of it, in the entries of the managed gateway's
// execution logs. It writes a request's entries together, when the request is answered. Credentials
// are masked in headers and queries; bodies, which [ExecutionConfig.DataTrace] asks for, are shown
// as they are.
//
// # Differences
//
// The managed gateway inserts values as they are. Here none can end its line or field, unless
// [Config.InsecureUnescaped] is set. In a format that begins with { a value is escaped as in a JSON
// string where it stands in one; elsewhere null stands for none, and a value is put into quotes,
// but for numbers and for what an authorizer says, if that is a value of JSON. In one that begins
// with < it is escaped as XML; in a list of variables with commas between, a field that has a comma
// or a quote is quoted (RFC 4180). In all others quotes and backslashes get a backslash, and
// control characters, marks of direction and line separators become \n or \xhh.
// error.messageString, which is quoted, stays so.
//
// The managed gateway shows claims, keys and an authorizer's context in full.
//
// A format's line ends become blanks. A value has at most 16 KiB. $context.endpointType,
// identity.vpcId and .vpceId, integration.timeToAllHeaders and .timeToFirstContent have no value
// here. integration.responseTransferMode is how the answer went: STREAMED if it was flushed.
// xrayTraceId is the root of the trace that integrations are told. The status of a request whose
// client went away before anything was sent is "-"; of a WebSocket's CONNECT it is 101. What a
// WebSocket API refuses before its Use (a page of another origin, no handshake) is logged where the
// log stands around the whole API.
//
// An execution log's maps are in the order of their names. Without DataTrace it still has headers,
// which the managed gateway leaves out; Cookie and Set-Cookie, tokens in queries and
// [ExecutionConfig.Secrets] are masked as well: cookies, passwords and what Basic says whole.
// Line ends in an entry are written \n. The entries of failures are close to the managed gateway's,
// of which only some are known to the letter; there are none of API keys and plans.
package accesslog
