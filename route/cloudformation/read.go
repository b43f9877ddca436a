package cloudformation

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/route/definition"
)

// Read reads a template, or a cloud assembly, whose name is that of its manifest.json or of the
// folder with it (cdk.out). All APIs of all its stacks are in one document.
//
// The error is of what isn't readable, of an OpenAPI document that the managed gateway would
// refuse, of a SAM template that isn't valid, of a resource whose type is missing or misspelled, or
// of a parameter without a value that a route, an authorizer or a key needs; it names what is to
// blame. What else can't be known or isn't covered is in the document's Findings, and refuses to be
// served where it is needed.
//
// Read opens files of fsys alone, and no connections. fsys should not lead out of its root:
// os.Root.FS doesn't, os.DirFS follows links. A template of more than 8 MB, nested deeper than 100,
// with more than 400,000 values, an import of more than 200 stacks, or one whose evaluation takes
// more than a million steps, is refused.
func Read(fsys fs.FS, name string, o Options) (*definition.Document, error) {
	return read(fsys, &o, func(i *importer) error { return i.open(path.Clean(name)) })
}

// ReadText reads a template that is in no file: name is what findings call it. Of files that it
// names there is none. Otherwise it is as [Read].
func ReadText(text []byte, name string, o Options) (*definition.Document, error) {
	return read(noFiles{}, &o, func(i *importer) error { return i.template(name, text) })
}

type noFiles struct{}

func (noFiles) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

func read(fsys fs.FS, o *Options, open func(*importer) error) (*definition.Document, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	i := &importer{o: o, fsys: fsys, handed: map[string]*resource{}, ids: map[string]bool{},
		madeUp: map[string]string{}, seen: map[definition.Finding]bool{}, unknowns: map[string]definition.Origin{},
		missing: map[string]bool{}, meant: map[string]string{}}
	if err := open(i); err != nil {
		return nil, err
	}
	i.settle()
	doc := i.build()
	if i.tooLarge {
		return nil, errTooLarge
	}
	if err := i.finish(doc); err != nil {
		return nil, err
	}
	return doc, nil
}

// open reads what the import's name is of.
func (i *importer) open(name string) error {
	info, err := fs.Stat(i.fsys, name)
	if err != nil {
		return fmt.Errorf("cloudformation: %w", err)
	}
	if info.IsDir() {
		name = path.Join(name, manifestName)
	}
	text, err := i.file(name)
	if err != nil {
		return fmt.Errorf("cloudformation: %w", err)
	}
	if path.Base(name) == manifestName && bytes.Contains(text, []byte(`"artifacts"`)) {
		return i.assembly(name, text, 0)
	}
	return i.template(name, text)
}

// template reads a template that is the import's own.
func (i *importer) template(name string, text []byte) error {
	t, err := i.parseTemplate(name, text)
	if err != nil {
		return err
	}
	return i.addStack(&stack{importer: i, t: t, name: i.o.stack(), account: i.o.account(), region: i.o.region()})
}

