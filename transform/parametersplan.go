package transform

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/selector"
)

// plan is one of the maps, parsed, in the order in which it is carried out.
type plan struct {
	mappings                                                  []mapping
	asksBody, asksContext, editsHeader, editsQuery, editsPath bool
	// tellsTarget says that Host or path are set, which an HTTP integration behind is told by the
	// RequestContext.
	tellsTarget bool
	// drops says that an overwrite without text drops what is there.
	drops bool
}

type mapping struct {
	key
	text   string // the key as it is configured
	value  selector.Text
	status int
}

func newPlan(mis *mistakes.Mistakes, texts map[string]string, response bool) plan {
	var p plan
	for _, text := range slices.Sorted(maps.Keys(texts)) {
		m, err := newMapping(text, texts[text], response)
		if err == nil && slices.ContainsFunc(p.mappings, func(o mapping) bool { return o.key == m.key }) {
			err = errors.New("want one mapping of an action and a name, got another one")
		}
		if err != nil {
			mis.Key(text).Add("", "%w", err)
			continue
		}
		m.text = text
		p.mappings = append(p.mappings, m)
		p.asksBody = p.asksBody || m.value.Asks(selector.Body|selector.BodyPart)
		p.asksContext = p.asksContext || m.value.Asks(selector.Context)
		p.editsHeader = p.editsHeader || m.place == inHeader
		p.editsQuery = p.editsQuery || m.place == inQuery
		p.editsPath = p.editsPath || m.place == inPath
		p.tellsTarget = p.tellsTarget || m.place == inPath || m.place == inHost
	}
	slices.SortStableFunc(p.mappings, func(a, b mapping) int { return cmp.Compare(a.action, b.action) })
	return p
}

func newMapping(keyText, valueText string, response bool) (mapping, error) {
	k, err := parseKey(keyText, response)
	if err != nil {
		return mapping{}, err
	}
	m := mapping{key: k}
	switch {
	case k.action == remove:
		if valueText != "" && valueText != "''" {
			return mapping{}, fmt.Errorf("want no value with remove (\"\" or \"''\"), got %q", valueText)
		}
		return m, nil
	case k.place == inStatus:
		if m.status, err = strconv.Atoi(valueText); err != nil || m.status < 200 || m.status > 599 ||
			len(valueText) != 3 {
			return mapping{}, fmt.Errorf("want a status from 200 to 599, got %q", valueText)
		}
		return m, nil
	}
	from := requestValues
	if response {
		from = responseValues
	}
	if m.value, err = parseValue(valueText, from); err != nil {
		return mapping{}, err
	}
	if k.place == inPath {
		err = checkPath(m.value)
	}
	return m, err
}

// action is what a mapping does. Their order is the one in which they are carried out.
type action uint8

const (
	remove action = iota
	overwrite
	appended
)

// place is where a mapping does it.
type place uint8

const (
	inHeader place = iota
	inQuery
	inPath
	inStatus
	inHost
)

// key is the left side of a mapping. name is a header's canonical name, or a query parameter's.
type key struct {
	action action
	place  place
	name   string
}

var (
	errRequestKey  = errors.New(`want append, overwrite or remove with :header.NAME or :querystring.NAME, or overwrite:path`)
	errResponseKey = errors.New(`want append, overwrite or remove with :header.NAME, or overwrite:statuscode`)
)

// parseKey reads the key of a request's or a response's mapping.
func parseKey(text string, response bool) (key, error) {
	unknown := errRequestKey
	if response {
		unknown = errResponseKey
	}
	var k key
	verb, target, _ := strings.Cut(text, ":")
	switch verb {
	case "append":
		k.action = appended
	case "overwrite":
		k.action = overwrite
	case "remove":
		k.action = remove
	default:
		return key{}, unknown
	}
	if target == "path" && !response && k.action == overwrite {
		k.place = inPath
		return k, nil
	}
	if target == "statuscode" && response && k.action == overwrite {
		k.place = inStatus
		return k, nil
	}
	where, name, _ := strings.Cut(target, ".")
	switch {
	case where == "header" && !response && k.action == overwrite && strings.EqualFold(name, "Host"):
		k.place = inHost
	case where == "header" && !httpword.IsToken(name):
		return key{}, fmt.Errorf("want a header's name behind header., got %q", name)
	case where == "header":
		if reason := reserved(name); reason != "" {
			return key{}, fmt.Errorf("want a header that may be mapped, got %q, which %s", name, reason)
		}
		k.place, k.name = inHeader, textproto.CanonicalMIMEHeaderKey(name)
	case where == "querystring" && !response && name != "":
		k.place, k.name = inQuery, name
	default:
		return key{}, unknown
	}
	return k, nil
}

var (
	// reservedHeaders are those that the managed gateway keeps for itself, in lower case.
	// (Developer guide, "Transform API requests and responses for HTTP APIs", reserved headers.)
	reservedHeaders = map[string]bool{
		"authorization": true, "connection": true, "content-encoding": true, "content-length": true,
		"content-location": true, "forwarded": true,
		"keep-alive": true, "origin": true, "proxy-authenticate": true, "proxy-authorization": true, "te": true,
		"trailers":          true,
		"transfer-encoding": true, "upgrade": true, "x-forwarded-for": true, "x-forwarded-host": true,
		"x-forwarded-proto": true, "via": true,
	}
	reservedPrefixes = []string{"access-control-", "apigw-", "x-amz-", "x-amzn-"}
)

// reserved returns why a header can't be mapped, "" if it can.
func reserved(name string) string {
	name = strings.ToLower(name)
	if reservedHeaders[name] {
		return "is reserved"
	}
	for _, prefix := range reservedPrefixes {
		if strings.HasPrefix(name, prefix) {
			return "is reserved, as all headers that begin with " + prefix + " are"
		}
	}
	switch name {
	case "host":
		return "is the integration's"
	case "trailer":
		return "says what follows the body"
	}
	return ""
}
