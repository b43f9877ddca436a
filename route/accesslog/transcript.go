package accesslog

import (
	"cmp"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/contextvar"
)

// transcript is what an execution log says of a request.
type transcript struct {
	log  *Execution
	id   string
	text []byte
}

// add adds an entry, cut and in one line.
func (t *transcript) add(at time.Time, text string) {
	from := len(t.text)
	switch {
	case !t.log.config.TestInvoke:
		t.text = append(append(append(t.text, '('), t.id...), ") "...)
	case from > 0: // all but the first
		t.text = append(at.UTC().AppendFormat(t.text, "Mon Jan 02 15:04:05 UTC 2006"), " : "...)
	}
	t.text = appendText(t.text, text[:min(len(text), MaxEntry)], &odd)
	if end := from + MaxEntry; len(t.text) > end {
		for end > from && !utf8.RuneStart(t.text[end]) {
			end--
		}
		t.text = t.text[:end]
	}
	t.text = append(t.text, '\n')
}

// began tells of the method and of what it got.
func (t *transcript) began(rc *gatekit.RequestContext, r *http.Request) {
	x, now := t.log, time.Now()
	_, resource, _ := strings.Cut(gatekit.RouteKey(r), " ")
	t.add(now, "Execution log for request "+t.id)
	t.add(now, "Starting execution for request: "+t.id)
	t.add(now, "HTTP Method: "+r.Method+", Resource Path: "+resource)
	t.add(now, "Method request path: "+x.printed(pathParameters(r, resource)))
	query, _ := url.ParseQuery(r.URL.RawQuery) // of a bad one, what can be read
	t.add(now, "Method request query string: "+x.printed(query))
	t.add(now, "Method request headers: "+x.headers(r.Header, rc.Host()))
	if x.config.DataTrace {
		t.add(now, "Method request body before transformations: "+peek(r))
	}
}

// pathParameters are the values of a resource's variables.
func pathParameters(r *http.Request, resource string) map[string][]string {
	all := map[string][]string{}
	for segment := range strings.SplitSeq(resource, "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			name = strings.TrimSuffix(strings.TrimSuffix(name, "}"), "+")
			all[name] = []string{r.PathValue(name)}
		}
	}
	return all
}

// ended tells of what came of it.
func (t *transcript) ended(rc *gatekit.RequestContext, notes gatekit.Notes, answer *watched, panicked bool) {
	now := time.Now()
	notes.Each(func(n *gatekit.Note) {
		if n.Text != "" {
			t.add(n.Began, n.Text)
		}
	})
	status := answer.status
	failure, fault := t.failure(rc, panicked)
	if rej := rc.Rejection(); status == 0 && rej != nil {
		status = rej.StatusFor(rc.API.Flavor)
	} else if status == 0 && panicked {
		status = http.StatusInternalServerError
	}
	status = cmp.Or(status, http.StatusOK)
	switch {
	case t.log.config.ErrorsOnly && !fault:
		return
	case failure != "":
		t.add(now, failure)
	default:
		if t.log.config.DataTrace {
			t.add(now, "Method response body after transformations: "+string(answer.body))
		}
		t.add(now, "Method response headers: "+answer.headers(answer.ResponseWriter))
		t.add(now, "Successfully completed execution")
	}
	t.add(now, "Method completed with status: "+strconv.Itoa(status))
}

// failure says why a request has failed, or "", and whether that is somebody's fault but the
// client's.
func (t *transcript) failure(rc *gatekit.RequestContext, panicked bool) (text string, fault bool) {
	rej, i := rc.Rejection(), rc.Integration()
	if i != nil && i.FunctionError != "" {
		text = "Lambda execution failed with status 200 due to customer function error: " + i.FunctionError + "."
		if i.RequestID != "" {
			text += " Lambda request id: " + i.RequestID
		}
		return text, true
	}
	if rej == nil {
		if panicked {
			return "Execution failed due to an internal error", true
		}
		return "", false
	}
	fault = rej.StatusFor(rc.API.Flavor) >= http.StatusInternalServerError
	cause := rej.MessageFor(rc.API.Flavor)
	if rej.Cause != nil {
		cause = cmp.Or(rej.Cause.Error(), cause)
	}
	switch contextvar.ResponseType(rej) {
	case gatekit.Unauthorized:
		return "Unauthorized request: " + t.id, fault
	case gatekit.IntegrationTimeout:
		return "Execution failed due to a timeout error", fault
	case gatekit.APIConfigurationError, gatekit.IntegrationFailure:
		return "Execution failed due to configuration error: " + cause, fault
	case gatekit.BadRequestBody:
		var detail contextvar.ValidationError
		if errors.As(rej.Cause, &detail) {
			return "Request body does not match model schema: " + detail.ValidationErrorString(), fault
		}
	}
	return "Execution failed due to " + contextvar.ResponseType(rej).String() + ": " + cause, fault
}

// printed prints values as Java prints a map, in the order of their names, with secrets masked.
func (x *Execution) printed(values map[string][]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		b.WriteString(name + "=")
		secret := x.secret(name)
		for i, value := range values[name] {
			if i > 0 {
				b.WriteByte(',')
			}
			if secret {
				value = maskedAs(name, value)
			}
			b.WriteString(value)
		}
	}
	return "{" + b.String() + "}"
}

// maskedAs is what is shown of the secret that name has: the end of a key, and nothing of what
// people choose, or of a list, which may end in something short. (Basic is a name and a password:
// RFC 7617.)
func maskedAs(name, value string) string {
	switch strings.ToLower(name) {
	case "cookie", "set-cookie", "password":
		return maskedWhole
	case "authorization", "proxy-authorization":
		if scheme, _, _ := strings.Cut(value, " "); strings.EqualFold(scheme, "Basic") {
			return maskedWhole
		}
	}
	return string(appendMasked(nil, value))
}

func millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
