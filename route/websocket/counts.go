package websocket

import "sync/atomic"

// Metrics are how often what has happened since New, under the names of the managed gateway's
// metrics. (Developer guide, "Monitor WebSocket API execution with CloudWatch metrics".)
type Metrics struct {
	// ConnectCount counts messages sent to the $connect integration, and handshakes of an API that
	// has none.
	ConnectCount int64
	// MessageCount counts messages from and to clients.
	MessageCount int64
	// IntegrationError counts answers of integrations with 4xx and 5xx, and errors of functions.
	IntegrationError int64
	// ClientError counts messages and handshakes that were refused before their integration ran.
	ClientError int64
	// ExecutionError counts integrations that couldn't be called, or took too long.
	ExecutionError int64
	// Connections are those that are open now.
	Connections int64
}

type counts struct {
	connects, messages, integrationErrors, clientErrors, executionErrors atomic.Int64
}

// Metrics returns the counts as they are now.
func (a *API) Metrics() Metrics {
	a.open.RLock()
	open := len(a.conns)
	a.open.RUnlock()
	return Metrics{
		ConnectCount: a.counts.connects.Load(), MessageCount: a.counts.messages.Load(),
		IntegrationError: a.counts.integrationErrors.Load(), ClientError: a.counts.clientErrors.Load(),
		ExecutionError: a.counts.executionErrors.Load(), Connections: int64(open),
	}
}
