package definition

import (
	"cmp"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/accesslog"
)

// accessLog writes the stage's access log: by the program's own station, to the writer that is
// bound to the log's destination, or, where none is, to the Logger.
func (s *stageBuilder) accessLog() (gatekit.Middleware, *problem) {
	if s.stage.AccessLog == "" {
		return nil, nil
	}
	if _, unknown := digest(s.stage.AccessLog); unknown != "" {
		return nil, unknownValue("the access log's format", unknown)
	}
	failed := "the access log of stage " + s.name + " can't be written"
	if s.bindings.AccessLog != nil {
		log, err := s.bindings.AccessLog(s.api, s.name, s.stage.AccessLog)
		return log, asProblem(failed, err)
	}
	config := accesslog.Config{
		Format: s.stage.AccessLog, Lenient: true, Unmasked: s.bindings.AccessLogUnmasked, Logger: s.log,
	}
	ref := s.logRef(s.stage.AccessLogDestination)
	w, ok, err := s.look.accessLogs.find(ref)
	s.fault(err)
	if config.Writer = w; !ok || w == nil {
		config.Writer, config.Records = nil, cmp.Or(s.log, slog.Default())
	}
	log, err := accesslog.New(config)
	if err != nil {
		return nil, asProblem(failed, err)
	}
	if config.Records != nil {
		s.differs("", s.stage.Origin, "the access log of stage "+s.name+" goes to the Logger, as records",
			"bind "+cmp.Or(s.stage.AccessLogDestination, s.api.ID+" "+s.name)+
				" in Bindings.AccessLogs to have its lines")
	}
	for _, name := range log.Unknown() {
		s.warn("", s.stage.Origin, "the access log of stage "+s.name+" names $context."+name+", which there isn't",
			"take it out of the format")
	}
	return log.Middleware, nil
}

// logRef is a log's destination by all its names: its ARN, with the :* that CloudFormation puts
// behind it or without, the log group's or stream's name, and the API and stage whose it is.
func (s *stageBuilder) logRef(destination string) Ref {
	arn := strings.TrimSuffix(destination, ":*")
	r := s.ref("", "", destination, "")
	if r.LogicalID == "" {
		r = s.ref("", "", arn, "")
	}
	r.Also = append(r.Also, s.api.ID+" "+s.name, s.api.ID)
	if arn != destination {
		r.Also = append(r.Also, arn, destination)
	}
	for _, of := range []string{":log-group:", ":deliverystream/"} {
		if _, name, ok := strings.Cut(arn, of); ok {
			r.Also = append(r.Also, name)
		}
	}
	return r
}

// findExecutionLog finds out where the stage's execution logs go, if its settings ask for some.
func (s *stageBuilder) findExecutionLog() {
	if s.api.Flavor != FlavorREST || !slices.ContainsFunc(s.stage.Logging, (*MethodLogging).on) {
		return
	}
	group := "API-Gateway-Execution-Logs_" + cmp.Or(s.api.APIID, s.api.ID) + "/" + s.name
	w, ok, err := s.look.executionLogs.find(Ref{Name: group, Also: []string{s.api.ID + " " + s.name, s.api.ID}})
	s.fault(err)
	if ok && w != nil {
		s.executions = w
		return
	}
	s.differs("", s.stage.Origin, "no execution log is written for stage "+s.name,
		"bind "+s.api.ID+" "+s.name+" in Bindings.ExecutionLogs")
}

// noExecutionLog reports that the settings of a WebSocket stage ask for one.
func (s *stageBuilder) noExecutionLog() {
	if slices.ContainsFunc(s.stage.Logging, (*MethodLogging).on) {
		s.differs("", s.stage.Origin, "no execution log is written for stage "+s.name+", as of no WebSocket API",
			"put a gatekit.Trace around its messages, or ask for what you look for in the access log")
	}
}

// on reports whether there is a log. A level that isn't known is none.
func (l *MethodLogging) on() bool { return l.Level == "INFO" || l.Level == "ERROR" }

// executionLog is that of a route, or nil. Settings of a method of its own go before those of all.
func (s *stageBuilder) executionLog(key string, r *Route) (*accesslog.Execution, *problem) {
	if s.executions == nil {
		return nil, nil
	}
	method, path, _ := strings.Cut(key, " ")
	var all, own *MethodLogging
	for _, l := range s.stage.Logging {
		switch {
		case l.Method == "*" && resourcePath(l.Path) == "/*":
			all = l
		case l.Method == method && sameResource(l.Path, path):
			own = l
		}
	}
	l := cmp.Or(own, all)
	if l == nil || !l.on() {
		return nil, nil
	}
	config := accesslog.ExecutionConfig{
		Writer: s.executions, ErrorsOnly: l.Level == "ERROR", DataTrace: l.DataTrace, Logger: s.log,
	}
	if a := s.api.Authorizers[r.Auth.Authorizer]; a != nil { // what it tells callers by is a secret
		for _, source := range a.IdentitySource {
			config.Secrets = append(config.Secrets, source[strings.LastIndexByte(source, '.')+1:])
		}
		config.Secrets = slices.DeleteFunc(config.Secrets, func(name string) bool { return name == "" })
	}
	x, err := accesslog.NewExecution(config)
	return x, asProblem("its execution log can't be written", err)
}

// observed is the integration with the execution log's station around it.
func (s *stageBuilder) observed(x *accesslog.Execution, t *Target, h http.Handler) http.Handler {
	if x == nil || h == nil {
		return h
	}
	uri := t.URI
	switch t.Kind {
	case KindLambda:
		arn := cmp.Or(t.ARN, s.ref(t.Function, t.Name, "", t.Qualifier).ARN, t.Name, t.Function)
		if t.Qualifier != "" {
			arn += ":" + t.Qualifier
		}
		uri = "https://lambda." + cmp.Or(s.identity.Region, "us-east-1") +
			".amazonaws.com/2015-03-31/functions/" + arn + "/invocations"
	case KindHTTP, KindPrivate:
		uri = "" // as the request has it, mapped
	}
	return x.Endpoint(uri)(h)
}
