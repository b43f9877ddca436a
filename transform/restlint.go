package transform

import (
	"fmt"
	"net/http"
	"strings"
)

// Findings says what is odd in the configuration: settings without effect, which an API on the
// managed gateway may contain and which are taken for that reason, and what answers 500 to every
// request there and here. Each entry says which field it is and what becomes of it, as those of
// auth/policy.Lint do; nil is a configuration without any. It is for tests, reviews and a line in a
// log: no request depends on it.
func (t *REST) Findings() []string { return append([]string(nil), t.findings...) }

// lint fills in what [REST.Findings] tells. What a type has no use for is a row of a table.
func (t *REST) lint(c RESTConfig) {
	found := func(field, format string, args ...any) {
		t.findings = append(t.findings, field+": "+fmt.Sprintf(format, args...))
	}
	proxy, mock := c.Type == HTTPProxy || c.Type == AWSProxy, c.Type == Mock
	for _, row := range []struct {
		field string
		set   bool
		none  bool // has no effect for the type
	}{
		{"HTTPMethod", c.HTTPMethod != "", mock},
		{"URI", c.URI != "", mock || c.Type == AWSProxy},
		{"RequestParameters", len(c.RequestParameters) > 0, mock || c.Type == AWSProxy},
		{"RequestTemplates", len(c.RequestTemplates) > 0, proxy},
		{"PassthroughBehavior", c.PassthroughBehavior != "", proxy},
		{"ContentHandling", c.ContentHandling != "", proxy},
		{"BinaryMediaTypes", len(c.BinaryMediaTypes) > 0, proxy},
		{"IntegrationResponses", len(c.IntegrationResponses) > 0, proxy},
		{"MethodResponses", len(c.MethodResponses) > 0, proxy},
		{"SelectWholeText", c.SelectWholeText, proxy},
	} {
		if row.set && row.none {
			found(row.field, "want none: it has no effect on an integration of type %s", c.Type)
		}
	}
	for _, entry := range c.BinaryMediaTypes {
		if strings.HasPrefix(entry, "*/") && entry != "*/*" {
			found("BinaryMediaTypes",
				"want a whole type, a kind such as image/*, or */*, got %q, which matches nothing", entry)
		}
	}
	if !proxy {
		lintKeys("RequestTemplates", c.RequestTemplates, found)
	}
	for i := range t.mappings {
		switch m := &t.mappings[i]; {
		case m.place != "header":
		case failsAsRequestHeader(c.Type, m.name):
			found("RequestParameters",
				"want a header that may be mapped to, got %s, with which every request is answered with 500", m.name)
		case neverSent(c.Type, m.name):
			found("RequestParameters", "want a header that backends get, got %s, which is never sent", m.name)
		}
	}
	if c.Type == AWSProxy && c.HTTPMethod != "" && c.HTTPMethod != http.MethodPost {
		found("HTTPMethod", "want POST, got %s, with which every request is answered with 500", c.HTTPMethod)
	}
	if c.PassthroughBehavior == Never && len(c.RequestTemplates) == 0 && !proxy {
		found("PassthroughBehavior", "want a template beside NEVER: without one every request is answered with 415")
	}
	if !proxy {
		lintResponses(c, found)
	}
}

// lintResponses looks at what becomes of the answers of an integration that is no proxy.
func lintResponses(c RESTConfig, found func(field, format string, args ...any)) {
	for i, r := range c.IntegrationResponses {
		at := fmt.Sprintf("IntegrationResponses[%d]", i)
		if r.ContentHandling.upper() == ConvertToBinary && len(r.ResponseTemplates) > 0 {
			found(at+".ContentHandling", "want no template beside CONVERT_TO_BINARY: such answers become 500")
		}
		lintKeys(at+".ResponseTemplates", r.ResponseTemplates, found)
		if c.MethodResponses != nil && !declaresStatus(c.MethodResponses, r.StatusCode) {
			found(at+".StatusCode", "want one of MethodResponses, got %d", r.StatusCode)
		}
	}
}

// lintKeys finds the keys of templates that say more than a type.
func lintKeys(field string, templates map[string]string, found func(field, format string, args ...any)) {
	for _, key := range sortedKeys(templates) {
		if media := mediaKey(key); media != "" && media != strings.ToLower(key) {
			found(field,
				"want a media type without parameters, got %.100q, which is taken for %s, if that has no template",
				key, media)
		}
	}
}

func declaresStatus(list []MethodResponse, status int) bool {
	for i := range list {
		if list[i].StatusCode == status {
			return true
		}
	}
	return false
}
