// Package integration answers what stands behind a route: the integrations of an API.
//
// # Lambda
//
// [Lambda] makes a handler of a Lambda function, with the events and replies that it knows: payload 2.0 and 1.0 of HTTP APIs, the proxy event of
// REST APIs. What decides is the API's flavor and [LambdaConfig]. The function is an [gatekit.Invoker]:
//
//   - lambda.NewHandler(fn) of aws-lambda-go, in this process; [StreamFunction] where it streams;
//   - the AWS SDK's client, through the adapter that [FunctionResult] shows;
//   - an [Endpoint]: the Invoke operation over HTTP, of the Lambda service or of an emulator;
//   - a [RuntimeAPI]: programs that were built for Lambda, which ask it for their events.
//
// [LambdaCustom] is the custom (non-proxy) integration, for use under transform.REST.
//
// [NewFunction] is the way back: it runs any http.Handler as a Lambda function, so that one chain is a server here and a function there.
//
// # What functions see
//
// HTTP APIs show a decoded path, after the stage's name unless that is $default; payload 1.0 and REST APIs keep its escapes. Bodies are base64
// by fixed rules on HTTP APIs, by [LambdaConfig.BinaryMediaTypes] on REST APIs. What an authorizer learned stands in requestContext.authorizer,
// an IAM caller in requestContext.identity except in payload 2.0. A signature (AWS4-HMAC-SHA256 …) is not passed on.
//
// Answers with a status of their own are sent; otherwise a function that fails is 500 on HTTP APIs and 502 on REST APIs, one that takes too long
// 503 and 504, one that is throttled or can't be called 500.
//
// # Limits
//
// Timeouts and sizes are the managed gateway's and Lambda's unless [LambdaConfig] says otherwise; [Limits] refuses requests with too many
// header bytes or too large a body before any integration.
//
// # Differences
//
//   - Header names arrive in net/http's spelling (X-My-Header), where the managed gateway keeps that of the client in payload 1.0 and REST events.
//   - Timeouts may be up to 15 minutes for every API.
//   - A function's context isn't ended when its client goes away, but it is ended by the timeout.
//   - HTTP APIs stream, too, if [LambdaConfig.Stream] says so, and streams aren't slowed down after 10 MB.
//   - A header value with a control character, or a name that isn't a token, makes a reply malformed. Statuses from 200 to 999 count as such.
//   - integrationLatency of a REST API's Lambda authorizer is 0. deploymentId and resourceId are made of the API's and the resource's names.
//   - A pair of a query isn't split at ;. The parameters of an event are ordered by name.
//   - A function error of an in-process function has no stackTrace, which tells of the machine.
//   - A REST API sees no difference between a custom domain without base path and the default endpoint: path has no stage.
package integration
