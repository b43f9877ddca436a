package cloudformation

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/route/definition"
)

// handOut is what Ref (an empty attribute) or Fn::GetAtt gives of a resource: stable, since it is
// made up of the names of stack and resource, and in the service's form. What can't be known is
// unknown.
func (s *stack) handOut(r *resource, attribute string, line int) *doctree.Node {
	key := r.id
	if attribute != "" {
		key += "." + attribute
	}
	if text, ok := s.o.Attributes[key]; ok {
		s.handed[text] = r
		return textNode(line, text)
	}
	if name, ok := strings.CutPrefix(attribute, "Outputs."); ok && r.kind == nestedStack {
		return s.nestedOutput(r, name, line)
	}
	pattern, ok := r.pattern(attribute)
	if !ok {
		return s.unknown(key, line)
	}
	text := r.fill(pattern)
	for _, own := range []string{"arn:", "{id:", "{ref}", "{alnum:", "{listener}", "{function}:"} {
		if strings.Contains(pattern, own) { // the form is of this resource alone
			s.handed[text] = r
		}
	}
	return s.made(line, text)
}

func (s *stack) nestedOutput(r *resource, name string, line int) *doctree.Node {
	if r.child == nil {
		return s.unknown(r.id+".Outputs."+name, line)
	}
	if v := r.child.output(name); v != nil {
		return v
	}
	return s.fault(line, "the nested stack %s has no output %.100s", r.id, name)
}

// pattern is the form of what a resource gives. It is false of what can't be known.
func (r *resource) pattern(attribute string) (string, bool) {
	switch {
	case r.kind == customResource || strings.HasPrefix(r.kind, "Custom::"):
		return "", false
	case r.kind == lambdaAlias || r.kind == lambdaVersion:
		return r.qualified(attribute)
	case r.kind == nestedStack && attribute == "":
		return "arn:{P}:cloudformation:{R}:{A}:stack/{name}/{uuid}", true
	case r.kind == "AWS::ApiGatewayV2::Api" && attribute == "ApiEndpoint" && r.webSocket():
		return "wss://{ref}.execute-api.{R}.{U}", true
	}
	known := shapes[r.kind]
	if attribute == "" {
		if known.ref != "" {
			return known.ref, true
		}
		return "{name}", true
	}
	if pattern, ok := known.attributes[attribute]; ok {
		return pattern, pattern != "?"
	}
	service, ok := strings.CutPrefix(r.kind, "AWS::")
	if !ok {
		return "", false
	}
	service, _, _ = strings.Cut(strings.ToLower(service), "::")
	switch {
	case strings.HasSuffix(attribute, "Arn"):
		return "arn:{P}:" + service + ":{R}:{A}:{name}", true
	case attribute == "Name":
		return "{name}", true
	}
	return "", false
}

func (r *resource) webSocket() bool {
	return strings.EqualFold(r.text("ProtocolType"), definition.FlavorWebSocket)
}

// qualified is what aliases and versions give: a function's ARN with a qualifier behind it.
func (r *resource) qualified(attribute string) (string, bool) {
	qualifier := "1"
	if r.kind == lambdaAlias {
		qualifier = r.text("Name")
	}
	switch attribute {
	case "", "AliasArn":
		return "{function}:" + qualifier, true
	case "FunctionArn":
		if r.kind == lambdaVersion {
			return "{function}:" + qualifier, true
		}
		return "{function}", true
	case "Version":
		return qualifier, true
	case "FunctionVersion":
		return "{=FunctionVersion}", true
	}
	return "", false
}

// fill fills a pattern in.
func (r *resource) fill(pattern string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(pattern, "{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		word, after, _ := strings.Cut(rest, "}")
		b.WriteString(r.word(word))
		pattern = after
	}
}

