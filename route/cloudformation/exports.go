package cloudformation

import (
	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/route/definition"
)

// importValue is Fn::ImportValue: an export of another stack of this import, or one of the
// options'.
func (s *stack) importValue(argument *doctree.Node, line int) *doctree.Node {
	name, _ := s.word(argument, "Fn::ImportValue")
	if unknown, ok := definition.UnknownIn(name); ok {
		return textNode(line, definition.Unknown(unknown))
	}
	if v := s.exported(name); v != nil {
		return v
	}
	if v, ok := s.o.Exports[name]; ok {
		return textNode(line, v)
	}
	return s.unknown("export "+name, line)
}

// export is an output that other stacks import.
type export struct {
	stack  *stack
	output string
}

// exported is the value of an export of the stack's own account and region, or of the only one of
// that name: a stack may be for any environment.
func (s *stack) exported(name string) *doctree.Node {
	if s.exports == nil {
		s.readExports()
	}
	all := s.exports[name]
	for _, e := range all {
		if e.stack.account == s.account && e.stack.region == s.region {
			return e.stack.output(e.output)
		}
	}
	if len(all) == 1 {
		return all[0].stack.output(all[0].output)
	}
	return nil
}

func (i *importer) readExports() {
	i.exports = map[string][]*export{}
	for _, s := range i.stacks {
		for _, m := range members(s.t.root.Get("Outputs")) {
			if e := m.Value.Get("Export").Get("Name"); e != nil && s.outputLives(m.Value) {
				if text := scalar(s.eval(e)); text != "" {
					i.exports[text] = append(i.exports[text], &export{s, m.Name})
				}
			}
		}
	}
}

func (s *stack) outputLives(output *doctree.Node) bool {
	c := output.Get("Condition")
	if c == nil {
		return true
	}
	decided := s.condition(c.Text, c.Line)
	return decided.yes || decided.unknown != ""
}

// output is the value of an output, or nil where there is none.
func (s *stack) output(name string) *doctree.Node {
	if v, ok := s.outputs[name]; ok {
		return v
	}
	from := s.t.root.Get("Outputs").Get(name)
	if from == nil || from.Get("Value") == nil || !s.outputLives(from) {
		return nil
	}
	s.outputs[name] = textNode(from.Line, definition.Unknown("the output "+s.prefix+name+", which refers to itself"))
	v := s.eval(from.Get("Value"))
	s.outputs[name] = v
	return v
}
