// Package telemetry answers how requests fare: metrics under the managed gateway's names and under
// OpenTelemetry's, and spans, by OpenTelemetry's API. What becomes of them is an SDK's business,
// which the program brings.
//
//	t, err := telemetry.New(telemetry.Config{
//		MeterProvider:  otel.GetMeterProvider(),
//		TracerProvider: otel.GetTracerProvider(),
//		Detailed:       true,
//	})
//	api.Use(t.Middleware)
//	err = t.ObserveWebSocket(chat)
//	err = t.ObserveUpstreams("orders", proxy)
//
// # Metrics
//
// The service's (ServiceNames) have its dimensions: ApiId and Stage, and with Config.Detailed the
// Route; of a REST API ApiName and Stage, and with Detailed Method and Resource. OpenTelemetry
// wants a name to begin with a letter, so all of them stand behind ApiGateway/, as behind the
// namespace AWS/ApiGateway in CloudWatch.
//
//	ApiGateway/Count                 requests, refused ones too
//	ApiGateway/4xx, 5xx              and 4XXError, 5XXError of REST APIs
//	ApiGateway/Latency               ms, a histogram
//	ApiGateway/IntegrationLatency    ms, a histogram: of requests that a backend was asked for
//	ApiGateway/CacheHitCount         and CacheMissCount
//	ApiGateway/DataProcessed         bytes of bodies, in and out
//	ApiGateway/ConnectCount          and MessageCount, IntegrationError, ClientError, ExecutionError
//	                                 of WebSocket APIs ([Telemetry.ObserveWebSocket])
//
// (Developer guide, "Monitor REST API execution with Amazon CloudWatch metrics", and its like for
// HTTP and WebSocket APIs.) Those of OpenTelemetry (HTTPNames) are http.server.request.duration, by
// method, status, scheme and protocol version, with Detailed also by http.route, and
// http.server.active_requests. (Semantic conventions for HTTP metrics.) And these are ours:
//
//	gatekit.refusals                 by gatekit.phase, and gatekit.refusals.on_trial of rules on trial
//	gatekit.throttled                by gatekit.limit: account, stage, route, key …
//	gatekit.authorizer.cache         by gatekit.authorizer and gatekit.cache.result
//	gatekit.quota.left               by gatekit.plan: the least of any key since the last reading
//	gatekit.integration.retries
//	gatekit.upstream.healthy         and gatekit.upstream.active_requests ([Telemetry.ObserveUpstreams])
//	gatekit.websocket.connections
//	gatekit.top_keys                 by gatekit.api_key.id, as Config.TopKeys says
//	gatekit.metering.units           and .cost.there, .cost.here, .cpu ([Telemetry.ObserveMeter])
//
// # What is told apart
//
// Every label is one of the configuration's words, or of a list in this package: what a client
// sends (a host, a path, a method of its own, a key) makes no series. Requests without a route are
// one, and what is more than Config.MaxSeries is counted together as "(other)". API keys, of which
// there may be a million, are counted in a sketch of a few, with a known error
// ([Telemetry.TopKeys]).
//
// # Spans
//
// A request is one span, named by its route. Where it is sampled, what stations note of it
// (gatekit.Note) are spans and events below: the authorizer's call, the backend's, the limit that
// refused. They hold no header, no query and no body. The trace goes on to what integrations ask:
// HTTP backends get traceparent and tracestate, and they and Lambda events X-Amzn-Trace-Id with the
// same IDs. A handler finds the span in its request's context.
//
// The trace context and baggage of a client are a stranger's words: by default they are linked to,
// and baggage is taken out. Config.ContinueFrom names whose are believed, Config.Remote what
// becomes of the others'.
//
// # Cost
//
// Metrics allocate nothing; counters are this package's own, and read when a reader asks. A latency
// in an SDK's histogram costs more than all the rest, and there are two a request (three with a
// backend): Config.Names leaves one out, Config.OwnHistograms keeps them here. In processor time
// beside otelhttp, with the same SDK in one run (internal/bench, Telemetry, on a busy machine of
// two cores): metrics 0.09 with own histograms and 0.2 with the SDK's, a span that isn't sampled
// 0.1, of which half is the SDK's.
//
// # Differences
//
// The managed gateway goes on with any client's trace, and does what it says of sampling. Here that
// is InsecureContinueRemote.
//
// CloudWatch's metrics are of a minute each; these are sums since the start, as a reader makes
// minutes of them. Without Detailed a metric is by API and stage, with it by route alone: the sum
// over the routes is the API's, and nothing is told twice.
//
// A connection that changes protocols is counted, with 101, and has no Latency. Messages of
// WebSocket APIs make IntegrationLatency and spans, and no HTTP metrics.
//
// Without a station of this module that chooses a route, and without gatekit.OnRoute, requests have
// no route; a Telemetry behind another router (http.ServeMux, chi) sees the route by standing on
// it.
package telemetry
