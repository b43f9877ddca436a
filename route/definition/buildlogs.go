package definition

import (
	"cmp"
	"log/slog"
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
