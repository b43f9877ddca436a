package validate

import (
	"cmp"
	"errors"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/mediatype"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/wholebody"
)

const (
	defaultMaxBodyBytes = 10 << 20
	maxMaxBodyBytes     = 1 << 30
	defaultMaxValues    = 500_000
	defaultModel        = "$default"
	jsonType            = "application/json"
)

// Config configures a [Validator]: what a REST API's method says of its requests, and the validator
// that it names. (Developer guide, "Request validation for REST APIs".)
type Config struct {
	_ struct{} // keyed literals only, so that fields can be added

	// ValidateBody judges bodies by RequestModels, and ValidateParameters sees to required
	// parameters (validateRequestBody, validateRequestParameters). With neither, and without
	// models, nothing is validated, as on the managed gateway.
	ValidateBody, ValidateParameters bool
	// RequestParameters are the method's parameters: "method.request.header.NAME",
	// "method.request.querystring.NAME" and "method.request.path.NAME", true for those that are
	// required. A required one must be there, and not blank.
	RequestParameters map[string]bool
	// RequestModels are names of models by the content type of the bodies that they are for.
	// "$default" is for all others.
	RequestModels map[string]string
	// Models has the models that RequestModels names. nil: there are Empty and Error.
	Models *Models
	// RequireModel refuses bodies of content types without a model with 415, in place of letting
	// them pass unseen.
	RequireModel bool
	// MaxBodyBytes is how large a body may be; larger ones are 413. 0 means 10,485,760, as on the
	// managed gateway; at most 1 GiB.
	MaxBodyBytes int64
	// MaxValues is how many values a body may hold, counting each object, array, string, number,
	// boolean and null; it bounds the memory that a body takes when decoded. 0 means 500,000.
	MaxValues int
	// AllowDuplicateNames takes the last of several members of an object with one name, in place of
	// refusing the body. Who reads the body next may take the first.
	AllowDuplicateNames bool
	// ProblemDetails answers with application/problem+json that tells what is wrong and where, by
	// JSON Pointers (RFC 9457), in place of the managed gateway's fixed message. Gateway responses
	// don't apply to it then.
	ProblemDetails bool
}

// Validator judges requests before their integration sees them. It is immutable and safe for
// concurrent use.
type Validator struct {
	config   Config
	required []parameter       // in the order in which messages list them
	models   map[string]*model // by media type in lower case
}

// model is a schema under its name.
type model struct {
	name   string
	schema *schema
}

// New returns a Validator, or an error that lists every field it refuses. It copies cfg.
func New(cfg Config) (*Validator, error) {
	m := mistakes.In("validate: Config")
	v := &Validator{config: cfg, models: map[string]*model{}}
	for _, name := range slices.Sorted(maps.Keys(cfg.RequestParameters)) {
		p, err := parseParameter(name)
		if err != nil {
			m.Under("RequestParameters").Key(name).Add("", "%w", err)
		} else if cfg.RequestParameters[name] && cfg.ValidateParameters {
			v.required = append(v.required, p)
		}
	}
	slices.SortFunc(v.required, compareParameters)
	if cfg.Models == nil && len(cfg.RequestModels) > 0 { // the models Empty and Error are there
		var err error
		if cfg.Models, err = NewModels(ModelsConfig{}); err != nil {
			return nil, err
		}
	}
	for _, contentType := range slices.Sorted(maps.Keys(cfg.RequestModels)) {
		v.addModel(m.Under("RequestModels").Key(contentType), contentType, cfg.RequestModels[contentType], cfg.Models)
	}
	mistakes.Range(m, "MaxBodyBytes", cfg.MaxBodyBytes, 0, maxMaxBodyBytes)
	mistakes.AtLeast(m, "MaxValues", cfg.MaxValues, 0)
	if err := m.Err(); err != nil {
		return nil, err
	}
	v.config.MaxBodyBytes = cmp.Or(cfg.MaxBodyBytes, defaultMaxBodyBytes)
	v.config.MaxValues = cmp.Or(cfg.MaxValues, defaultMaxValues)
	v.config.RequestParameters, v.config.RequestModels = nil, nil
	return v, nil
}

