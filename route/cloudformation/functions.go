package cloudformation

import (
	"encoding/base64"
	"net/netip"
	"strconv"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/route/definition"
)

// sub is Fn::Sub: a text, or a text and a map of values that go before the template's.
func (s *stack) sub(argument *doctree.Node, line int) *doctree.Node {
	pattern, own := argument, (*doctree.Node)(nil)
	if argument.Kind == doctree.List && len(argument.Items) == 2 {
		pattern, own = argument.Items[0], argument.Items[1]
	}
	if pattern.Kind != doctree.Text {
		return s.fault(line, "Fn::Sub: want a text")
	}
	text := pattern.Text // whose dynamic references may have variables in them
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${")
		b.WriteString(before)
		name, after, closed := strings.Cut(rest, "}")
		if !found || !closed {
			b.WriteString(text[len(before):])
			return s.made(line, b.String())
		}
		text = after
		if literal, ok := strings.CutPrefix(name, "!"); ok {
			b.WriteString("${" + literal + "}")
			continue
		}
		b.WriteString(s.substituted(strings.TrimSpace(name), own, line))
	}
}

// substituted is what stands for ${name}.
func (s *stack) substituted(name string, own *doctree.Node, line int) string {
	var v *doctree.Node
	switch id, attribute, dotted := strings.Cut(name, "."); {
	case own.Get(name) != nil:
		v = s.eval(own.Get(name))
	case dotted:
		v = s.attributeOf(id, attribute, line)
	default:
		v = s.ref(name, line)
	}
	if v == nil {
		return "" // AWS::NoValue
	}
	if v.Kind == doctree.List || v.Kind == doctree.Map {
		return s.fault(line, "Fn::Sub: want a text for ${%.100s}", name).Text
	}
	return v.Text
}

// join is Fn::Join: a delimiter, and a list of texts.
func (s *stack) join(argument *doctree.Node, line int) *doctree.Node {
	if argument.Kind != doctree.List || len(argument.Items) != 2 {
		return s.fault(line, "Fn::Join: want a delimiter and a list")
	}
	delimiter, _ := s.word(argument.Items[0], "Fn::Join")
	list := s.eval(argument.Items[1])
	if list == nil || list.Kind == doctree.Map {
		return s.fault(line, "Fn::Join: want a list of texts")
	}
	if list.Kind != doctree.List {
		if _, unknown := definition.UnknownIn(list.Text); unknown {
			return textNode(line, list.Text) // a list that only a deployment knows
		}
		return s.fault(line, "Fn::Join: want a list of texts")
	}
	size := 0
	parts := make([]string, 0, len(list.Items))
	for _, item := range list.Items {
		if item.Kind == doctree.List || item.Kind == doctree.Map {
			return s.fault(line, "Fn::Join: want a list of texts")
		}
		parts = append(parts, item.Text)
		size += len(item.Text) + len(delimiter)
	}
	if s.textBytes+size > maxTextBytes {
		s.tooLarge = true
		return textNode(line, "")
	}
	return s.made(line, strings.Join(parts, delimiter))
}

// split is Fn::Split. The mark of an unknown value is never taken apart.
func (s *stack) split(argument *doctree.Node, line int) *doctree.Node {
	if argument.Kind != doctree.List || len(argument.Items) != 2 {
		return s.fault(line, "Fn::Split: want a delimiter and a text")
	}
	delimiter, _ := s.word(argument.Items[0], "Fn::Split")
	text, _ := s.word(argument.Items[1], "Fn::Split")
	if delimiter == "" {
		return s.fault(line, "Fn::Split: want a delimiter that isn't empty")
	}
	if s.steps += strings.Count(text, delimiter); s.steps > maxSteps {
		s.tooLarge = true
		return textNode(line, "")
	}
	out := &doctree.Node{Kind: doctree.List, Line: line}
	start, from := 0, 0 // of the part, and where its end is looked for
	mark, begin := nextUnknown(text)
	for {
		at := strings.Index(text[from:], delimiter)
		switch {
		case mark != "" && (at < 0 || begin <= from+at):
			from = begin + len(mark)
			mark, begin = nextUnknown(text[from:])
			begin += from
		case at < 0:
			out.Items = append(out.Items, textNode(line, text[start:]))
			return out
		default:
			out.Items = append(out.Items, textNode(line, text[start:from+at]))
			from += at + len(delimiter)
			start = from
		}
	}
}

