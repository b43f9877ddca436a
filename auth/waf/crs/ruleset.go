package crs

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	coreruleset "github.com/corazawaf/coraza-coreruleset/v4"
	"github.com/corazawaf/coraza/v3"
	"github.com/corazawaf/coraza/v3/debuglog"
	"github.com/corazawaf/coraza/v3/experimental"
	"github.com/corazawaf/coraza/v3/types"

	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// RuleSet is the Core Rule Set, compiled. It is safe for concurrent use.
type RuleSet struct {
	cfg      Config
	engine   coraza.WAF
	messages map[int]string // of rules, where they hold nothing of a request
	logged   atomic.Int64   // the second in which a fault was last logged
}

// New compiles the rules, which takes a fraction of a second and some 12 MiB, or returns an error
// that lists what is wrong with cfg. ctx is for what a later version may start; nothing is started
// now.
//
// The engine keeps files of multipart uploads in the system's directory for temporary files while
// it judges them, and refuses to start where it can't write there; the build tag no_fs_access keeps
// it from both.
func New(ctx context.Context, cfg Config) (*RuleSet, error) { return newRuleSet(ctx, cfg, nil) }

// newRuleSet is New. Tests give the engine a callback of theirs.
func newRuleSet(ctx context.Context, cfg Config, callback func(types.MatchedRule)) (*RuleSet, error) {
	c, err := cfg.check()
	m := mistakes.In("crs: Config")
	m.Join(err)
	m.Require(ctx != nil, "", "want a context, got none")
	if err := m.Err(); err != nil {
		return nil, err
	}
	s := &RuleSet{cfg: c, messages: map[int]string{}}
	conf := coraza.NewWAFConfig().WithDebugLogger(debuglog.Noop()).WithRootFS(rules{coreruleset.FS})
	if callback != nil {
		conf = conf.WithErrorCallback(callback)
	}
	conf = experimental.WAFConfigWithRuleObserver(conf, s.observe)
	texts := []string{c.engine(), c.Setup, c.setup(), c.scoped(), c.files(), c.Directives, c.everywhere()}
	for _, text := range texts {
		if strings.TrimSpace(text) != "" {
			conf = conf.WithDirectives(text)
		}
	}
	if s.engine, err = compile(conf); err != nil {
		m.Add("Setup, Directives, Exclusions", "the engine refuses them: %v", err)
		return nil, m.Err()
	}
	m = m.Under("Exclusions")
	for i, e := range c.Exclusions {
		_, known := s.messages[e.Rule]
		m.Index(i).Require(known || e.Rule == 0, "Rule", "want the ID of a rule that there is, got %d", e.Rule)
	}
	if err := m.Err(); err != nil {
		return nil, err
	}
	return s, nil
}

// rules are the rule set's files, and nothing else: an Include of the user's can't read the disk.
type rules struct{ fs.FS }

func (r rules) ReadFile(name string) ([]byte, error) { return fs.ReadFile(r.FS, name) }

// compile keeps what the engine panics with from whoever configures it.
func compile(conf coraza.WAFConfig) (engine coraza.WAF, err error) {
	defer func() {
		if p := recover(); p != nil {
			engine, err = nil, fmt.Errorf("panic: %v", p)
		}
	}()
	return coraza.NewWAF(conf)
}

var messageForm = regexp.MustCompile(`msg:'((?:[^'\\]|\\.)*)'`)

// observe keeps a rule's message as it was written: expanded, some hold what the client sent.
func (s *RuleSet) observe(rule types.RuleMetadata) {
	message := ""
	if found := messageForm.FindStringSubmatch(rule.Raw()); found != nil {
		message = found[1]
		if quoted := strings.Index(message, "%{"); quoted >= 0 {
			message, _, _ = strings.Cut(message[:quoted], " (")
		}
	}
	if s.messages[rule.ID()] == "" {
		s.messages[rule.ID()] = message
	}
}

// report logs a fault that was passed over, one a second at most.
func (s *RuleSet) report(r *http.Request, err error) {
	second := time.Now().Unix()
	if was := s.logged.Load(); was == second || !s.logged.CompareAndSwap(was, second) {
		return
	}
	s.cfg.Logger.LogAttrs(r.Context(), slog.LevelWarn, "crs: requests can't be judged, and pass",
		slog.Any("error", err))
}
