package validate

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// Draft is a version of JSON Schema.
type Draft uint8

const (
	// Draft4 is what the managed gateway has, and the default.
	Draft4 Draft = iota
	// Draft6 is draft-06.
	Draft6
	// Draft7 is draft-07.
	Draft7
	// Draft201909 is 2019-09.
	Draft201909
	// Draft202012 is 2020-12.
	Draft202012
)

var drafts = [...]*jsonschema.Draft{jsonschema.Draft4, jsonschema.Draft6, jsonschema.Draft7, jsonschema.Draft2019,
	jsonschema.Draft2020}

// ModelsConfig configures [Models].
type ModelsConfig struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Schemas are the models' JSON schemas by name. Names are letters and digits. The models Empty
	// (any object) and Error (an object with a message) are there, unless they are given here.
	Schemas map[string]string
	// APIID is the API that models refer to each other by, in
	// "https://apigateway.amazonaws.com/restapis/APIID/models/NAME". "" takes every ID for it.
	APIID string
	// AnyNames takes names with -, ., _ and ~, too, which documents made by other tools have. The
	// managed gateway's import refuses them.
	AnyNames bool
	// Draft is the version of JSON Schema of schemas that don't say it ($schema).
	Draft Draft
	// PatternBudget is how much time a request's look-aheads and back references may take. 0 means
	// 100 ms; at most 10 s. It is kept to within 100 ms.
	PatternBudget time.Duration
}

// Models are the models of an API, compiled. They are immutable and safe for concurrent use.
type Models struct {
	config  ModelsConfig
	docs    map[string]any // by name
	schemas map[string]*schema
}

const (
	emptyModel = `{"$schema":"http://json-schema.org/draft-04/schema#","title":"Empty Schema","type":"object"}`
	errorModel = `{"$schema":"http://json-schema.org/draft-04/schema#","title":"Error Schema","type":"object","properties":{"message":{"type":"string"}}}`
)

var (
	modelName    = regexp.MustCompile(`^[A-Za-z0-9]{1,256}$`)
	anyModelName = regexp.MustCompile(`^[A-Za-z0-9._~-]{1,256}$`) // what no URL escapes
)

// NewModels returns a Models, or an error that lists every schema it refuses. It copies cfg. It
// reads no files and fetches nothing.
func NewModels(cfg ModelsConfig) (*Models, error) {
	mis := mistakes.In("validate: ModelsConfig")
	m := &Models{config: cfg, docs: map[string]any{}, schemas: map[string]*schema{}}
	texts := map[string]string{"Empty": emptyModel, "Error": errorModel}
	maps.Copy(texts, cfg.Schemas)
	m.config.Schemas = nil
	m.config.PatternBudget = cmp.Or(cfg.PatternBudget, defaultPatternBudget)
	if int(cfg.Draft) >= len(drafts) {
		mis.Add("Draft", "want one of the constants, got %d", cfg.Draft)
		m.config.Draft = Draft4
	}
	mistakes.Range(mis, "PatternBudget", cfg.PatternBudget, 0, maxPatternBudget)
	mis.Require(!strings.ContainsAny(cfg.APIID, "/?#%"), "APIID", "want an API's ID, got %q", cfg.APIID)
	names := slices.Sorted(maps.Keys(texts))
	for _, name := range names {
		m.read(mis.Under("Schemas").Key(name), name, texts[name])
	}
	if err := mis.Err(); err != nil {
		return nil, err
	}
	if m.compileAll(names) {
		return m, nil
	}
	for _, name := range names { // which may refer to each other
		compiled, err := m.compile(name)
		if err != nil {
			mis.Under("Schemas").Key(name).Add("", "%w", err)
			continue
		}
		m.schemas[name] = m.newSchema(name, compiled)
	}
	if err := mis.Err(); err != nil {
		return nil, err
	}
	return m, nil
}

// read reads one model's text.
func (m *Models) read(mis *mistakes.Mistakes, name, text string) {
	if !modelName.MatchString(name) && !(m.config.AnyNames && anyModelName.MatchString(name)) {
		mis.Add("", "want a name of letters and digits")
		return
	}
	doc, _, err := decode(text, defaultMaxValues, false)
	_, isObject := doc.(map[string]any)
	_, isBool := doc.(bool)
	switch {
	case err != nil:
		mis.Add("", "want a JSON schema: %w", err)
	case !isObject && (!isBool || m.config.Draft == Draft4):
		mis.Add("", "want a JSON schema, which is an object")
	default:
		m.docs[name] = doc
	}
}