// nextUnknown is the first mark of a text, and where it begins.
func nextUnknown(text string) (mark string, begin int) {
	name, ok := definition.UnknownIn(text)
	if !ok {
		return "", 0
	}
	mark = definition.Unknown(name)
	if begin = strings.Index(text, mark); begin < 0 { // a name with a bracket in it
		return text, 0
	}
	return mark, begin
}

// selected is Fn::Select: an index, which may be text, and a list.
func (s *stack) selected(argument *doctree.Node, line int) *doctree.Node {
	if argument.Kind != doctree.List || len(argument.Items) != 2 {
		return s.fault(line, "Fn::Select: want an index and a list")
	}
	index, _ := s.word(argument.Items[0], "Fn::Select")
	list := s.eval(argument.Items[1])
	if name, unknown := definition.UnknownIn(index); unknown {
		return textNode(line, definition.Unknown(name))
	}
	if name, unknown := definition.UnknownIn(scalar(list)); unknown {
		return textNode(line, definition.Unknown(name))
	}
	at, err := strconv.Atoi(index)
	if list == nil || list.Kind != doctree.List || err != nil {
		return s.fault(line, "Fn::Select: want an index and a list")
	}
	if at >= 0 && at < len(list.Items) {
		return list.Items[at]
	}
	for _, item := range list.Items { // a text whose parts only a deployment knows
		if name, unknown := definition.UnknownIn(scalar(item)); unknown {
			return textNode(line, definition.Unknown(name))
		}
	}
	return s.fault(line, "Fn::Select: the index %d is out of the range of %d values", at, len(list.Items))
}

// chosen is Fn::If.
func (s *stack) chosen(argument *doctree.Node, line int) *doctree.Node {
	if argument.Kind != doctree.List || len(argument.Items) != 3 {
		return s.fault(line, "Fn::If: want a condition and two values")
	}
	c := s.decide(mapNode(line, "Condition", argument.Items[0]))
	switch {
	case c.unknown != "":
		return s.unknown(c.unknown, line)
	case c.yes:
		return s.eval(argument.Items[1])
	}
	return s.eval(argument.Items[2])
}

// findInMap is Fn::FindInMap: three keys, and with the language's extensions a DefaultValue.
func (s *stack) findInMap(argument *doctree.Node, line int) *doctree.Node {
	if argument.Kind != doctree.List || len(argument.Items) < 3 || len(argument.Items) > 4 {
		return s.fault(line, "Fn::FindInMap: want a map and two keys")
	}
	at := s.t.root.Get("Mappings")
	var keys []string
	for _, item := range argument.Items[:3] {
		key, _ := s.word(item, "Fn::FindInMap")
		if name, unknown := definition.UnknownIn(key); unknown {
			return textNode(line, definition.Unknown(name))
		}
		keys = append(keys, key)
		at = at.Get(written(key, func(word string) bool { return at.Get(word) != nil }))
	}
	if at != nil {
		return s.eval(at)
	}
	if len(argument.Items) == 4 {
		if other := argument.Items[3].Get("DefaultValue"); other != nil && s.language {
			return s.eval(other)
		}
	}
	return s.fault(line, "Fn::FindInMap: the mappings have no %.200q", strings.Join(keys, "/"))
}

func (s *stack) base64(argument *doctree.Node, line int) *doctree.Node {
	text, _ := s.word(argument, "Fn::Base64")
	if name, unknown := definition.UnknownIn(text); unknown {
		return textNode(line, definition.Unknown(name))
	}
	return s.made(line, base64.StdEncoding.EncodeToString([]byte(text)))
}

