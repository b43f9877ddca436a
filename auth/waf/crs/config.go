package crs

import (
	"cmp"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// Config configures a [RuleSet]. The zero value is the Core Rule Set at paranoia level 1, which
// refuses a request with one critical finding.
type Config struct {
	_ struct{} // keyed literals only, so that fields can be added
	// ParanoiaLevel is 1 to 4: how much is suspicious. 0 is 1. From level 2 on expect to tune.
	ParanoiaLevel int
	// AnomalyThreshold is the score from which on a request is refused: a critical finding scores
	// 5, an error 4, a warning 3, a notice 2. 0 is 5.
	AnomalyThreshold int
	// ResponseThreshold is the same for answers. 0 is 4.
	ResponseThreshold int
	// AllowedMethods are what rule 911100 lets pass. Empty is GET, HEAD, POST, PUT, PATCH, DELETE
	// and OPTIONS; the rule set's own default has neither PUT nor PATCH nor DELETE, which APIs
	// need.
	AllowedMethods []string
	// AllowedContentTypes are media types that rule 920420 lets pass. Empty is forms, XML and JSON:
	// the rule set's own default and application/FORMAT+json of a few formats that APIs use. Of
	// others, such as text/plain, the body is judged as one text, and by fewer rules.
	AllowedContentTypes []string
	// RequestBodyLimit is how many bytes of a body are read and judged: at most 16 MiB, and 64 KiB
	// if it is 0. Each byte costs the processor some 5 µs, as one text, and up to twice that in
	// many small ones: 64 KiB take half a second. A longer body is refused as rule
	// [RuleBodyTooLarge], unless InsecurePassLargerBodies judges its front and streams the rest
	// unseen.
	RequestBodyLimit         int
	InsecurePassLargerBodies bool
	// InspectResponses judges answers, too: of media types that ResponseTypes names, up to
	// ResponseBodyLimit bytes are held back for it. An answer that is flushed is judged as far as
	// it came. Else nothing stands between a handler and its client.
	InspectResponses bool
	// ResponseBodyLimit is at most 16 MiB, and 64 KiB if it is 0.
	ResponseBodyLimit int
	// ResponseTypes are media types without parameters. Empty is text/plain, text/html, text/xml,
	// application/xml and application/json.
	ResponseTypes []string
	// Exclusions are rules, or variables of theirs, that aren't applied.
	Exclusions []Exclusion
	// Setup is SecLang ahead of the rule set's, as in its file crs-setup.conf: SecAction lines that
	// set variables. Directives is SecLang behind it: rules of one's own, updates of its rules. IDs
	// below 100,000 are free for both. It is the configuration's, so never a client's text.
	Setup, Directives string
	// DetectionOnly refuses nothing: Log tells what would have been.
	DetectionOnly bool
	// FailOpen lets requests pass that can't be judged, because the engine failed. Else they are
	// refused.
	FailOpen bool
	// Log is given the verdict on each request, and on its answer with InspectResponses, when all
	// is said. It is called in the request's goroutine, and may keep the verdict. nil logs nothing.
	Log func(*http.Request, *Verdict)
	// Logger gets the faults that FailOpen lets pass, one a second at most. nil is slog.Default().
	Logger *slog.Logger
}

// Exclusion takes out what is known to be harmless. At least Rule or Tag is set.
type Exclusion struct {
	// Rule is a rule's ID, such as 942100.
	Rule int
	// Tag is that of all rules to take out, such as "attack-sqli".
	Tag string
	// Variable is what isn't looked at any more: "ARGS:comment", "REQUEST_COOKIES:session",
	// "REQUEST_HEADERS:Referer". Of JSON bodies it is "ARGS:json.order.comment". "" takes out the
	// rules as a whole.
	Variable string
	// Path is where: the path itself and what is below it, in whole segments. "" is everywhere.
	Path string
}

const (
	defaultBodyLimit     = 64 << 10
	defaultResponseLimit = 64 << 10
	maxExclusions        = 1000
)

var (
	defaultMethods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
	defaultBodies  = []string{
		"application/x-www-form-urlencoded", "multipart/form-data", "text/xml", "application/xml",
		"application/soap+xml", "application/json", "application/problem+json", "application/merge-patch+json",
		"application/json-patch+json", "application/vnd.api+json", "application/cloudevents+json",
	}
	defaultTypes = []string{"text/plain", "text/html", "text/xml", "application/xml", "application/json"}
)

// What may stand in a directive, within quotes of its own.
var (
	methodForm    = regexp.MustCompile(`^[A-Za-z_-]+$`)
	mediaTypeForm = regexp.MustCompile(`^[a-z0-9.+-]+/[a-z0-9.+-]+$`)
	tagForm       = regexp.MustCompile(`^[A-Za-z0-9_./-]{1,100}$`)
	variableForm  = regexp.MustCompile(`^[A-Z_]{1,40}(:[A-Za-z0-9_.\-\[\]]{1,100})?$`)
	pathForm      = regexp.MustCompile(`^/[A-Za-z0-9_.~/-]{0,500}$`)
)

// check returns the mistakes of c, and c with its defaults.
func (c Config) check() (Config, error) {
	m := mistakes.In("crs: Config")
	mistakes.RangeOrZero(m, "ParanoiaLevel", c.ParanoiaLevel, 1, 4)
	mistakes.RangeOrZero(m, "AnomalyThreshold", c.AnomalyThreshold, 1, 10_000)
	mistakes.RangeOrZero(m, "ResponseThreshold", c.ResponseThreshold, 1, 10_000)
	mistakes.RangeOrZero(m, "RequestBodyLimit", c.RequestBodyLimit, 1, 16<<20)
	mistakes.RangeOrZero(m, "ResponseBodyLimit", c.ResponseBodyLimit, 1, 16<<20)
	all := func(field string, of []string, form *regexp.Regexp) {
		for i, text := range of {
			m.Under(field).Index(i).Require(form.MatchString(text), "", "want %v, got %.200q", form, text)
		}
	}
	all("AllowedMethods", c.AllowedMethods, methodForm)
	all("AllowedContentTypes", c.AllowedContentTypes, mediaTypeForm)
	all("ResponseTypes", c.ResponseTypes, mediaTypeForm)
	m.Require(c.InspectResponses || c.ResponseThreshold == 0 && c.ResponseBodyLimit == 0 && c.ResponseTypes == nil,
		"InspectResponses", "want true where something is said of answers")
	m.Require(len(c.Exclusions) <= maxExclusions, "Exclusions", "want at most %d, got %d", maxExclusions,
		len(c.Exclusions))
	for i, of := range c.Exclusions {
		of.check(m.Under("Exclusions").Index(i))
	}
	for _, text := range []string{c.Setup, c.Directives} {
		m.Require(!strings.ContainsRune(text, 0), "Setup, Directives", "want text without NUL")
	}
	c.ParanoiaLevel = cmp.Or(c.ParanoiaLevel, 1)
	c.AnomalyThreshold = cmp.Or(c.AnomalyThreshold, 5)
	c.ResponseThreshold = cmp.Or(c.ResponseThreshold, 4)
	c.RequestBodyLimit = cmp.Or(c.RequestBodyLimit, defaultBodyLimit)
	c.ResponseBodyLimit = cmp.Or(c.ResponseBodyLimit, defaultResponseLimit)
	c.AllowedMethods = or(c.AllowedMethods, defaultMethods)
	c.AllowedContentTypes = or(c.AllowedContentTypes, defaultBodies)
	c.ResponseTypes = or(c.ResponseTypes, defaultTypes)
	c.Exclusions = slices.Clone(c.Exclusions)
	c.Logger = cmp.Or(c.Logger, slog.Default())
	return c, m.Err()
}

func or(list, otherwise []string) []string {
	if len(list) == 0 {
		list = otherwise
	}
	return slices.Clone(list)
}

func (e Exclusion) check(m *mistakes.Mistakes) {
	m.Require((e.Rule != 0) != (e.Tag != ""), "", "want one of Rule and Tag")
	m.Require(e.Rule >= 0, "Rule", "want the ID of a rule, such as 942100, got %d", e.Rule)
	m.Require(e.Tag == "" || tagForm.MatchString(e.Tag), "Tag", "want one such as attack-sqli, got %.200q", e.Tag)
	m.Require(e.Variable == "" || variableForm.MatchString(e.Variable), "Variable",
		"want one such as ARGS:comment, got %.200q", e.Variable)
	m.Require(e.Path == "" || pathForm.MatchString(e.Path) && !strings.Contains(e.Path, "//"), "Path",
		"want one such as /webhooks, of plain letters, digits and ._~-, got %.200q", e.Path)
}
