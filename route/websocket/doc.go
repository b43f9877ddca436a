// Package websocket answers which handler a WebSocket message is for, as API Gateway's WebSocket
// APIs do.
package websocket
