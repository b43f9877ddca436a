package websocket

import (
	"sync/atomic"
	"time"

	"github.com/gatekit-go/gatekit"
)

// Metrics are how often what has happened since New, under the names of the managed gateway's
// metrics. (Developer guide, "Monitor WebSocket API execution with CloudWatch metrics".)
type Metrics struct {
	// ConnectCount counts messages sent to the $connect integration, and handshakes of an API that
	// has none.
	ConnectCount int64
	// MessageCount counts messages from and to clients.
	MessageCount int64
	// MessageUnits counts them as they are charged there: each started 32 KB is one. (Pricing page,
	// "WebSocket APIs".)
	MessageUnits int64
	// IntegrationError counts answers of integrations with 4xx and 5xx, and errors of functions.
	IntegrationError int64
	// ClientError counts messages and handshakes that were refused before their integration ran.
	ClientError int64
	// ExecutionError counts integrations that couldn't be called, or took too long.
	ExecutionError int64
	// Connections are those that are open now.
	Connections int64
	// Connected is how long connections have been open, all together, those that still are until
	// now.
	Connected time.Duration
	// Routes are the same of messages from clients, by route, in the order in which the routes were
	// added. Messages without a route are in the sums above alone, and so are those to clients.
	Routes []RouteMetrics
}

// RouteMetrics are the [Metrics] of one route.
type RouteMetrics struct {
	RouteKey                                                                  string
	MessageCount, MessageUnits, IntegrationError, ClientError, ExecutionError int64
}

type counts struct {
	connects, messages, units, integrationErrors, clientErrors, executionErrors atomic.Int64
}

// unitBytes is what is charged as one message.
const unitBytes = 32 << 10

// message counts a message of n bytes.
func (c *counts) message(n int) { c.messagesOf(n, 1) }

// messagesOf counts one that was sent to so many clients.
func (c *counts) messagesOf(n, clients int) {
	c.messages.Add(int64(clients))
	c.units.Add(int64(clients) * int64(max((n+unitBytes-1)/unitBytes, 1)))
}

// count counts an outcome under the metric that it belongs to, of the API and of a route, which may
// be nil.
func (a *API) count(of *counts, rc *gatekit.RequestContext, why *gatekit.Rejection) {
	i := rc.Integration()
	a.counts.outcome(i, why)
	if of != nil {
		of.outcome(i, why)
	}
}

func (c *counts) outcome(i *gatekit.Integration, why *gatekit.Rejection) {
	switch {
	case i != nil && (i.FunctionError != "" || i.Status >= 400):
		c.integrationErrors.Add(1)
	case why == nil:
	case why.StatusFor(gatekit.WebSocket) < 500:
		c.clientErrors.Add(1)
	default:
		c.executionErrors.Add(1)
	}
}

// Identity returns which API and stage this is.
func (a *API) Identity() gatekit.API { return a.identity }

// Metrics returns the counts as they are now.
func (a *API) Metrics() Metrics {
	now := time.Now()
	a.open.RLock()
	open, connected := len(a.conns), a.connected
	for _, s := range a.conns {
		connected += max(now.Sub(s.connectedAt), 0)
	}
	a.open.RUnlock()
	_ = a.Build() // after which the routes stay as they are
	m := Metrics{
		ConnectCount: a.counts.connects.Load(), MessageCount: a.counts.messages.Load(),
		MessageUnits:     a.counts.units.Load(),
		IntegrationError: a.counts.integrationErrors.Load(), ClientError: a.counts.clientErrors.Load(),
		ExecutionError: a.counts.executionErrors.Load(), Connections: int64(open), Connected: connected,
	}
	for _, r := range a.order {
		m.Routes = append(m.Routes, RouteMetrics{
			RouteKey: r.Key, MessageCount: r.counts.messages.Load(), MessageUnits: r.counts.units.Load(),
			IntegrationError: r.counts.integrationErrors.Load(), ClientError: r.counts.clientErrors.Load(),
			ExecutionError: r.counts.executionErrors.Load(),
		})
	}
	return m
}