// cidr is Fn::Cidr: so many blocks of so many bits out of one.
func (s *stack) cidr(argument *doctree.Node, line int) *doctree.Node {
	if argument.Kind != doctree.List || len(argument.Items) < 2 {
		return s.fault(line, "Fn::Cidr: want a block, a count and bits")
	}
	block, _ := s.word(argument.Items[0], "Fn::Cidr")
	if name, unknown := definition.UnknownIn(block); unknown {
		return textNode(line, definition.Unknown(name))
	}
	count, _ := s.word(argument.Items[1], "Fn::Cidr")
	bits := "8"
	if len(argument.Items) > 2 {
		bits, _ = s.word(argument.Items[2], "Fn::Cidr")
	}
	prefix, err := netip.ParsePrefix(block)
	n, err2 := strconv.Atoi(count)
	host, err3 := strconv.Atoi(bits)
	if err != nil || err2 != nil || err3 != nil || n < 1 || n > 256 || host < 1 || host > 128 {
		return s.fault(line, "Fn::Cidr: want a block, a count from 1 to 256, and bits")
	}
	address := prefix.Masked().Addr()
	out := &doctree.Node{Kind: doctree.List, Line: line}
	for range n {
		out.Items = append(out.Items, textNode(line, address.String()+"/"+strconv.Itoa(address.BitLen()-host)))
		address = plus(address, host)
	}
	return out
}

// plus adds two to the power of bits to an address, and begins at zero again behind the last.
func plus(a netip.Addr, bits int) netip.Addr {
	octets := a.AsSlice()
	at, carry := len(octets)-1-bits/8, 1<<(bits%8)
	for ; at >= 0 && carry > 0; at-- {
		carry += int(octets[at])
		octets[at], carry = byte(carry), carry>>8
	}
	next, _ := netip.AddrFromSlice(octets)
	return next
}

// zones is Fn::GetAZs: three, whose names are made up in the region's form.
func (s *stack) zones(argument *doctree.Node, line int) *doctree.Node {
	region, _ := s.word(argument, "Fn::GetAZs")
	if region == "" {
		region = s.region
	}
	return listNode(line, textNode(line, region+"a"), textNode(line, region+"b"), textNode(line, region+"c"))
}

func (s *stack) toJSON(argument *doctree.Node, line int) *doctree.Node {
	if !s.language {
		return s.fault(line, "Fn::ToJsonString is for templates with the transform %s", transformLanguage)
	}
	v := s.eval(argument)
	if v == nil || s.tooLarge {
		return nil
	}
	return s.made(line, string(v.AppendJSON(nil)))
}

func (s *stack) length(argument *doctree.Node, line int) *doctree.Node {
	if !s.language {
		return s.fault(line, "Fn::Length is for templates with the transform %s", transformLanguage)
	}
	v := s.eval(argument)
	if name, unknown := definition.UnknownIn(scalar(v)); unknown {
		return textNode(line, definition.Unknown(name))
	}
	if v == nil || v.Kind != doctree.List {
		return s.fault(line, "Fn::Length: want a list")
	}
	return &doctree.Node{Kind: doctree.Number, Line: line, Text: strconv.Itoa(len(v.Items))}
}

// included is a map with what its Fn::Transform puts in its place: the file of an AWS::Include.
// What stands beside it stays.
func (s *stack) included(n *doctree.Node) *doctree.Node {
	transform := n.Get("Fn::Transform")
	if transform == nil {
		return n
	}
	name, location := transform.Get("Name"), transform.Get("Parameters").Get("Location")
	if scalar(name) != transformInclude || location == nil {
		return s.fault(n.Line, "the macro %.60q isn't run here", scalar(name))
	}
	at, _ := s.word(location, transformInclude)
	if name, unknown := definition.UnknownIn(at); unknown {
		return s.unknown(name, n.Line)
	}
	from, err := s.fileAt(at)
	if err != nil {
		return s.unknown("the file "+at, n.Line)
	}
	tree, err := s.parseFile(from)
	if err != nil || tree.Kind != doctree.Map {
		return s.fault(n.Line, "%s: the file %.200s is no map, or can't be read", transformInclude, from)
	}
	for _, m := range n.Members {
		if m.Name != "Fn::Transform" {
			tree.Set(m.Name, m.Value)
		}
	}
	return s.includedAgain(tree)
}

// includedAgain follows includes of includes, so many as evaluation may be deep.
func (s *stack) includedAgain(tree *doctree.Node) *doctree.Node {
	s.deep++
	defer func() { s.deep-- }()
	if s.deep > maxDeep {
		s.tooLarge = true
		return textNode(tree.Line, "")
	}
	return s.included(tree)
}