// file reads a file of the import.
func (i *importer) file(name string) ([]byte, error) {
	if !fs.ValidPath(name) {
		return nil, fmt.Errorf("%.200s: want a file below the root", name)
	}
	info, err := fs.Stat(i.fsys, name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() || info.Size() > maxBytes {
		return nil, fmt.Errorf("%s: want a file of at most %d bytes", name, maxBytes)
	}
	text, err := fs.ReadFile(i.fsys, name)
	if i.fileBytes += len(text); i.fileBytes > maxFileBytes {
		i.tooLarge = true
		return nil, errTooLarge
	}
	return text, err
}

// addStack translates, expands and loads a stack, and those that are nested in it.
func (i *importer) addStack(s *stack) error {
	if len(i.stacks) >= maxStacks {
		return fmt.Errorf("cloudformation: want at most %d stacks", maxStacks)
	}
	s.parameters, s.outputs = map[string]*doctree.Node{}, map[string]*doctree.Node{}
	s.resources, s.conditions = map[string]*resource{}, map[string]*truth{}
	i.stacks = append(i.stacks, s)
	transforms := s.t.transforms()
	s.language = slices.Contains(transforms, transformLanguage)
	line := 0
	if at := s.t.root.Get("Transform"); at != nil {
		line = at.Line
	}
	for _, name := range transforms {
		switch {
		case name == transformSAM, name == transformLanguage, name == transformInclude, name == transformBlueGreen,
			strings.HasPrefix(name, transformSecrets):
		default:
			i.note(definition.Finding{Severity: definition.Unsupported, What: "the macro " + name + " isn't run here",
				Do:     "give the template as the macro leaves it",
				Origin: definition.Origin{Template: s.t.file, Line: line}})
		}
	}
	if err := s.sections(); err != nil {
		return err
	}
	if s.t.isSAM() {
		if err := s.translate(); err != nil {
			return err
		}
	}
	s.load()
	for _, r := range s.order {
		if r.kind == nestedStack && r.lives() {
			if err := i.nested(s, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// translate makes a CloudFormation template of a SAM template, which is given the parameters'
// values.
func (s *stack) translate() error {
	s.t.given = map[string]*doctree.Node{}
	for _, m := range members(s.t.root.Get("Parameters")) {
		if v := s.givenParameter(m.Name); v != nil {
			s.t.given[m.Name] = v
		}
	}
	o := *s.o
	o.Stack, o.Account, o.Region = s.name, s.account, s.region
	t, err := translateSAM(s.t, o, s.note)
	if err != nil {
		return err // which names the file, with lines
	}
	s.t = t
	return nil
}

// nested reads the template of a nested stack.
func (i *importer) nested(parent *stack, r *resource) error {
	if parent.level+1 > maxNested {
		return fmt.Errorf("cloudformation: %s: want at most %d levels of nested stacks", r.id, maxNested)
	}
	file, err := parent.nestedFile(r)
	var text []byte
	if err == nil {
		text, err = i.file(file)
	}
	if err != nil {
		if errors.Is(err, errTooLarge) {
			return err
		}
		r.note(definition.Unsupported, "give the template's file by Options.Files",
			"the template of the nested stack %s isn't here: %v", r.id, err)
		return nil
	}
	t, err := i.parseTemplate(file, text)
	if err != nil {
		return err
	}
	child := &stack{importer: i, t: t, name: parent.name + "-" + r.logical, prefix: r.id + "/",
		account: parent.account, region: parent.region, level: parent.level + 1, assets: parent.assets, of: r}
	r.child = child
	return i.addStack(child)
}

// parameterFor is what a nested stack gives a parameter of its template. Each is evaluated by
// itself: one may be an output of another nested stack, to which this one gives something.
func (r *resource) parameterFor(name string) *doctree.Node {
	from := r.properties.Get("Parameters").Get(name)
	if from == nil {
		return nil
	}
	key := "Parameters." + name
	if v, ok := r.values[key]; ok {
		return v
	}
	if r.evaluating[key] {
		return r.stack.fault(from.Line, "circular dependency: the parameter %s of %s refers to itself", name, r.id)
	}
	r.evaluating[key] = true
	r.stack.enter(r, func() { r.values[key] = r.stack.eval(from) })
	delete(r.evaluating, key)
	return r.values[key]
}

// finish adds what is known only when all is made, and returns the errors.
func (i *importer) finish(doc *definition.Document) error {
	if err := i.reportUnknown(doc); err != nil {
		i.errs = append(i.errs, err)
	}
	i.functionCode(doc)
	doc.Findings = append(i.findings, i.withoutUse()...)
	var masks []string
	for _, secret := range i.secrets {
		masks = append(masks, secret, "****")
	}
	mask := strings.NewReplacer(masks...)
	for k := range doc.Findings {
		doc.Findings[k].What = mask.Replace(doc.Findings[k].What)
	}
	slices.SortStableFunc(doc.Findings, func(a, b definition.Finding) int {
		return cmp.Or(cmp.Compare(a.Origin.Template, b.Origin.Template), cmp.Compare(a.Origin.Line, b.Origin.Line))
	})
	return errors.Join(i.errs...)
}