func (m *Models) newSchema(name string, c *compiled) *schema {
	s := &schema{budget: m.config.PatternBudget}
	if !c.patterns.slow {
		s.shared = c
		return s
	}
	s.pool.New = func() any {
		again, _ := m.compile(name) // as it has done before
		return again
	}
	s.pool.Put(c)
	return s
}

// schema is a model that can be validated against by several goroutines at once.
type schema struct {
	shared *compiled // nil if the schema has patterns that count time: then each request has its own
	pool   sync.Pool
	budget time.Duration
}

// compiled is a schema in two forms.
type compiled struct {
	// detailed collects what is wrong, all of it: of a large body, gigabytes.
	detailed *jsonschema.Schema
	// quick only says whether something is wrong. It is detailed behind two negations, within which
	// nothing is collected.
	quick    *jsonschema.Schema
	patterns *patterns
}

const (
	modelsURL = "https://apigateway.amazonaws.com/restapis/"
	quickURL  = "gatekit:quick:"
)

func (m *Models) url(name string) string {
	id := m.config.APIID
	if id == "" {
		id = "self"
	}
	return modelsURL + id + "/models/" + name
}

// compileAll compiles the models together, so that one which others refer to is compiled once, and
// not once for each of them. It reports false, and nothing is done, if one of them is no schema or
// has patterns that count time: of these each request has its own form, with what it refers to.
func (m *Models) compileAll(names []string) bool {
	all := map[string]*schema{}
	c, patterns := m.compiler()
	for _, name := range names {
		compiled, err := m.compileBy(c, patterns, name)
		if err != nil || patterns.slow {
			return false
		}
		all[name] = &schema{budget: m.config.PatternBudget, shared: compiled}
	}
	m.schemas = all
	return true
}

func (m *Models) compiler() (*jsonschema.Compiler, *patterns) {
	patterns := &patterns{}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(drafts[m.config.Draft])
	c.UseLoader(loader{m})
	c.UseRegexpEngine(patterns.compile)
	return c, patterns
}

func (m *Models) compile(name string) (*compiled, error) {
	c, patterns := m.compiler()
	return m.compileBy(c, patterns, name)
}

func (m *Models) compileBy(c *jsonschema.Compiler, patterns *patterns, name string) (*compiled, error) {
	result := &compiled{patterns: patterns}
	quickly := quickURL + name
	if err := c.AddResource(quickly,
		map[string]any{"not": map[string]any{"not": map[string]any{"$ref": m.url(name)}}}); err != nil {
		return nil, fmt.Errorf("%v", err)
	}
	var err error
	if result.detailed, err = c.Compile(m.url(name)); err != nil {
		return nil, fmt.Errorf("%v", err)
	}
	if result.quick, err = c.Compile(quickly); err != nil {
		return nil, fmt.Errorf("%v", err)
	}
	return result, nil
}

// loader stands between the compiler and the world: a $ref leads to a model, or nowhere.
type loader struct{ models *Models }

// Load implements jsonschema.URLLoader.
func (l loader) Load(url string) (any, error) {
	rest, ok := strings.CutPrefix(url, modelsURL)
	id, name, named := strings.Cut(rest, "/models/")
	if !ok || !named {
		return nil, errors.New("want a model of this API, as nothing is fetched")
	}
	if want := l.models.config.APIID; want != "" && id != want {
		return nil, fmt.Errorf("want a model of this API, %s", want)
	}
	doc, ok := l.models.docs[name]
	if !ok {
		return nil, errors.New("there is no such model")
	}
	return doc, nil
}

// do calls f with a compiled form of s that nobody else uses the patterns of. The error is
// errPatternBudget if they took too long.
func (s *schema) do(f func(*compiled)) (err error) {
	if s.shared != nil {
		f(s.shared)
		return nil
	}
	c := s.pool.Get().(*compiled)
	c.patterns.left = s.budget
	defer func() {
		s.pool.Put(c)
		if p := recover(); p == errPatternBudget {
			err = errPatternBudget
		} else if p != nil {
			panic(p)
		}
	}()
	f(c)
	return nil
}

// valid reports whether value is what the model says.
func (s *schema) valid(value any) (ok bool, err error) {
	err = s.do(func(c *compiled) { ok = c.quick.Validate(value) == nil })
	return ok, err
}

// mistakes returns what is wrong with value.
func (s *schema) mistakes(value any) (found *jsonschema.ValidationError) {
	if err := s.do(func(c *compiled) {
		if err := c.detailed.Validate(value); err != nil {
			found, _ = err.(*jsonschema.ValidationError)
		}
	}); err != nil {
		return nil
	}
	return found
}
