package cloudformation

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/route/definition"
)

const manifestName = "manifest.json"

// manifest is that of a cloud assembly. (CDK, cloud-assembly-schema.)
type manifest struct {
	Artifacts map[string]artifact `json:"artifacts"`
}

type artifact struct {
	Type        string `json:"type"`
	Environment string `json:"environment"` // aws://ACCOUNT/REGION
	Properties  struct {
		TemplateFile  string            `json:"templateFile"`
		StackName     string            `json:"stackName"`
		Parameters    map[string]string `json:"parameters"`
		File          string            `json:"file"`
		DirectoryName string            `json:"directoryName"`
	} `json:"properties"`
}

// assets are the files that an assembly uploads, by the hash that they have as their name there.
type assets struct {
	folder string
	files  map[string]string
}

// assembly reads the stacks of a cloud assembly, and of those within it (the CDK's stages).
func (i *importer) assembly(name string, text []byte, level int) error {
	var m manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return fmt.Errorf("cloudformation: %s: %w", name, err)
	}
	if level > maxNested {
		return fmt.Errorf("cloudformation: %s: want at most %d levels of cloud assemblies", name, maxNested)
	}
	folder := path.Dir(name)
	a := &assets{folder: folder, files: map[string]string{}}
	for _, id := range sorted(m.Artifacts) {
		if one := m.Artifacts[id]; one.Type == "cdk:asset-manifest" {
			if err := i.assetManifest(a, path.Join(folder, one.Properties.File)); err != nil {
				return err
			}
		}
	}
	for _, id := range sorted(m.Artifacts) {
		switch one := m.Artifacts[id]; one.Type {
		case "aws:cloudformation:stack":
			if err := i.artifact(id, &one, a); err != nil {
				return err
			}
		case "cdk:cloud-assembly":
			inner := path.Join(folder, one.Properties.DirectoryName, manifestName)
			text, err := i.file(inner)
			if err != nil {
				return fmt.Errorf("cloudformation: %s: %w", id, err)
			}
			if err := i.assembly(inner, text, level+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// artifact reads one stack.
func (i *importer) artifact(id string, one *artifact, a *assets) error {
	file := path.Join(a.folder, one.Properties.TemplateFile)
	text, err := i.file(file)
	if err != nil {
		return fmt.Errorf("cloudformation: the stack %s: %w", id, err)
	}
	t, err := i.parseTemplate(file, text)
	if err != nil {
		return err
	}
	s := &stack{importer: i, t: t, name: id, account: i.o.account(), region: i.o.region(), assets: a}
	if one.Properties.StackName != "" {
		s.name = one.Properties.StackName
	}
	account, region, _ := strings.Cut(strings.TrimPrefix(one.Environment, "aws://"), "/")
	if accounts.MatchString(account) {
		s.account = account
	}
	if regions.MatchString(region) {
		s.region = region
	}
	t.given = map[string]*doctree.Node{}
	for name, v := range one.Properties.Parameters {
		t.given[name] = textNode(0, v)
	}
	return i.addStack(s)
}

func (i *importer) assetManifest(a *assets, name string) error {
	text, err := i.file(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // an assembly without its assets is still one of templates
	}
	if err != nil {
		return fmt.Errorf("cloudformation: %w", err)
	}
	var m struct {
		Files map[string]struct {
			Source struct {
				Path string `json:"path"`
			} `json:"source"`
		} `json:"files"`
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return fmt.Errorf("cloudformation: %s: %w", name, err)
	}
	for hash, f := range m.Files {
		if f.Source.Path != "" {
			a.files[hash] = path.Join(a.folder, f.Source.Path)
		}
	}
	return nil
}

// fileAt is the file of the import that a location means: what the options say, an asset of the
// assembly by its hash, or a file beside the template.
func (s *stack) fileAt(location string) (string, error) {
	if file, ok := s.o.Files[location]; ok {
		return path.Clean(file), nil
	}
	if s.assets != nil {
		base := path.Base(location)
		hash, _, _ := strings.Cut(base, ".")
		if file, ok := s.assets.files[hash]; ok {
			return file, nil
		}
	}
	if strings.Contains(location, "://") || strings.HasPrefix(location, "arn:") || location == "" {
		return "", fmt.Errorf("%.200q is no file of the import", location)
	}
	return path.Join(path.Dir(s.t.file), location), nil
}

// nestedFile is the file with a nested stack's template.
func (s *stack) nestedFile(r *resource) (string, error) {
	if at := r.node.Get("Metadata").Get("aws:asset:path"); at != nil && scalar(at) != "" {
		return path.Join(path.Dir(s.t.file), at.Text), nil
	}
	location := r.text("TemplateURL")
	if file := s.uploaded(location); file != "" {
		r.note(definition.Warning, "name another by Options.Files, if it isn't that",
			"the template of the nested stack %s is taken to be %s", r.id, file)
		return file, nil
	}
	if name, unknown := definition.UnknownIn(location); unknown {
		return "", fmt.Errorf("%s isn't known", name)
	}
	return s.fileAt(location)
}

// uploaded is the file of the import that a template in a bucket was uploaded from, to go by its
// key: of the key's last segments as many as there are, beside the template or at the root. "" is
// none. The bucket's name needn't be known.
func (s *stack) uploaded(location string) string {
	_, rest, ok := strings.Cut(location, "://")
	if _, given := s.o.Files[location]; given || !ok {
		return ""
	}
	if s.assets != nil && s.assets.files[strings.TrimSuffix(path.Base(location), path.Ext(location))] != "" {
		return ""
	}
	rest, _, _ = strings.Cut(rest, "?")
	_, key, _ := strings.Cut(rest, "/")
	for range maxNested {
		if key == "" {
			break
		}
		for _, folder := range []string{path.Dir(s.t.file), "."} {
			file := path.Join(folder, key)
			if info, err := fs.Stat(s.fsys, file); fs.ValidPath(key) && err == nil && !info.IsDir() {
				return file
			}
		}
		_, key, _ = strings.Cut(key, "/")
	}
	return ""
}

// parseFile reads a file that is put into a template, or that is an API's document.
func (s *stack) parseFile(name string) (*doctree.Node, error) {
	text, err := s.file(name)
	if err != nil {
		return nil, err
	}
	tree, err := doctree.Parse(text, doctree.Limits{Bytes: maxBytes, Depth: maxDepth, Values: maxValues})
	if err != nil {
		return nil, err
	}
	s.steps += len(text) / 8 // about what it has of values
	return spellOut(tree)
}
