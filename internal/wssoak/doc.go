// Package wssoak has the tests of route/websocket that open thousands of connections over the
// network. They stand behind the build tag soak:
//
//	go test -race -tags soak ./internal/wssoak
package wssoak