func (r *resource) word(word string) string {
	s := r.stack
	switch word {
	case "P":
		return partition(s.region)
	case "R":
		return s.region
	case "A":
		return s.account
	case "U":
		return suffix(s.region)
	case "name":
		return r.name()
	case "lower":
		return strings.ToLower(r.name())
	case "ref":
		return scalar(s.handOut(r, "", r.node.Line))
	case "uuid":
		hex := s.makeUp(r.id, "hex", 32, "uuid")
		return hex[:8] + "-" + hex[8:12] + "-4" + hex[13:16] + "-a" + hex[17:20] + "-" + hex[20:]
	case "kind":
		if strings.EqualFold(r.text("Type"), "network") {
			return "net"
		}
		return "app"
	case "scope":
		return strings.ToLower(r.text("Scope"))
	case "listener":
		return strings.Replace(r.text("LoadBalancerArn"), ":loadbalancer/", ":listener/", 1)
	case "function":
		return r.functionARN()
	}
	if property, ok := strings.CutPrefix(word, "="); ok {
		return r.text(property)
	}
	kind, rest, _ := strings.Cut(word, ":")
	length, purpose, _ := strings.Cut(rest, ":")
	n, _ := strconv.Atoi(length)
	return s.makeUp(r.id, kind, n, purpose)
}

// functionARN is the ARN of the function that an alias, a version or a URL is of.
func (r *resource) functionARN() string {
	text := r.text("FunctionName")
	if _, unknown := definition.UnknownIn(text); unknown {
		return text
	}
	if parts := strings.Split(text, ":"); len(parts) > 6 && parts[0] == "arn" {
		return strings.Join(parts[:7], ":")
	}
	name, _, _ := strings.Cut(text, ":")
	return r.fill("arn:{P}:lambda:{R}:{A}:function:") + name
}

// name is the resource's name: the property that its type has for it, or as the service would call
// it.
func (r *resource) name() string {
	if property := shapes[r.kind].name; property != "" {
		if text := r.text(property); text != "" {
			return text
		}
	}
	s := r.stack
	if r.kind == typeRestModel { // whose names have letters and digits alone
		return r.logical + s.makeUp(r.id, "id", 6, "name")
	}
	return s.name[:min(len(s.name), 24)] + "-" + r.logical[:min(len(r.logical), 24)] + "-" +
		strings.ToUpper(s.makeUp(r.id, "id", 12, "name"))
}

// arn is the stack's own.
func (s *stack) arn() string {
	r := &resource{stack: s, id: s.prefix + "AWS::StackId"}
	return r.fill("arn:{P}:cloudformation:{R}:{A}:stack/" + s.name + "/{uuid}")
}

// alphabets are those of what is made up.
var alphabets = map[string]string{
	"id":    "abcdefghijklmnopqrstuvwxyz0123456789",
	"hex":   "0123456789abcdef",
	"alnum": "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
}

// makeUp makes up n characters out of the names of stack and resource. Two resources get different
// ones.
func (s *stack) makeUp(id, kind string, n int, purpose string) string {
	owner := s.name + "\x00" + s.account + "\x00" + s.region + "\x00" + id + "\x00" + purpose
	for try := 0; ; try++ {
		sum := sha256.Sum256([]byte(owner + "\x00" + kind + strconv.Itoa(try)))
		text := spell(sum, alphabets[kind], n)
		if other, taken := s.madeUp[text]; !taken || other == owner {
			s.madeUp[text] = owner
			return text
		}
	}
}

// spell writes a sum, a number of 256 bits, in the digits of an alphabet, the last n first.
func spell(sum [sha256.Size]byte, alphabet string, n int) string {
	var number [sha256.Size / 4]uint32
	for i := range number {
		number[i] = binary.BigEndian.Uint32(sum[4*i:])
	}
	base, text := uint64(len(alphabet)), make([]byte, n)
	for i := range text {
		rest := uint64(0)
		for k, digit := range number { // a long division: big.Int's is ten times as slow, and allocates
			rest = rest<<32 | uint64(digit)
			number[k], rest = uint32(rest/base), rest%base
		}
		text[i] = alphabet[rest]
	}
	return string(text)
}
