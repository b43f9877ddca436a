// Package websockettest has what tests of WebSocket APIs need: a client that needs no network
// ([Dial]), a Lambda function that remembers its events ([Recorder]), and the suite for registries
// ([TestRegistry]).
//
// Client and API are joined by a net.Pipe, so a test inside a testing/synctest bubble has a clock
// of its own: ten minutes of silence take no time.
//
//	synctest.Test(t, func(t *testing.T) {
//		c, resp := websockettest.Dial(t.Context(), api, "wss://api.example/prod", nil)
//		c.SendText(`{"action":"join"}`)
//		m, err := c.Receive(time.Second)
//		time.Sleep(10 * time.Minute)
//		code, reason := c.Wait() // 1001, "Going away"
//	})
//
// It imports no test library.
package websockettest
