// Package lambdaruntime runs the code of Lambda functions as processes of this machine, without
// containers: what is behind an API whose functions are programs and not Go values.
//
//	orders, err := lambdaruntime.New(lambdaruntime.Config{
//		Name: "orders", Runtime: "nodejs22.x", Handler: "index.handler", Dir: "functions/orders",
//		Environment: map[string]string{"TABLE": "orders"},
//	})
//	…
//	defer orders.Close()
//	h, err := integration.NewLambda(orders, integration.LambdaConfig{})
//
// A [Function] is a gatekit.Invoker, for integrations and authorizers. It starts processes when
// they are asked for, keeps them for the next call, and ends those that have had none for a while.
// Each has one call at a time, as in Lambda, and speaks Lambda's runtime API with the
// integration.RuntimeAPI of this process:
//
//   - provided.al2023, provided.al2, provided, go1.x: the program bootstrap of the function's
//     folder (go1.x: the one that Handler names), or [Config.Command]: what was built for Lambda
//     runs unchanged, if it was built for this machine;
//   - nodejs*: CommonJS and ES modules, under the node of this machine;
//   - python3*: under its python3.
//
// Modules are found as Lambda finds them, from the function's folder, which is the working
// directory.
//
// # What a function fails with
//
// A function that returns an error, throws, exits, can't be loaded, prints no JSON, answers too
// much or takes too long is a [integration.FunctionError] with Lambda's errorType and errorMessage:
// Runtime.ExitError, Runtime.ImportModuleError, Sandbox.Timedout, Function.ResponseSizeTooLarge …
// The next call gets another process. An [integration.InvokeError] is of a call that never was:
// after Close, or where this machine gives no port.
//
// # Environment
//
// Processes get PATH, HOME, TMPDIR and LANG of this one, what Lambda sets, Config.Environment, and
// what Config.Inherit names. No credentials are among them: files with those of AWS, and its
// instance metadata, are hidden from SDKs unless Environment says otherwise. A process runs as the
// user that runs this program all the same, and can read what that user can: it is no sandbox.
//
// Whoever may open connections to this machine's loopback address can ask for a function's events
// while it runs. Web pages can't: requests with an Origin or another Host are refused.
//
// # Differences
//
// Lambda:
//
//   - throttles calls beyond the concurrency. Here they wait for a process, until their context
//     ends;
//   - bounds memory, disk and processors. Here MemoryMB is what a function is told, and no more;
//   - freezes a process between two calls. Here it may go on working;
//   - reads the runtime's version from its name. Here it is that of the program in PATH;
//   - streams the answers of Node functions (awslambda.streamifyResponse). Here those of
//     bootstrap programs stream, and awslambda isn't defined;
//   - has Node wait for an empty event loop before a callback's answer goes out
//     (callbackWaitsForEmptyEventLoop). Here it goes at once;
//   - gives a layer's files. Here there are none but the function's.
//
// A call whose context ends returns at once; the function goes on until its own timeout, as in
// Lambda.
//
// Linux and macOS end what a process has started by its process group. Other systems end the
// process alone.
package lambdaruntime
