// Package redisregistry makes one WebSocket API of many machines: it is a [websocket.Registry] and a
// [websocket.Transport] on Redis or Valkey, which every machine of a fleet is given.
//
//	client := redis.NewClient(&redis.Options{Addr: "redis:6379", ContextTimeoutEnabled: true})
//	fleet, err := redisregistry.New(ctx, redisregistry.Config{Client: client, Name: "chat"})
//	…
//	api, err := websocket.New(ctx, websocket.Config{…, Registry: fleet, Transport: fleet})
//
// Any machine then answers for any connection: a POST to @connections on one reaches a client that
// another holds, and is answered 200, 410, 413 or 429 as if there were one machine, or 503 while the
// truth isn't known. It is never a 410 for a client that is there.
//
// # What stands in Redis
//
// A sorted set of the machines by the moment at which their leases end, by Redis' own clock; a hash
// for each connection with its owner and what another machine needs to run its $disconnect; a set for
// each machine of what it owns; a sorted set for each group. Everything of one API and stage has one
// hash tag, so each question is one script and one round trip, on a cluster too: there a stage lives
// on one shard. Calls between machines go through channels of their own, one for each machine.
//
// # When Redis is away
//
// A machine that is refused a connection takes it that nobody can reach Redis: it keeps its clients
// and serves what it knows itself. One that hears nothing at all may be the only one: when its
// lease is over it closes its connections (1012), before others may call them gone. When Redis is
// back, nobody judges another before it has itself been in touch for a lease and the margin, so
// every machine that lives has renewed by then.
//
// A Redis that comes back empty has lost the word by which all know it: each question notices, and
// all register their connections again, in batches, keeping their leases meanwhile. Until a lease
// and the margin after the last of them was still at it, what isn't found is unknown, not gone, and
// nobody can say who is in a group: Group, Count and Publish are [websocket.ErrUnavailable], as
// half of a group would pass for all of it. A machine that has registered its own connections moves
// them into groups and out of them, one that hasn't is told ErrUnavailable, too. A connection that
// ends meanwhile has its $disconnect, whether or not its record is there again, and isn't
// registered after that.
//
// # What is lost
//
// Calls are delivered at most once: one whose answer is lost is an error, and not sent again. A
// machine that dies between removing the records of a dead one and running their $disconnect takes
// up to 100 of these along, and one that dies before it has registered with a Redis that has lost
// its memory those that it hadn't come to: nobody knows of them any more. So $disconnect runs once
// or not at all: what is kept for a connection elsewhere wants an end of its own, as in
// examples/chat. A machine whose connections are in doubt (the answer to their registration was
// lost) remembers 100,000 of these; beyond that, records of connections that were refused stay
// until it leaves.
//
// A machine that starts for the first time on a Redis that has just lost its memory can't know
// that, and may call an id gone until another one has renewed, a third of the lease at most; so
// groups may seem to be empty as long. And where Redis refuses one machine alone for so long that
// others judge it, and then loses its memory, that machine isn't told: the $disconnect of its
// connections may run a second time.
//
// # What holds, measured
//
// Whatever happens to machines, to their ways to Redis or to Redis, with the exceptions above: no
// message reaches another connection than the one that it was for, none arrives twice, and
// $disconnect doesn't run twice. A connection is called gone (410) when it has been closed, or when
// its machine is dead, or asleep and about to close it, and never one that can be written to. A
// message that was accepted (200) is in the queue of the machine that has the connection, and lost
// only with that: if the process is killed before its client has taken what waits for it, or if a
// machine that has lost its lease has a client that takes longer than a second. One that was
// refused with 503 may have arrived all the same, as it may be its answer that was lost.
//
// Below are three processes with 15 clients each on a real Redis, which all send to each other's
// clients, to one, to several and to a group, while something is done to one of them or to Redis. A
// message counts once for each connection that it was for, and one to a group that nobody could
// read for none; the lease is 4 s and the margin 1 s.
// 0 were lost, 0 doubled and 0 misdelivered, $disconnect ran once for each connection that ended,
// and a process that was drained answered what it had been asked for.
//
//	what is done                            200   410     503   503 that arrived
//	a process is killed                  14,063   121   1,899                  0
//	one is paused for longer than that    9,767   100      32                  0
//	one is cut off from Redis            10,290   106      36                  1
//	one's connections break, 10 times     3,116     0      45                 28
//	Redis is killed, back empty           4,890     0      77                  0
//	Redis is killed, back with its data   4,061     0     472                  3
//	a process is drained                  3,910   172       6                  0
//
// The test holds this, but for at most 10 lost ones of the last second before a process is killed:
//
//	go test -race -tags servers -run TestFleet -v ./route/websocket/redisregistry
//
// Who can write to this Redis can close and write to every connection: it wants a password, and a
// network of its own.
package redisregistry
