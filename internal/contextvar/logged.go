package contextvar

import (
	"cmp"
	"iter"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/event"
)

// Logged looks up the name of a variable for an access log, which knows what becomes of a request:
// authorizer.status and its like are the authorizer's outcome there, and not members of its
// context. The error is [Parse]'s.
func Logged(name string) (Var, error) {
	if end, ok := endings[name]; ok {
		return Var{name: name, end: &end}, nil
	}
	return Parse(name)
}

// Names are the variables with a fixed name, in alphabetical order.
func Names() iter.Seq[string] { return slices.Values(slices.Sorted(maps.Keys(variables))) }

// Keep is what of a request's notes the variable is made from; 0 is nothing.
func (v *Var) Keep() gatekit.Keep {
	if v.end == nil {
		return 0
	}
	return v.end.keep
}

// Number reports whether the variable is a number, where it has a value. Of a status or a latency
// this holds in a log, too.
func (v *Var) Number() bool { return v.end != nil && v.end.number != nil || Numeric(v.name) }

// Secret reports whether the variable holds what a log shows only if it is told to: keys, claims,
// and what an authorizer has said of the caller.
func (v *Var) Secret() bool {
	return v.key != "" || v.name == "identity.apiKey" || v.name == "identity.accessKey"
}

// Appends reports whether [Var.Append] writes the variable, without a string: then it consists of
// letters, digits, and the punctuation of numbers, times, IDs and addresses, whatever the client
// sends.
func (v *Var) Appends() bool { return v.add != nil || v.end != nil && v.end.number != nil }

// Append appends the text of a variable that [Var.Appends], and reports whether it has any.
func (v *Var) Append(b []byte, rc *gatekit.RequestContext, o *Outcome) ([]byte, bool) {
	switch {
	case v.add != nil:
		return v.add(b, rc)
	case v.end != nil && v.end.number != nil:
		if n, ok := v.end.number(o); ok {
			return strconv.AppendInt(b, n, 10), true
		}
	}
	return b, false
}

// Logs is [Var.Of] at the end of a request.
func (v *Var) Logs(rc *gatekit.RequestContext, r *http.Request, o *Outcome) (string, bool) {
	switch {
	case v.get != nil:
		return v.get(cmp.Or(rc, outside), r, v.key)
	case v.end == nil:
		return "", false
	case v.end.text != nil:
		return text(v.end.text(rc, r, o))
	case v.end.number != nil:
		if n, ok := v.end.number(o); ok {
			return strconv.FormatInt(n, 10), true
		}
	}
	return "", false
}

// appender appends what a getter would have to make a string for.
type appender func(b []byte, rc *gatekit.RequestContext) ([]byte, bool)

// appenders are those of the variables that nearly every format has.
var appenders = map[string]appender{
	"requestId":         always((*gatekit.RequestContext).AppendRequestID),
	"extendedRequestId": always((*gatekit.RequestContext).AppendExtendedRequestID),
	"requestTime": always(func(rc *gatekit.RequestContext, b []byte) []byte {
		return event.AppendTimeText(b, rc.Time)
	}),
	"requestTimeEpoch": always(func(rc *gatekit.RequestContext, b []byte) []byte {
		return event.AppendMillis(b, rc.Time)
	}),
	"identity.sourceIp": func(b []byte, rc *gatekit.RequestContext) ([]byte, bool) {
		ip := rc.SourceIP()
		if !ip.IsValid() {
			return b, false
		}
		return ip.AppendTo(b), true
	},
	"integration.latency": integrationMillis, "integrationLatency": integrationMillis,
	"integration.status": func(b []byte, rc *gatekit.RequestContext) ([]byte, bool) {
		if i := rc.Integration(); i != nil {
			return appendStatus(b, i.Status)
		}
		return b, false
	},
	"integration.integrationStatus": integrationService, "integrationStatus": integrationService,
}

func always(add func(*gatekit.RequestContext, []byte) []byte) appender {
	return func(b []byte, rc *gatekit.RequestContext) ([]byte, bool) {
		if rc == nil || rc == outside {
			return b, false
		}
		return add(rc, b), true
	}
}

func integrationMillis(b []byte, rc *gatekit.RequestContext) ([]byte, bool) {
	i := rc.Integration()
	if i == nil {
		return b, false
	}
	return strconv.AppendInt(b, i.Latency.Milliseconds(), 10), true
}

func integrationService(b []byte, rc *gatekit.RequestContext) ([]byte, bool) {
	return appendStatus(b, statusOfService(rc.Integration()))
}

func appendStatus(b []byte, status int) ([]byte, bool) {
	if status == 0 {
		return b, false
	}
	return strconv.AppendInt(b, int64(status), 10), true
}
