// Package metering answers what traffic would cost on the managed gateway, and what it costs here.
//
//	meter, err := metering.New(metering.Config{})
//	api.Use(meter.Middleware)            // HTTP and REST APIs
//	chat.UseMessages(meter.Middleware)   // WebSocket APIs
//	meter.Observe(chat)
//	admin.Handle("GET /costs", meter.Handler())
//
// It counts by the service's rules: a request of an HTTP API for each started 512 KB of its body, a
// call of a REST API once, a WebSocket message in and out for each started 32 KB, connections by
// the minute. What the gateway refuses for want of credentials, a key, quota or patience isn't
// charged ([FreeRefusals]); what no route is for, what a backend refuses, and preflights are.
// (Pricing page; "no charge for failed auth" is what the service's staff says.)
//
// Counts are told apart by API, stage, route and API key, all of them words of the configuration,
// up to Config.MaxRows. [Meter.Report] prices them by a table ([Prices], by default [USEast1])
// whose tiers are of a calendar month, exactly, in millionths of a dollar, and sets beside it the
// processor time of the process. A [Report] is written as JSON and CSV, and telemetry.ObserveMeter
// makes metrics of it.
//
// Counts are of this process and gone with it: what is to be kept is fetched and kept elsewhere. A
// month ends with the first request, or reading, after it.
//
// # Differences
//
// The bill there also has what isn't counted here: data transfer, caches by the hour, logs, web
// ACLs and functions. Streamed answers of REST APIs may be charged in steps of 10 MB, which nobody
// has confirmed; here they are one call. Tiers there are of all APIs of an account in a region,
// here of those that one Meter sees.
//
// Connection minutes are those of all connections together, rounded up once; how each one is
// rounded there isn't known. Messages of WebSocket APIs are charged whatever becomes of them.
package metering
