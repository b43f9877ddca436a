package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit/internal/bench/stacks"
)

// What money is reckoned with.
const dollarsPerCoreHour = 0.04

// figure is a row: what was measured, beside what, and how the two should relate.
type figure struct {
	what, ours, theirs string
	target             float64
	least              bool // the ratio should be at least the target, not at most
}

func ns(name string) string { return name + " ns/op" }

// fastest returns the name of the fastest of peers.
func (m medians) fastest(group string, peers ...string) string {
	best := ""
	for _, p := range peers {
		name := ns(group + "/by=" + p)
		if best == "" || m[name] < m[best] {
			best = name
		}
	}
	return best
}

func (m medians) figures() []figure {
	limiters := []string{"httprate", "tollbooth", "ulule", "go-limiter", "throttled"}
	return []figure{
		{"JWT, token seen before / go-jwt-middleware", ns("JWTRepeated/by=gatekit-decision"), ns("JWTRepeated/by=go-jwt-middleware"), 0.01, false},
		{"JWT, token seen before, with its context attached / go-jwt-middleware", ns("JWTRepeated/by=gatekit"), ns("JWTRepeated/by=go-jwt-middleware"), 0, false},
		{"JWT, token seen before, one goroutine / one a core", ns("JWTRepeated/by=gatekit-decision"), ns("JWTRepeated/by=gatekit-decision/parallel=true"), 0, true},
		{"JWT RS256, new token / keyfunc by hand", ns("JWTNew/alg=RS256/by=gatekit"), ns("JWTNew/alg=RS256/by=keyfunc"), 1, false},
		{"JWT ES256, new token / keyfunc by hand", ns("JWTNew/alg=ES256/by=gatekit"), ns("JWTNew/alg=ES256/by=keyfunc"), 1, false},
		{"JWT EdDSA, new token / keyfunc by hand", ns("JWTNew/alg=EdDSA/by=gatekit"), ns("JWTNew/alg=EdDSA/by=keyfunc"), 1, false},
		{"JWT RS256, new token / lestrrat-go/jwx", ns("JWTRepeated/by=gatekit-uncached"), ns("JWTRepeated/by=jwx"), 0, false},
		{"JWT RS256, new token / coreos/go-oidc", ns("JWTRepeated/by=gatekit-uncached"), ns("JWTRepeated/by=go-oidc"), 0, false},
		{"JWT RS256, new token / the bare RSA check", ns("JWTNew/alg=RS256/by=gatekit"), ns("JWTNew/alg=RS256/by=bare-crypto"), 0, false},
		{"SigV4, empty body / signing again with the AWS SDK", ns("SigV4/body=0/by=gatekit"), ns("SigV4/body=0/by=aws-sdk-resign"), 0.25, false},
		{"SigV4, 64 KB / signing again with the AWS SDK", ns("SigV4/body=65536/by=gatekit"), ns("SigV4/body=65536/by=aws-sdk-resign"), 0, false},
		{"SigV4, 64 KB / bare SHA-256 and HMAC", ns("SigV4/body=65536/by=gatekit"), ns("SigV4/body=65536/by=bare-hash-and-hmac"), 1.15, false},
		{"Lambda authorizer, decision kept / sha256 of 1 KB", ns("Decision/by=gatekit"), ns("Yardstick/of=sha256-1KB"), 2, false},
		{"Lambda authorizer, decision kept, one goroutine / one a core", ns("Decision/by=gatekit"), ns("Decision/by=gatekit/parallel=true"), 0, true},
		{"policy of 20 statements, two conditions each / sha256 of 1 KB", ns("Policy/statements=20"), ns("Yardstick/of=sha256-1KB"), 4, false},
		{"hostile pattern of 10,000 characters / of 1,000", ns("Policy/hostile=10000"), ns("Policy/hostile=1000"), 0, false},
		{"web ACL of 20 rules, 10,000 networks among them / Coraza with the same rules", ns("TwentyRules/by=gatekit"), ns("TwentyRules/by=coraza"), 0, false},
		{"web ACL, SQL injection and scripts in 600 elements of JSON / Coraza with the same rules", ns("InjectionInJSON/by=gatekit"), ns("InjectionInJSON/by=coraza"), 0, false},
		{"Core Rule Set, small POST / Coraza's own handler", ns("CRS/req=small-post/by=gatekit"), ns("CRS/req=small-post/by=coraza"), 0, false},
		{"Core Rule Set, 8 KB of JSON / Coraza's own handler", ns("CRS/req=json-8k/by=gatekit"), ns("CRS/req=json-8k/by=coraza"), 0, false},
		{"200 routes, matcher, static / httprouter", ns("RoutingMatcher/path=static/by=gatekit"), ns("RoutingMatcher/path=static/by=httprouter"), 1.5, false},
		{"200 routes, matcher, 5 variables / httprouter", ns("RoutingMatcher/path=variables-5/by=gatekit"), ns("RoutingMatcher/path=variables-5/by=httprouter"), 1.2, false},
		{"200 routes, whole API, static / chi", ns("RoutingServe/path=static/by=gatekit"), ns("RoutingServe/path=static/by=chi"), 1, false},
		{"200 routes, whole API, 1 variable / chi", ns("RoutingServe/path=variables-1/by=gatekit"), ns("RoutingServe/path=variables-1/by=chi"), 1, false},
		{"200 routes, whole API, 5 variables / chi", ns("RoutingServe/path=variables-5/by=gatekit"), ns("RoutingServe/path=variables-5/by=chi"), 1, false},
		{"200 routes, whole API, 5 variables / ServeMux with a context attached", ns("RoutingServe/path=variables-5/by=gatekit"), ns("RoutingServe/path=variables-5/by=servemux+gatekit.Describe"), 0, false},
		{"limit by caller, one key / the fastest library", ns("KeyedHot/by=gatekit"), m.fastest("KeyedHot", limiters...), 0.25, false},
		{"limit by caller, one key / x/time in a sync.Map", ns("KeyedHot/by=gatekit"), ns("KeyedHot/by=x/time-by-hand"), 0, false},
		{"limit by caller, a million keys / the fastest library", ns("KeyedMany/by=gatekit"), m.fastest("KeyedMany", limiters...), 0.6, false},
		{"usage plan: key, method rate, plan rate, quota / sha256 of 1 KB", ns("UsagePlan/store=memory/quota=exact"), ns("Yardstick/of=sha256-1KB"), 1, false},
		{"usage plan, an unknown key refused / sha256 of 1 KB", ns("UsagePlan/store=memory/request=unknown-key"), ns("Yardstick/of=sha256-1KB"), 0, false},
		{"request counted in a file / one durable bbolt transaction each", ns("QuotaFile/by=gatekit"), ns("QuotaFile/by=one-durable-update-each"), 1.0 / 20, false},
		{"limit in Redis, exact / redis_rate", ns("Redis/by=gatekit-exact"), ns("Redis/by=redis_rate"), 1, false},
		{"limit in Redis, leased / redis_rate", ns("Redis/by=gatekit-leased"), ns("Redis/by=redis_rate"), 0, false},
		{"Lambda event 2.0 of a request / aws-lambda-go's struct and encoding/json", ns("LambdaEvent/by=gatekit"), ns("LambdaEvent/by=aws-lambda-go+encoding/json"), 0.25, false},
		{"request of a Lambda event / aws-lambda-go-api-proxy", ns("LambdaRequest/by=gatekit"), ns("LambdaRequest/by=aws-lambda-go-api-proxy"), 0.5, false},
		{"cache hit of 1 KB / sha256 of 1 KB", ns("Cache/answer=1KB/key=url"), ns("Yardstick/of=sha256-1KB"), 2, false},
		{"domain and base path among 1,000 mappings / map look-up of 40 bytes", ns("Domain/mappings=1000/path=levels-3/of=selection"), ns("Yardstick/of=map-40-bytes"), 6, false},
		{"mapping template, the sheet's cases / Velocity 1.7 on a warm JVM", ns("VTL/template=recorded/by=gatekit"), ns("VTL/template=recorded/by=velocity-1.7"), 0.5, false},
		{"mapping template of 1 KB / Velocity 1.7", ns("VTL/template=1KB/by=gatekit"), ns("VTL/template=1KB/by=velocity-1.7"), 0.5, false},
		{"mapping template of 10 KB / Velocity 1.7", ns("VTL/template=10KB/by=gatekit"), ns("VTL/template=10KB/by=velocity-1.7"), 0.5, false},
		{"mapping template of 100 KB / Velocity 1.7", ns("VTL/template=100KB/by=gatekit"), ns("VTL/template=100KB/by=velocity-1.7"), 0.5, false},
		{"one field out of a body of 1 MB / decoding it into a map", ns("InputPath/body=1024KB/by=gatekit"), ns("InputPath/body=1024KB/by=map"), 0.2, false},
		{"parameter mapping of five headers / sha256 of 1 KB", ns("ParameterMapping/headers=5"), ns("Yardstick/of=sha256-1KB"), 2, false},
		{"validation of 1 item / the schemas package and decoding", ns("Validation/items=1/by=gatekit"), ns("Validation/items=1/by=jsonschema"), 1.1, false},
		{"validation of 100 items / the schemas package and decoding", ns("Validation/items=100/by=gatekit"), ns("Validation/items=100/by=jsonschema"), 1.1, false},
		{"web ACL of 20 rules and a set of 10,000 networks, GET / sha256 of 1 KB", ns("WAF/rules=20/req=get"), ns("Yardstick/of=sha256-1KB"), 2, false},
		{"web ACL, 8 KB of JSON for SQL injection and scripts / libinjection", ns("WAFJSON/by=gatekit"), ns("WAFJSON/by=libinjection"), 0.4, false},
		{"rate-based rule, a million addresses / limit by caller", ns("WAFRate/by=gatekit"), ns("WAFRate/by=per-key"), 1.3, false},
		{"look-up in a set of a million addresses / in a map of them", ns("IPSet/networks=false/by=gatekit"), ns("IPSet/networks=false/by=map"), 0, false},
		{"look-up in a set of a million networks / in a sorted list of them", ns("IPSet/networks=true/by=gatekit"), ns("IPSet/networks=true/by=sorted"), 0, false},
		{"429, one caller's bucket is empty / httprate", ns("Refusal/status=429/by=gatekit"), ns("Refusal/status=429/by=httprate"), 1.2, false},
		{"401, no token / httprate's 429", ns("Refusal/status=401/by=gatekit"), ns("Refusal/status=429/by=httprate"), 1.2, false},
		{"403, a token without the scope / httprate's 429", ns("Refusal/status=403-scope/by=gatekit"), ns("Refusal/status=429/by=httprate"), 1.2, false},
		{"403, an unknown API key / httprate's 429", ns("Refusal/status=403-api-key/by=gatekit"), ns("Refusal/status=429/by=httprate"), 1.2, false},
		{"404, no route / chi's", ns("Refusal/status=404/by=gatekit"), ns("Refusal/status=404/by=chi"), 0, false},
		{"404, no route / httprate's 429", ns("Refusal/status=404/by=gatekit"), ns("Refusal/status=429/by=httprate"), 1.2, false},
		{"413, a body that says that it is too long / httprate's 429", ns("Refusal/status=413/by=gatekit"), ns("Refusal/status=429/by=httprate"), 1.2, false},
		{"421, another host's connection / httprate's 429", ns("Refusal/status=421/by=gatekit"), ns("Refusal/status=429/by=httprate"), 1.2, false},
		{"431, headers too long / httprate's 429", ns("Refusal/status=431/by=gatekit"), ns("Refusal/status=429/by=httprate"), 1.2, false},
		{"access log, 14 fields in JSON / slog", ns("AccessLog/by=gatekit"), ns("AccessLog/by=slog"), 1, false},
		{"access log, 14 fields in JSON / zerolog", ns("AccessLog/by=gatekit"), ns("AccessLog/by=zerolog"), 1, false},
		{"CORS preflight refused / rs/cors", ns("Refusal/status=preflight/by=gatekit"), ns("Refusal/status=preflight/by=rs/cors"), 1.2, false},
		{"CORS preflight / rs/cors", ns("CORS/request=preflight/by=gatekit"), ns("CORS/request=preflight/by=rs/cors"), 1.3, false},
		{"CORS actual request / rs/cors", ns("CORS/request=actual/by=gatekit"), ns("CORS/request=actual/by=rs/cors"), 2, false},
		{"whole chain / chi + rs/cors + keyfunc + httprate", ns("Chain/by=gatekit"), ns("Chain/by=chi+rs/cors+keyfunc+httprate"), 1.0 / 30, false},
		{"whole chain / chi + rs/cors + go-jwt-middleware + httprate", ns("Chain/by=gatekit"), ns("Chain/by=chi+rs/cors+go-jwt-middleware+httprate"), 0, false},
		{"whole chain / sha256 of 1 KB", ns("Chain/by=gatekit"), ns("Yardstick/of=sha256-1KB"), 0, false},
		{"WebSocket echo through a route, 32 bytes in turn / lxzan/gws", ns("WebSocketEcho/load=in-turn/by=gatekit-route"), ns("WebSocketEcho/load=in-turn/by=gws"), 1.1, false},
		{"WebSocket echo, 32 bytes in turn / coder/websocket", ns("WebSocketEcho/load=in-turn/by=gatekit-route"), ns("WebSocketEcho/load=in-turn/by=coder"), 0, false},
		{"WebSocket echo, 32 bytes in turn / a bare TCP echo", ns("WebSocketEcho/load=in-turn/by=gatekit-route"), ns("WebSocketEcho/load=in-turn/by=tcp"), 0, false},
		{"WebSocket echo, 64 messages at once / gws", ns("WebSocketEcho/load=64-at-once/by=gatekit-route"), ns("WebSocketEcho/load=64-at-once/by=gws"), 1, false},
		{"WebSocket echo, 64 KB / gws", ns("WebSocketEcho/load=64KB/by=gatekit-route"), ns("WebSocketEcho/load=64KB/by=gws"), 1.15, false},
		{"WebSocket broadcast of 1 KB to 10,000 / a write each of gws", ns("WebSocketBroadcast/by=gatekit-api"), ns("WebSocketBroadcast/by=gws"), 0.8, false},
		{"message to a connection on another node / a round trip to Redis", ns("WebSocketNode/of=send-to-another-node"), ns("WebSocketNode/of=redis-round-trip"), 3, false},
	}
}

