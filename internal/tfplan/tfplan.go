// Package tfplan reads what `terraform show -json` prints of a plan or a state: the resources of
// all modules, with what isn't known of them before apply, and which resource that comes from.
// (Terraform documentation, "JSON Output Format".)
package tfplan

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/strictjson"
)

// The bounds of a plan.
const (
	MaxBytes = 32 << 20
	maxDepth = 100
)

// shown is what is printed, as far as it is read.
type shown struct {
	Format        string `json:"format_version"`
	Errored       bool   `json:"errored"`
	Complete      *bool  `json:"complete"`
	Deferred      []any  `json:"deferred_changes"`
	Values        values `json:"values"`
	Planned       values `json:"planned_values"`
	Configuration struct {
		Root *configModule `json:"root_module"`
	} `json:"configuration"`
	Changes []struct {
		Address string `json:"address"`
		Change  struct {
			Unknown map[string]any `json:"after_unknown"`
		} `json:"change"`
	} `json:"resource_changes"`
}

type values struct {
	Root *module `json:"root_module"`
}

// module is an instance of a module, with what the configuration has of it.
type module struct {
	Address   string      `json:"address"`
	Resources []*Resource `json:"resources"`
	Children  []*module   `json:"child_modules"`

	plan   *Plan
	parent *module
	call   *moduleCall // nil: the root's, or not known
	config *configModule
}

type moduleCall struct {
	Expressions map[string]any `json:"expressions"`
	Module      *configModule  `json:"module"`
}

type configModule struct {
	Resources []*configResource      `json:"resources"`
	Calls     map[string]*moduleCall `json:"module_calls"`
	Outputs   map[string]struct {
		Expression any `json:"expression"`
	} `json:"outputs"`
}

type configResource struct {
	Address     string         `json:"address"`
	Expressions map[string]any `json:"expressions"`
	ForEach     any            `json:"for_each_expression"`
}

// Plan is a plan or a state.
type Plan struct {
	byAddress map[string]*Resource
	steps     int // of all searches for sources
}

// Resource is an instance of a managed resource.
type Resource struct {
	// Address is as Terraform writes it: module.api["a"].aws_lambda_function.list[0].
	Address string `json:"address"`
	Mode    string `json:"mode"`
	Type    string `json:"type"`
	Name    string `json:"name"`
	// Values are those that are known. Numbers are [json.Number].
	Values map[string]any `json:"values"`

	in      *module
	config  *configResource // nil: not known
	unknown map[string]any
}

// Parse reads a plan or a state in format 1. The error is also of a plan that failed or isn't
// complete, since what it lacks may protect what it has.
func Parse(text []byte) (*Plan, error) {
	if len(text) > MaxBytes {
		return nil, fmt.Errorf("want at most %d bytes, got %d", MaxBytes, len(text))
	}
	if err := strictjson.Object(text, maxDepth, func(string, []byte) error { return nil }); err != nil {
		return nil, err
	}
	s, d := &shown{}, json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(s); err != nil {
		return nil, err
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	p := &Plan{byAddress: map[string]*Resource{}}
	root := cmp.Or(s.Planned.Root, s.Values.Root)
	root.config = s.Configuration.Root
	if err := p.walk(root); err != nil {
		return nil, err
	}
	for _, c := range s.Changes {
		if r := p.byAddress[c.Address]; r != nil {
			r.unknown = c.Change.Unknown
		}
	}
	return p, nil
}

func (s *shown) check() error {
	major, _, _ := strings.Cut(s.Format, ".")
	switch {
	case major != "1":
		return fmt.Errorf("want what terraform show -json prints, with a format_version of 1, got %.20q", s.Format)
	case s.Errored:
		return errors.New("the plan failed, and lacks what it didn't come to")
	case s.Complete != nil && !*s.Complete || len(s.Deferred) > 0:
		return errors.New("the plan isn't complete: plan without -target and deferred changes, or show the state")
	case s.Planned.Root == nil && s.Values.Root == nil:
		return errors.New("want planned_values or values with a root_module")
	}
	return nil
}

// walk finds the resources, and the configuration of each.
func (p *Plan) walk(m *module) error {
	m.plan = p
	configured := map[string]*configResource{}
	if m.config != nil {
		for _, c := range m.config.Resources {
			if c != nil {
				configured[c.Address] = c
			}
		}
	}
	for _, r := range m.Resources {
		if r == nil || r.Mode == "data" {
			continue
		}
		if p.byAddress[r.Address] != nil || r.Address == "" {
			return fmt.Errorf("want resources with addresses of their own, got two of %.100q", r.Address)
		}
		r.in = m
		p.byAddress[r.Address] = r
		r.config = configured[r.Type+"."+r.Name]
	}
	for _, child := range m.Children {
		if child == nil {
			continue
		}
		if child.parent = m; m.config != nil {
			child.call = m.config.Calls[strings.TrimPrefix(withoutIndex(child.Address), m.below("module."))]
		}
		if child.call != nil {
			child.config = child.call.Module
		}
		if err := p.walk(child); err != nil {
			return err
		}
	}
	return nil
}

func (m *module) below(name string) string { return strings.TrimPrefix(m.Address+"."+name, ".") }

// withoutIndex is an address without the index of its last part.
func withoutIndex(address string) string {
	if at := strings.LastIndex(address, "["); at > 0 && strings.HasSuffix(address, "]") {
		return address[:at]
	}
	return address
}

// Resources are those of all modules, by address.
func (p *Plan) Resources() []*Resource {
	return slices.SortedFunc(maps.Values(p.byAddress), func(a, b *Resource) int {
		return strings.Compare(a.Address, b.Address)
	})
}
