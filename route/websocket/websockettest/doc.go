// Package websockettest has what tests of WebSocket APIs need: a suite for registries.
package websockettest