func render(m medians, loads map[string]load) string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format, args...) }
	p("Measured %s on %s with `go -C internal/bench run ./report`, which runs everything again and writes this part. Medians; ", time.Now().Format("2006-01-02"), machine())
	p("read the ratios, as the times depend on the machine and its neighbors.\n\n")
	p("%s", m.tables())
	exact, leased := m["Fleet/mode=exact decisions/s"], m["Fleet/mode=leased decisions/s"]
	p("\nFour processes with one limit of 50,000 a second in one Redis, burst 5,000: %.0f decisions a second exact, %.0f leased, %.0f times as many (at least 20: %s). ", exact, leased, leased/exact, mark(leased >= 20*exact))
	p("Above burst + rate × time were %.0f requests exact and %.0f leased, where 4 × 500 are the bound (a negative number: so far below).\n", m["Fleet/mode=exact over"], m["Fleet/mode=leased over"])
	p("\nA proxy over loopback HTTP/1.1 on 64 connections, in front of one backend, all on the same cores:\n\n")
	p("| | requests a second | of bare httputil.ReverseProxy | p99 |\n|---|--:|--:|--:|\n")
	for _, row := range []struct {
		name   string
		target float64
	}{{"bare-reverse-proxy", 0}, {"gatekit-proxy", 0.97}, {"gatekit-chain+proxy", 0.9}, {"chi+rs/cors+keyfunc+httprate+reverse-proxy", 0}} {
		metric := "ProxyLoad/by=" + row.name
		share := fmt.Sprintf("%.2f", m[metric+" of-bare"])
		if row.target > 0 {
			share += " " + aim(m[metric+" of-bare"], row.target, true)
		}
		p("| %s | %.0f | %s | %.1f ms |\n", row.name, m[metric+" requests/s"], share, m[metric+" p99-ms"])
	}
	p("\nOver loopback HTTP/1.1 on 64 connections, client and server on the same cores, the token repeated:\n\n")
	p("| | requests a second | of bare net/http | p99 | CPU µs a request | CPU s a million | $ a million |\n|---|--:|--:|--:|--:|--:|--:|\n")
	for _, name := range stacks.Names {
		l := loads[name]
		share := fmt.Sprintf("%.2f", l.ofBare)
		if name == "gatekit" {
			share += " " + mark(l.ofBare >= 0.9)
		}
		p("| %s | %.0f | %s | %.1f ms | %.1f | %.1f | %.5f |\n", name, l.perSecond, share, float64(l.p99)/1e6, l.cpuMicros, l.cpuMicros, l.cpuMicros/3600*dollarsPerCoreHour)
	}
	p("\nThe price takes $%.2f for a core and hour. The managed gateway takes $1.00 for a million requests of an HTTP API and $3.50 of a REST API (us-east-1, first tier).\n", dollarsPerCoreHour)
	return b.String()
}

