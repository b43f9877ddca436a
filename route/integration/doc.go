// Package integration answers what stands behind a route: the integrations of an API.
//
//	orders, err := integration.NewLambda(lambda.NewHandler(f), integration.LambdaConfig{})
//	…
//	users, err := integration.NewHTTP(ctx, integration.HTTPConfig{URI: "http://users.internal/{proxy}"})
//	…
//	api.Handle("POST /orders", orders)
//	api.Handle("ANY /users/{proxy+}", users)
//
// # Lambda
//
// [NewLambda] makes a handler of a Lambda function, with the events and replies that it knows:
// payload 2.0 and 1.0 of HTTP APIs, the proxy event of REST APIs. What decides is the API's flavor
// and [LambdaConfig]. The function is an [gatekit.Invoker]:
//
//   - lambda.NewHandler(fn) of aws-lambda-go, in this process; [StreamFunction] where it streams;
//   - the AWS SDK's client, through the adapter that [FunctionResult] shows;
//   - an [Endpoint]: the Invoke operation over HTTP, of the Lambda service or of an emulator;
//   - a [RuntimeAPI]: programs that were built for Lambda, which ask it for their events. Package
//     route/lambdaruntime starts and ends them, and runs functions in Node and Python.
//
// [NewLambdaCustom] makes the custom (non-proxy) integration, for use under transform.REST.
//
// The way back, an http.Handler as a Lambda function, is package route/function.
//
// # What functions see
//
// HTTP APIs show a decoded path, after the stage's name unless that is $default; payload 1.0 and
// REST APIs keep its escapes. In the decoded one an encoded slash looks like any other: functions
// that route by rawPath read "Paths" in package route's doc. Bodies are base64 by fixed rules on
// HTTP APIs, by [LambdaConfig.BinaryMediaTypes] on REST APIs. What an authorizer learned stands in
// requestContext.authorizer, an IAM caller in requestContext.identity except in payload 2.0. A
// signature (AWS4-HMAC-SHA256 …) is not passed on.
//
// Answers with a status of their own are sent; otherwise a function that fails is 500 on HTTP APIs
// and 502 on REST APIs, one that takes too long 503 and 504, one that is throttled or can't be
// called 500.
//
// # HTTP proxy and private integrations
//
// [NewHTTP] passes requests on to HTTP servers. With a URI alone it is an HTTP proxy integration;
// with Upstreams, and Private, the integration behind a VPC link: a [Proxy] that balances, checks
// health, ejects who fails, and sends again what is safe. The [Proxy]'s doc has the headers of each
// flavor. [NewMock] answers without a backend.
//
// What an upstream may cost is bounded: the headers by Timeout, a pause by IdleTimeout, connections
// by MaxConnections, those that wait by MaxWaiting, retries by a budget, response headers by
// MaxResponseHeaderBytes. Of bodies 32 KiB are held at a time, and up to Retry.BodyBytes of the
// idempotent requests that may be sent again.
//
// # AWS services
//
// [NewService] calls an AWS service, signed with a key of your role: SQS, DynamoDB, Step Functions,
// Kinesis, S3, SNS, EventBridge and any other. On a REST or WebSocket API it stands under
// transform.REST, whose templates make the request and whose integration responses are selected by
// the service's status; on an HTTP API a [ServiceConfig].Subtype and its parameters say it all.
// Requests go to the service or to an Endpoint of your choice, an emulator for example. The AWS
// SDK's credentials are three lines away; see the example.
//
// A template writes the service's request, so that what a client may put into it is the template's
// care: values of a form need $util.urlEncode, or a client adds parameters, and strings of JSON
// need $util.escapeJavaScript.
//
// # Limits
//
// Timeouts and sizes are the managed gateway's and Lambda's unless [LambdaConfig] or [HTTPConfig]
// says otherwise; gatekit.Limits refuses requests with too many header bytes or too large a body
// before any integration.
//
// # Notes
//
// The outcome of a call is [gatekit.Integration], which is also its note where somebody keeps them
// (gatekit.RequestContext.KeepNotes): passed with a status, failed with an error, answered by a
// mock. Attempts that another one follows are retried, each with its upstream; one that has ejected
// its upstream says so. An Invoker of the program's own tells request IDs by [TellRequestID].
//
// # Differences of Lambda integrations
//
//   - Header names arrive in net/http's spelling (X-My-Header), where the managed gateway keeps
//     that of the client in payload 1.0 and REST events.
//   - Timeouts may be up to 15 minutes for every API.
//   - A function's context isn't ended when its client goes away, but it is ended by the timeout.
//   - HTTP APIs stream, too, if [LambdaConfig.Stream] says so, and streams aren't slowed down after
//     10 MB.
//   - A header value with a control character, or a name that isn't a token, makes a reply
//     malformed. Statuses from 200 to 999 count as such.
//   - integrationLatency of a REST API's Lambda authorizer is 0. resourceId and deploymentId, where
//     route and stage state none, are made of names.
//   - A REST API's events show the X-Api-Key of any request as identity.apiKey, whether or not the
//     route requires one; apiKeyId is there once a usage plan has found the key. serialNumber is
//     decimal; there is no switch for hex.
//   - A pair of a query isn't split at ;. The parameters of an event are ordered by name.
//   - A function error of an in-process function has no stackTrace, which tells of the machine.
//
// # Differences of HTTP integrations
//
//   - Bodies are streamed, on HTTP APIs too, where the managed gateway buffers. So a response that
//     breaks off aborts the connection; a response that doesn't say how long it is may be longer
//     than 10 MB; the timeout ends with the response headers, and IdleTimeout begins.
//   - The timeout may be longer than 30 seconds, upstreams may listen on any port, be reached by
//     HTTP/2 or h2c, and be asked again.
//   - WebSocket upgrades, 1xx responses and trailers pass. Other upgrades don't: h2c would lead
//     past everything in front of it.
//   - A path variable in the host is refused, as clients would choose the server. One that the
//     route doesn't have stays in the path, escaped. One whose value nobody can tell, as another
//     router keeps it to itself, is a 500.
//   - A path that has dot segments, NUL or a backslash once its variables are filled in is 400.
//   - What the client encoded in a path variable stays encoded, as it came: /files%2fsecret is no
//     /files/secret. A greedy variable is reported to be decoded
//     (HTTPConfig.InsecureDecodeEncodedSlash).
//   - On HTTP APIs a client's X-Forwarded-For, -Host, -Port and -Proto are dropped, as they would
//     be believed; HTTPConfig.XForwarded writes them. A client's Forwarded that doesn't parse gives
//     way to the gateway's.
//   - X-HTTP-Method-Override is only followed where HTTPConfig.MethodOverride says so: authorizers
//     judge the method that was sent.
//   - A REST API drops Content-Encoding from responses; here a gzip body is decoded for it, and
//     other codings keep the header.
//   - An HTTP API passes Date, Server and Via of the upstream on.
//   - Which failures are which isn't fully known. Here, on an HTTP API, all are 503 but a
//     certificate of another name behind a VPC link and a response that is too long: 500. On a REST
//     API a name that doesn't resolve is 500, a response that is too long 502, all other are 504.
//   - Connection can't name the forwarding headers, the trace or HTTPConfig.GatewayHeaders. Others
//     that it names are dropped, as RFC 9110 demands, before any station sees them
//     (gatekit.Attach). Answers don't say Connection: keep-alive, which HTTP/1.1 means anyway.
//   - Of trailers those pass that were announced, and that RFC 9110, section 6.5.1, leaves to
//     trailers; in neither direction one that a header rule is about, or that the header section
//     has. A mapped header is sent as a header, whether or not Trailer is mapped beside it.
//   - Headers whose names, with - for _, are those of headers that are set, dropped or sent beside
//     them are dropped.
//   - A client that keeps an upstream waiting loses its place there to others
//     (HTTPConfig.MaxConnections), with 408 if it hasn't sent all.
//
// # Differences of AWS services
//
//   - Requests are signed with the key that ServiceConfig.Credentials tells; no role is assumed
//     here, and a caller's own credentials (arn:aws:iam::*:user/*) can't be used: nobody has them.
//   - What an action's URI makes of a request isn't published. Here it is a POST with the action's
//     X-Amz-Target and Content-Type, whatever is mapped, where the service is known to speak a JSON
//     protocol; else the parameters Action and Version in the query. Of a service that isn't known
//     an X-Amz-Target may be mapped, if it ends in the URI's action; any other is 500. An action of
//     a service that is told by method and path what to do, such as S3, is refused: write it as a
//     path.
//   - A path variable in the service's subdomain is refused, as clients would choose the host. The
//     Host header is the service's, also where one is mapped.
//   - GET and HEAD have no body, where a mapping without a template would send {}.
//   - A subtype's QueueUrl is a parameter of the request and never where it is sent. SQS is called
//     in its query protocol, whose XML clients were reported to get.
//   - A service that refuses a subtype's request is a 500 (ServiceConfig.PassErrors). A list is an
//     array of JSON or separated by commas, a Time as in RFC 3339 or in seconds.
//   - Where a parameter is JSON that is written out with selectors in its strings, what they find
//     is escaped to stay there.
//   - No service integration is streamed, and the timeout is that of the whole answer.
package integration