// addModel adds the model for bodies of one type.
func (v *Validator) addModel(m *mistakes.Mistakes, contentType, name string, models *Models) {
	media := contentType
	if contentType != defaultModel {
		var err error
		if media, _, err = mime.ParseMediaType(contentType); err != nil || !strings.Contains(media, "/") {
			m.Add("", "want a content type such as application/json, or $default, got %q", contentType)
			return
		}
	}
	switch {
	case models.schemas[name] == nil:
		m.Add("", "want the name of a model, got %q", name)
	case v.models[media] != nil:
		m.Add("", "want one model for %s, got another one", media)
	case v.config.ValidateBody:
		v.models[media] = &model{name, models.schemas[name]}
	}
}

// Check judges r. It returns nil, or a *[gatekit.Rejection]: of type BadRequestParameters with a
// *[ParameterError] as its cause, of type BadRequestBody with a *[BodyError], RequestTooLarge,
// UnsupportedMediaType (only with RequireModel), or 400 for a body that can't be read. If it has
// read the body, it has put an equal one in its place.
func (v *Validator) Check(r *http.Request) error { return v.judge(r).err }

func (v *Validator) judge(r *http.Request) verdict {
	by := verdict{}
	if len(v.required) > 0 {
		by.rule = ruleParameters
	}
	if by.err = v.checkParameters(r); by.err != nil || !v.config.ValidateBody {
		return by
	}
	types := r.Header["Content-Type"]
	if len(types) > 1 {
		return verdict{err: invalidBody(&BodyError{reason: errTypes})}
	}
	mediaType := jsonType
	if len(types) == 1 && types[0] != jsonType {
		mediaType = cmp.Or(mediatype.OfBody(types[0]), jsonType)
	}
	m := v.models[mediaType]
	if m == nil {
		if m = v.models[defaultModel]; m == nil {
			if by.why = reasonNoModel; v.config.RequireModel {
				by.err = errNoModel
			}
			return by
		}
	}
	body, err := wholebody.Read("validate", r, v.config.MaxBodyBytes)
	if err == nil {
		err = v.checkBody(m, body)
	}
	return verdict{rule: m.name, err: err}
}

var (
	errTypes   = errors.New("the request has several content types")
	errNoModel = &gatekit.Rejection{Type: gatekit.UnsupportedMediaType}
)

func (v *Validator) checkBody(m *model, body []byte) error {
	text := string(body)
	if text == "" {
		text = "{}" // as the managed gateway judges it
	}
	value, values, err := decode(text, v.config.MaxValues, v.config.AllowDuplicateNames)
	if err != nil {
		return invalidBody(&BodyError{reason: err})
	}
	ok, err := m.schema.valid(value)
	switch {
	case err != nil:
		return invalidBody(&BodyError{model: m, reason: err})
	case !ok:
		return invalidBody(&BodyError{model: m, value: value, values: values})
	}
	return nil
}

func invalidBody(cause *BodyError) *gatekit.Rejection {
	return &gatekit.Rejection{Type: gatekit.BadRequestBody, Message: "Invalid request body", Cause: cause}
}

// Middleware lets the requests through that [Validator.Check] has nothing against.
func (v *Validator) Middleware(next http.Handler) http.Handler {
	return &validated{validator: v, next: next}
}

type validated struct {
	validator *Validator
	next      http.Handler
}

func (h *validated) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := gatekit.From(r.Context()).Clock()
	by := h.validator.judge(r)
	by.note(r, began)
	if err := by.err; err != nil {
		if h.validator.config.ProblemDetails {
			var rc *gatekit.RequestContext
			rc, r = gatekit.Attach(r)
			rc.SetResponder(respondProblem)
		}
		gatekit.Reject(w, r, err)
		return
	}
	h.next.ServeHTTP(w, r)
}

// Station implements [gatekit.Station].
func (h *validated) Station() (kind string, next http.Handler) { return "validate", h.next }
