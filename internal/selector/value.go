package selector

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/jsonpath"
	"github.com/gatekit-go/gatekit/internal/querytext"
)

// Message is what selectors look into. It is only read.
type Message struct {
	// Context is the request's, or nil outside a gateway.
	Context *gatekit.RequestContext
	// Request is the request, also where the message is an answer to it.
	Request *http.Request
	// Header and Status are those of the answer, for selectors of an answer's form. Others read
	// Request's.
	Header http.Header
	Status int
	// Body is the message's body, as much of it as selectors may see.
	Body []byte
}

// Only returns the value of a source by which something is decided: who is calling. "" is one that
// isn't there. ok is false where there are several or it doesn't decode, as two readers may then
// read two different things, and one of them decides. A query is split at & alone in every form:
// that is how functions are told it.
func (s *Selector) Only(m *Message) (value string, ok bool) {
	switch s.Kind {
	case Header, Headers:
		if s.Name == "Host" && !s.form.spelling().answer {
			return m.Request.Host, true
		}
		switch values := s.header(m)[s.Name]; len(values) {
		case 0:
			return "", true
		case 1:
			return values[0], true
		}
		return "", false
	case Query, Queries:
		return onlyQuery(m.Request.URL.RawQuery, s.Name)
	}
	value, _ = s.single(m)
	return value, true
}

// Last returns the value, of several ones the last, as REST APIs do; of [Headers] and [Queries] all
// of them joined by commas. found is false if there is none.
func (s *Selector) Last(m *Message) (value string, found bool) {
	switch s.Kind {
	case Header:
		if s.Name == "Host" && !s.form.spelling().answer {
			return m.Request.Host, m.Request.Host != ""
		}
		values := s.header(m)[s.Name]
		if len(values) == 0 {
			return "", false
		}
		return values[len(values)-1], true
	case Query:
		return querytext.Last(s.query(m), s.Name)
	case Headers, Queries:
		return s.Joined(m)
	}
	return s.single(m)
}

// Joined returns the value, of several ones all joined by commas, as HTTP APIs do. found is false
// if there is none.
func (s *Selector) Joined(m *Message) (value string, found bool) {
	switch s.Kind {
	case Header, Headers:
		if s.Name == "Host" && !s.form.spelling().answer {
			return m.Request.Host, m.Request.Host != ""
		}
		switch values := s.header(m)[s.Name]; len(values) {
		case 0:
			return "", false
		case 1:
			return values[0], true
		default:
			return strings.Join(values, ","), true
		}
	case Query, Queries:
		return querytext.Joined(s.query(m), s.Name)
	}
	return s.single(m)
}

// header is that of the message which the selector is about.
func (s *Selector) header(m *Message) http.Header {
	if s.form.spelling().answer {
		return m.Header
	}
	return m.Request.Header
}

// query is the raw query, with every separator an ampersand: REST and WebSocket APIs split queries
// at semicolons, too. (Developer guide, "Amazon API Gateway important notes".)
func (s *Selector) query(m *Message) string {
	raw := m.Request.URL.RawQuery
	if s.form.spelling().semicolons && strings.IndexByte(raw, ';') >= 0 {
		return strings.ReplaceAll(raw, ";", "&")
	}
	return raw
}

// single returns the value of a kind that there can't be several of.
func (s *Selector) single(m *Message) (string, bool) {
	switch s.Kind {
	case Literal:
		return s.Name, true
	case PathVariable:
		_, text, _ := gatekit.PathVariable(m.Request, s.Name)
		return text, text != ""
	case Path:
		path := gatekit.PathOf(m.Request)
		text := path.Routed().String()
		return text, text != ""
	case Body:
		return string(m.Body), len(m.Body) > 0
	case BodyPart:
		return partOf(s.path, m.Body)
	case Status:
		return strconv.Itoa(m.Status), m.Status != 0
	case Context:
		return s.variable.Of(m.Context, m.Request)
	case StageVariable:
		if m.Context != nil {
			text, ok := m.Context.API.Variables[s.Name]
			return text, ok
		}
	}
	return "", false
}

// partOf returns what path finds in body: a string's text, and other values as JSON. A path that
// may find several values is a JSON array of them. null, and a body that isn't JSON, are nothing.
func partOf(path *jsonpath.Path, body []byte) (string, bool) {
	found, err := path.Select(body)
	if err != nil {
		return "", false
	}
	if !path.Definite() {
		return compacted(append(append([]byte{'['}, bytes.Join(found, []byte(","))...), ']'))
	}
	if len(found) == 0 || len(found[0]) == 0 || string(found[0]) == "null" {
		return "", false
	}
	if raw := found[0]; raw[0] == '"' {
		var text string
		err := json.Unmarshal(raw, &text)
		return text, err == nil
	}
	return compacted(found[0])
}

func compacted(text []byte) (string, bool) {
	var b bytes.Buffer
	err := json.Compact(&b, text)
	return b.String(), err == nil
}

// onlyQuery returns the only value of a query parameter, "" if it isn't there. ok is false if it is
// there twice or can't be decoded. It decodes no other values.
func onlyQuery(rawQuery, name string) (value string, ok bool) {
	found := false
	for pair := range strings.SplitSeq(rawQuery, "&") {
		key, v, _ := strings.Cut(pair, "=")
		if key != name {
			if !strings.ContainsAny(key, "%+") {
				continue
			}
			if key, err := url.QueryUnescape(key); err != nil || key != name {
				continue
			}
		}
		if found {
			return "", false
		}
		found = true
		var err error
		if value, err = url.QueryUnescape(v); err != nil {
			return "", false
		}
	}
	return value, true
}
