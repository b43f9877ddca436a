// Package websocket answers which handler a WebSocket message is for, as API Gateway's WebSocket
// APIs do, and keeps the connections that messages come from and go to.
//
//	api, err := websocket.New(ctx, websocket.Config{
//		API:            gatekit.API{APIID: "a1b2c3d4e5", Stage: "prod", Region: "eu-west-1", AccountID: "123456789012"},
//		RouteSelection: "$request.body.action",
//	})
//	api.Handle("$connect", connect, authorizer.Middleware)
//	api.Handle("join", join)
//	api.Handle("log", log, websocket.OneWay)
//	api.Handle("$default", other)
//	api.Handle("$disconnect", disconnect)
//	conns, err := api.Connections(sigv4.Middleware)
//	mux.Handle("/prod", api)
//	mux.Handle("/prod/@connections/", conns)
//
// A message travels as an *http.Request through http.Handlers: a POST whose body it is, with a
// RequestContext that knows the API, the route, the connection, what the authorizer of $connect has
// learned, and an ID of its own. So throttle, usageplan, validate, transform and route/integration
// serve messages as they serve requests, and what they refuse becomes an error frame. What the
// handler writes is the reply. [HandlerFunc] is the form for handlers in Go.
//
// # Order
//
// A handshake is judged from the cheapest question to the dearest, and nothing behind a refusal
// runs: its syntax (426, 405, 414, 400), the page's Origin (403), whether the API drains or is full
// (503), what [API.Use] has put in front (throttles, web ACLs), what stands on $connect
// (authorizer, then API key and plan), and $connect itself, whose 2xx opens the connection. A
// message is read within the limits of frames and messages, selected, and passes what
// [API.UseMessages] has put in front, what stands on its route, and the integration. Messages of
// one connection are served in the order in which they came.
//
// # Groups and fleets
//
// [API.Enter], [API.Exit], [API.Publish] and [API.Count] are rooms and presence. With a [Registry]
// and a [Transport] every function that takes an ID finds the connection on whatever machine it is;
// what can't be known at the moment is [ErrUnavailable] (503), never a false ErrGone (410).
//
// # Browsers
//
// A browser connects in the name of whoever looks at a page, cookies and all, and can't set
// headers. So the Origin is checked by default. Credentials come as a one-use ticket ([NewTickets])
// or a token in the subprotocol ([BearerFromSubprotocol]), or as the first message
// ([API.Authenticate], Config.AuthenticateWithin), and never in a URL, which is in logs. A
// connection ends when the token does that it was opened with; Authenticate takes a fresh one
// before.
//
// # The host name
//
// requestContext.domainName is the Host of the handshake, which a client chooses where no station
// in front does: domain.New, or a proxy. A function that makes the address of @connections out of
// it, as functions on AWS do, would send its signed messages wherever a client says. So the API
// stands behind one of these, or the function is told its endpoint.
//
// # Slow readers
//
// Nothing waits for a client. What can't be written waits in its queue (Config.MaxQueueBytes); who
// sends to a full one gets ErrFull (429 from @connections), and a client whose own replies fill it
// isn't read from. One that takes no byte for ten seconds is closed with 1008.
//
// # Frames
//
// Frames are read and written by gobwas/ws behind an engine of ours (internal/wsconn), which adds
// what it lacks: both limits while reading, UTF-8, the close codes that may be sent, and a queue.
// It is a codec, which tells frames from messages, at half of what connections cost elsewhere.
// lxzan/gws is as fast and has one limit for both, no release since May 2025, and dies of a length
// with the top bit set (1.8.9); coder/websocket is kept best, bounds messages only, checks no UTF-8
// and takes three times the memory; gorilla/websocket bounds messages only, too.
//
// # Cost
//
// An idle connection is 6.7 KB, of which 4 KB are the stack of the goroutine that reads it. A
// message through a route is 10 allocations; an echo in turn takes 1.1 of the time of lxzan/gws,
// and 64 at once 0.8 (internal/bench, WebSocketEcho and WebSocketMemory, on a busy machine of two
// cores).
//
// # A million connections
//
// On paper, from figures that internal/bench measures (WebSocketSlope, WebSocketNode, on the same
// two cores):
//
//   - Memory. An idle connection is 6.7 KB here, at 50,000 as at 10,000, beside what the kernel
//     keeps for its socket. At the default of 100,000 a process that is ten nodes of 0.7 GB live
//     heap and stacks, 1.4 GB with the collector's room; twelve, so that two may be away.
//   - The registry. A record is 0.9 KB in Redis, so it holds 0.9 GB. A connection's coming and
//     going cost it 30 µs of its one core: at two hours a connection 139 a second, which is
//     nothing, and after a deploy that closes 100,000 within a minute 5 % of the core. Leases are
//     three questions a node in five seconds.
//   - Messages to connections of other nodes cost Redis 18 µs each, two channels' worth of publish
//     and delivery: 57,000 a second are its core. That saturates first. It is one message in 17
//     seconds for each of the million, where a node's own connections cost Redis nothing.
//   - Groups are read in pages of 500: a publish to a room of thousands is a few milliseconds of
//     Redis, one to a room of the million is seconds, and not what rooms are for.
//
// The next step then is a [Transport] of its own: requests and replies are what NATS carries over
// several servers and cores, while the records, which are few questions, stay in Redis. A stage's
// records are on one shard of a cluster, so two stages, or two APIs behind one domain, halve the
// load, too.
//
// # Differences
//
// The managed gateway:
//
//   - looks at no Origin. Here pages of other hosts are refused (403) unless they are listed, or
//     Config.InsecureAllowAnyOrigin is set;
//   - serves messages of one connection in parallel; see Config.Parallel. In order, a client that
//     leaves is noticed when the message that is being served is done;
//   - has no JWT authorizers, and keeps connections open beyond a token's exp; see
//     Config.IgnoreExpiry;
//   - lets routes without a route response send nothing. Here what a handler writes is sent, unless
//     the route is behind [OneWay];
//   - sends header names as the client does; here they have net/http's spelling, but for
//     Sec-WebSocket-*;
//   - refuses with texts of its own where a frame or a close code has no recorded one: those are
//     ours, as is the form of refused handshakes.
//
// Ours alone: a flood of refused messages closes with 1008 (Config.MaxRefused), as do a flood of
// control frames and pongs that aren't read; keys of handshakes are base64 as an encoder writes it;
// a handshake with a body, with two Origins or with more than 64 subprotocols is 400; a subprotocol
// that $connect selects and the client didn't offer is 502; a pong that arrives while a handler
// holds the reader isn't judged; a message goes to its model and template as JSON, whatever it is,
// so that no client passes them by sending something else; a handler's panic is an error frame.
package websocket
