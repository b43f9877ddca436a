package event_test

import (
	"net/http"
	"net/url"
	"strings"
)

// The obvious versions of what the package appends: maps.

func last(values map[string][]string) map[string]string {
	m := map[string]string{}
	for name, list := range values {
		m[name] = list[len(list)-1]
	}
	return m
}

func joined(values map[string][]string, lower bool) map[string]string {
	m := map[string]string{}
	for name, list := range values {
		if lower {
			name = strings.ToLower(name)
		}
		m[name] = strings.Join(list, ",")
	}
	return m
}

// query decodes a query, a pair that doesn't decode as it is. No pair is left out.
func query(raw string) map[string][]string {
	values := map[string][]string{}
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		if decoded, err := url.QueryUnescape(name); err == nil {
			name = decoded
		}
		if decoded, err := url.QueryUnescape(value); err == nil {
			value = decoded
		}
		values[name] = append(values[name], value)
	}
	return values
}

func cookies(h http.Header) []string {
	var list []string
	for _, line := range h["Cookie"] {
		for cookie := range strings.SplitSeq(line, ";") {
			if cookie = strings.Trim(cookie, " \t"); cookie != "" {
				list = append(list, cookie)
			}
		}
	}
	return list
}