// renderSome is the part of rows that were measured apart.
func renderSome(m medians, only string) string {
	return fmt.Sprintf("\nMeasured %s, apart from the rest and on the same machine, with `go -C internal/bench run ./report -only %s`.\n\n%s",
		time.Now().Format("2006-01-02"), only, m.tables())
}

// tables are the rows of what was measured.
func (m medians) tables() string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format, args...) }
	p("| | gatekit | beside it | ratio | aim |\n|---|--:|--:|--:|--:|\n")
	for _, f := range m.figures() {
		if m[f.ours] == 0 || m[f.theirs] == 0 {
			continue
		}
		ratio := m[f.ours] / m[f.theirs]
		p("| %s | %s | %s | %.3g | %s |\n", f.what, nanos(m[f.ours]), nanos(m[f.theirs]), ratio, aim(ratio, f.target, f.least))
	}
	p("\n| memory and allocations | gatekit | aim |\n|---|--:|--:|\n")
	for _, row := range []struct {
		what, metric, unit string
		target             float64
	}{
		{"cached token of 1 KB, 100,000 live ones", "JWTMemory x-its-length", "× its length", 3},
		{"live key of a limit by caller, IPv4, 1 million", "KeyedMemory/key=ipv4/by=gatekit bytes/key", "bytes", 32},
		{"live key, strings of 36 bytes", "KeyedMemory/key=string-36/by=gatekit bytes/key", "bytes", 32},
		{"the same in httprate", "KeyedMemory/key=string-36/by=httprate bytes/key", "bytes", 0},
		{"the same in throttled", "KeyedMemory/key=string-36/by=throttled bytes/key", "bytes", 0},
		{"the same with x/time in a sync.Map", "KeyedMemory/key=string-36/by=x/time-by-hand bytes/key", "bytes", 0},
		{"JWT, token seen before, its own", "JWTRepeated/by=gatekit-decision allocs/op", "allocations", 0},
		{"decision on one of 1 million tokens", "DecisionMemory bytes/decision", "bytes", 0},
		{"SigV4, empty body", "SigV4/body=0/by=gatekit allocs/op", "allocations", 12},
		{"Lambda authorizer, decision kept", "Decision/by=gatekit allocs/op", "allocations", 2},
		{"policy of 20 statements", "Policy/statements=20 allocs/op", "allocations", 0},
		{"limit by caller", "KeyedHot/by=gatekit allocs/op", "allocations", 0},
		{"usage plan", "UsagePlan/store=memory/quota=exact allocs/op", "allocations", 1},
		{"web ACL of 20 rules, GET", "WAF/rules=20/req=get allocs/op", "allocations", 0},
		{"address in a set of a million", "IPSet/networks=false/by=gatekit bytes/entry", "bytes", 0},
		{"network in a set of a million", "IPSet/networks=true/by=gatekit bytes/entry", "bytes", 0},
		{"address in a map of a million", "IPSet/networks=false/by=map bytes/entry", "bytes", 0},
		{"cache hit of 1 KB", "Cache/answer=1KB/key=url allocs/op", "allocations", 3},
		{"domain and base path", "Domain/mappings=1000/path=levels-3/of=selection allocs/op", "allocations", 0},
		{"429", "Refusal/status=429/by=gatekit allocs/op", "allocations", 4},
		{"401", "Refusal/status=401/by=gatekit allocs/op", "allocations", 4},
		{"404", "Refusal/status=404/by=gatekit allocs/op", "allocations", 4},
		{"429 of httprate", "Refusal/status=429/by=httprate allocs/op", "allocations", 0},
		{"access log, 14 fields in JSON", "AccessLog/by=gatekit allocs/op", "allocations", 1},
		{"CORS preflight", "CORS/request=preflight/by=gatekit allocs/op", "allocations", 2},
		{"CORS actual request", "CORS/request=actual/by=gatekit allocs/op", "allocations", 2},
		{"whole chain", "Chain/by=gatekit allocs/op", "allocations", 3},
		{"whole chain with an allowed origin", "Chain/by=gatekit/origin=true allocs/op", "allocations", 5},
		{"whole chain on a route with a variable", "Chain/by=gatekit/variables=1 allocs/op", "allocations", 5},
		{"idle WebSocket connection, of 10,000", "WebSocketMemory/by=gatekit-route B/conn", "bytes", 8192},
		{"the same of gws", "WebSocketMemory/by=gws B/conn", "bytes", 0},
		{"the same of coder/websocket", "WebSocketMemory/by=coder B/conn", "bytes", 0},
		{"the same of gobwas/ws, hijacked by hand", "WebSocketMemory/by=gobwas B/conn", "bytes", 0},
		{"idle WebSocket connection over a pipe, of 10,000", "WebSocketSlope/connections=10000 B/conn", "bytes", 0},
		{"idle WebSocket connection over a pipe, of 50,000", "WebSocketSlope/connections=50000 B/conn", "bytes", 1.02 * m["WebSocketSlope/connections=10000 B/conn"]},
		{"99th percentile of a broadcast beside a tenth of readers that don't read, / without them", "WebSocketSlowReaders p99-ratio", "×", 1.05},
		{"message through a WebSocket route", "WebSocketEcho/load=in-turn/by=gatekit-route allocs/op", "allocations", 0},
		{"chi + rs/cors + go-jwt-middleware + httprate", "Chain/by=chi+rs/cors+go-jwt-middleware+httprate allocs/op", "allocations", 0},
	} {
		if _, measured := m[row.metric]; !measured {
			continue
		}
		goal := ""
		if row.target > 0 {
			goal = aim(m[row.metric], row.target, false)
		}
		p("| %s | %.3g %s | %s |\n", row.what, m[row.metric], row.unit, goal)
	}
	return b.String()
}

func nanos(v float64) string {
	if v >= 10_000 {
		return fmt.Sprintf("%.1f µs", v/1000)
	}
	return fmt.Sprintf("%.0f ns", v)
}

func aim(value, target float64, least bool) string {
	switch {
	case target == 0:
		return ""
	case least:
		return fmt.Sprintf("≥ %.3g %s", target, mark(value >= target))
	}
	return fmt.Sprintf("≤ %.3g %s", target, mark(value <= target))
}

func mark(met bool) string {
	if met {
		return "✓"
	}
	return "missed"
}
