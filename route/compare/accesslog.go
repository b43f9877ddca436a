package compare

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit/internal/httpword"
)

// maxLine is the length from which on a line isn't read: URLs have 10,240 bytes at most.
const maxLine = 16 << 10

// Why a line isn't sent.
const (
	skipLong      = "longer than 16 KiB"
	skipUnknown   = "no request was found in it"
	skipRoute     = "it has the route and not the path: add $context.path to the log's format"
	skipElsewhere = "it has a URL of another server and not a path"
	skipTarget    = "it has a path that no client sends"
	skipMethod    = "of another method"
	skipSeen      = "asked already"
)

// question is a request of the log: target is the path, from its slash on, and the query.
type question struct {
	line           int
	method, target string
}

// readLine returns the next line without its end. A line that is too long is read to its end, and
// ok is false.
func readLine(in *bufio.Reader) (line string, ok bool, err error) {
	part, more, err := in.ReadLine()
	line, ok = string(part), true
	for more && err == nil {
		ok = false
		_, more, err = in.ReadLine()
	}
	if errors.Is(err, io.EOF) && !ok {
		err = nil // it ends with a long line
	}
	return line, ok, err
}

// parseLine finds the request of a line, or says why there is none to send. Of a blank line both
// are empty.
func parseLine(line string) (q question, isRoute bool, why string) {
	line = strings.TrimSpace(line)
	// Exports of log groups have a time in front of what was logged.
	if first, rest, ok := strings.Cut(line, " "); ok && isTime(first) {
		line = strings.TrimSpace(rest)
	}
	var method, target string
	switch {
	case line == "":
		return q, false, ""
	case line[0] == '{':
		method, target, isRoute = parseJSON(line)
	case line[0] == '/':
		method, target = "GET", line
	case strings.Contains(line, `"`):
		_, quoted, _ := strings.Cut(line, `"`)
		quoted, _, _ = strings.Cut(quoted, `"`)
		method, target = parseRequest(quoted)
	case strings.Contains(line, ","):
		method, target = parseCSV(line)
	default:
		method, target = parseRequest(line)
	}
	// "GET /pets" in the place of a path is a route's key.
	if of, key, ok := strings.Cut(target, " "); ok && httpword.IsToken(of) {
		target, isRoute = key, true
	}
	path, _, _ := strings.Cut(target, "?")
	switch {
	case !httpword.IsToken(method) || target == "":
		return q, isRoute, skipUnknown
	case target == "$default", target[0] == '/' && strings.ContainsAny(path, "{}"):
		return q, isRoute, skipRoute
	case strings.Contains(path, "://"), target[0] != '/' && strings.Contains(path, "."):
		return q, isRoute, skipElsewhere
	case target[0] != '/' || !isTarget(target):
		return q, isRoute, skipTarget
	}
	if _, err := url.PathUnescape(path); err != nil {
		return q, isRoute, skipTarget
	}
	return question{method: method, target: target}, isRoute, ""
}

// isTarget reports whether s has no character that would end a request's target, or that no client
// sends: only visible ASCII is left, and no fragment.
func isTarget(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c > '~' || strings.ContainsRune(`#\"`, c) })
}

// parseRequest reads "GET /pets HTTP/1.1", and "GET GET /pets HTTP/1.1", which has a route's key.
func parseRequest(text string) (method, target string) {
	method, target, _ = strings.Cut(text, " ")
	if i := strings.LastIndex(target, " HTTP/"); i >= 0 {
		target = target[:i]
	}
	return method, target
}

// parseJSON reads the console's sample, and what else has the members' names.
func parseJSON(line string) (method, target string, isRoute bool) {
	var entry struct {
		HTTPMethod   string `json:"httpMethod"`
		Path         string `json:"path"`
		ResourcePath string `json:"resourcePath"`
		RouteKey     string `json:"routeKey"`
	}
	if json.Unmarshal([]byte(line), &entry) != nil {
		return "", "", false
	}
	if entry.Path != "" && entry.Path != "-" {
		return entry.HTTPMethod, entry.Path, false
	}
	if entry.ResourcePath != "" {
		return entry.HTTPMethod, entry.ResourcePath, true
	}
	return entry.HTTPMethod, entry.RouteKey, true
}

// parseCSV finds a method, and what stands between it and the protocol: a path may have commas.
func parseCSV(line string) (method, target string) {
	fields := strings.Split(line, ",")
	for i, f := range fields[:len(fields)-1] {
		next := fields[i+1]
		if !isMethod(f) || !strings.HasPrefix(next, "/") && !strings.HasPrefix(next, f+" /") && next != "$default" {
			continue
		}
		for j := i + 2; j < len(fields); j++ {
			if strings.HasPrefix(fields[j], "HTTP/") {
				return f, strings.Join(fields[i+1:j], ",")
			}
		}
	}
	return "", ""
}

func isTime(s string) bool {
	_, err := time.Parse(time.RFC3339, s)
	return err == nil
}

func isMethod(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool { return c < 'A' || c > 'Z' })
}
