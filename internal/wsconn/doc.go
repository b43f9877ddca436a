// Package wsconn is the engine under WebSocket APIs: it judges a handshake, and then reads and
// writes one connection's messages (RFC 6455; RFC 7692 if asked; RFC 8441 where net/http has it).
// It knows no routes, no integrations and no registry; those are route/websocket's.
//
//	engine, err := wsconn.New(wsconn.Config{RefuseBinary: true})  // once
//	hs, err := engine.Check(r)                                     // a *Refusal: 426, 405, 414 or 400
//	// … Origin, authorizers, $connect: nothing is written yet, so any of them may still refuse in its own way
//	conn, err := hs.Accept(w, protocol)                            // the 101
//	conn.Start(handler)                                            // and the HTTP handler returns
//
// From then on handler.Message is called with each message and handler.End once, at the very end;
// anybody may call conn.TrySend, Send, Close and Abort.
//
// # The codec
//
// Frames are read and written with gobwas/ws, which gives single frames and keeps no state.
// lxzan/gws and coder/websocket give messages, so neither can refuse a frame of 32 KB and a message
// of 128 KB by their headers, nor a binary message by its first; gws 1.8.9 panics on a length with
// the top bit set, and coder/websocket checks no UTF-8. Of ws this package uses the header
// (ReadHeaderBuffer, CheckHeader), the mask (Cipher, in vector instructions) and the close frame's
// parts. What ws lacks is here: lengths in their shortest form, RSV1 by position, both size limits
// before anything is buffered, UTF-8 as it arrives, codes that nobody may send (ws would let a
// caller echo them and doesn't know 1012 to 1014), control frames inside messages, compression that
// is bounded as it inflates. The handshake is judged here as well: that of ws writes its answer at
// once, and takes a key by its length.
//
// ws reads a header in two system calls and a payload in a third. In front of it stands one read
// into 256 bytes that are part of the connection; who sends more than that at a time gets a pooled
// buffer until nothing is left. Echoes of 32 bytes in turn and of 64 KB then take between 0.9 and
// 1.15 of the time of gws, by the noise of the machine, and 64 at once an eighth (their replies go
// out together); an idle connection is 5.9 KB, of which 4 KB are a goroutine's stack, against 10.2
// KB. (internal/bench, WebSocket.)
//
// # Memory and goroutines
//
// One goroutine reads a connection and calls its handler. None writes while there is nothing to
// write: a sender writes itself what the socket takes without waiting, and only what is left gets a
// goroutine, until it is written. So a broadcast to 10,000 is 10,000 system calls and no
// goroutines, and a peer that reads slowly costs its queue and delays nobody. One runtime timer a
// connection serves all its deadlines. All of it ends with the connection.
//
// # How connections end
//
//	what                                                             sent             End
//	the peer's close frame                                           the same code    its code and reason, Peer
//	… without a code                                                 an empty one     1005, Peer
//	… of one byte, or with a code that may not be sent               1002             1002, Local
//	an unmasked frame; RSV, opcode, length, fragments, control       1002             1002, Local
//	a binary message where it is refused                             1003             1003, Local
//	text or a close reason that isn't UTF-8; corrupt compression     1007             1007, Local
//	a flood of control frames; pongs that aren't read                1008             1008, Local
//	a frame or a message above its limit                             1009             1009, Local
//	idle, or too old                                                 1001 Going away  1001, Local
//	a handler's panic                                                1011             1011, Local
//	Close                                                            its code         its code and reason, Local
//	nothing could be written for WriteTimeout                        –                1008, Local
//	the transport ends, or no sign of life follows a ping            –                1006, Lost
//	Abort                                                            –                1006, Local
//
// Behind a close frame nothing is sent and nothing is delivered. After the peer's, or behind one
// that fails the connection, our side of TCP is shut at once, and the rest is read and thrown away
// until the peer hangs up; behind one of Close the peer's answer is waited for. Either way TCP is
// cut CloseTimeout later.
//
// # HTTP/2
//
// net/http's server opens WebSocket streams (extended CONNECT) only in a process started with
// GODEBUG=http2xconnect=1, as of Go 1.26. Then Check and Accept take them, and Start returns when
// the connection has ended. Without it HTTP/2 requests are 426 and browsers, which see that the
// setting isn't announced, open an HTTP/1.1 connection.
package wsconn
