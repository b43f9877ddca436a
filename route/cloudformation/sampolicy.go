package cloudformation

import (
	"regexp"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
)

// policyLists are the lists of a ResourcePolicy that stand for a pair of statements: all may call,
// and those denied who meet the condition. Lists of accounts are one statement each.
var policyLists = []struct{ name, operator, key string }{
	{"IpRangeWhitelist", "NotIpAddress", "aws:SourceIp"},
	{"IpRangeBlacklist", "IpAddress", "aws:SourceIp"},
}

// vpcLists are those of networks and their endpoints; each of the two groups makes one pair.
var vpcLists = []struct{ group, operator string }{
	{"Blacklist", "StringEquals"},
	{"Whitelist", "StringNotEquals"},
}

// resourcePolicy adds the statements of a ResourcePolicy for one path, and its own ones.
func (b *samBody) resourcePolicy(policy, stage *doctree.Node, path string) error {
	if err := b.pathPolicy(policy, stage, path); err != nil {
		return err
	}
	return b.customStatements(policy)
}

func (b *samBody) customStatements(policy *doctree.Node) error {
	custom := policy.Get("CustomStatements")
	if !truthy(custom) {
		return nil
	}
	document, err := b.policy(policy.Line)
	if err != nil {
		return err
	}
	if document.Get("Statement") == nil {
		document.Set("Statement", custom)
		return nil
	}
	list := []*doctree.Node{custom}
	if isList(custom) {
		list = custom.Items
	}
	for _, statement := range list {
		if err := b.addStatement(statement, true); err != nil {
			return err
		}
	}
	return nil
}

func (b *samBody) policy(line int) (*doctree.Node, error) {
	document, err := into(b.doc, xPolicy)
	if err != nil {
		return nil, b.refuse(b.doc.Get(xPolicy), "%v", err)
	}
	document.Set("Version", textNode(line, "2012-10-17"))
	return document, nil
}

func (b *samBody) pathPolicy(policy, stage *doctree.Node, path string) error {
	resources, err := b.resources(stage, path)
	if err != nil {
		return err
	}
	for name, list := range eachMember(policy) {
		if strings.HasSuffix(name, "Whitelist") && isList(list) && len(list.Items) == 0 {
			// The service's translator makes no statement of it, and then everybody may call.
			return b.refuse(list, "ResourcePolicy.%s: want at least one, as nobody may call without", name)
		}
	}
	for name, effect := range inPairs("AwsAccountWhitelist", "Allow", "AwsAccountBlacklist", "Deny") {
		accounts := policy.Get(name)
		if !truthy(accounts) {
			continue
		}
		if !isList(accounts) && !isMap(accounts) {
			return b.refuse(accounts, "ResourcePolicy.%s: want a list", name)
		}
		who := newMap(accounts.Line, member("AWS", listOf(b.s.copy(accounts))))
		if err := b.addStatement(b.statement(effect, resources, who), false); err != nil {
			return err
		}
	}
	for _, l := range policyLists {
		if ranges := policy.Get(l.name); truthy(ranges) {
			condition := newMap(ranges.Line, member(l.key, listOf(b.s.copy(ranges))))
			if err := b.addPair(resources, l.operator, condition); err != nil {
				return err
			}
		}
	}
	for _, l := range vpcLists {
		condition, err := b.vpcCondition(policy, l.group)
		if err != nil {
			return err
		}
		if len(condition.Members) > 0 {
			if err := b.addPair(resources, l.operator, condition); err != nil {
				return err
			}
		}
	}
	return nil
}

// inPairs yields pairs in order.
func inPairs(pairs ...string) func(yield func(string, string) bool) {
	return func(yield func(string, string) bool) {
		for i := 0; i+1 < len(pairs) && yield(pairs[i], pairs[i+1]); i += 2 {
		}
	}
}

func listOf(n *doctree.Node) *doctree.Node {
	if isList(n) {
		return n
	}
	return listNode(n.Line, n)
}

var policyVariable = regexp.MustCompile(`\{[a-zA-Z0-9._-]+\+?\}`)

// resources are the path's methods as a policy names them. Variables are any text.
func (b *samBody) resources(stage *doctree.Node, path string) (*doctree.Node, error) {
	items, err := b.items(path)
	if err != nil {
		return nil, err
	}
	short := policyVariable.ReplaceAllString(path, "*")
	list := listNode(stage.Line)
	for _, item := range items {
		for name := range item.Names() {
			method := strings.ToUpper(name)
			if normalMethod(name) == xAnyMethod {
				method = "*"
			}
			list.Items = append(list.Items, subWith(stage.Line, "execute-api:/${__Stage__}/"+method+short,
				"__Stage__", b.s.copy(stage)))
		}
	}
	return list, nil
}

func (b *samBody) vpcCondition(policy *doctree.Node, group string) (*doctree.Node, error) {
	condition := newMap(policy.Line)
	add := func(key string, items ...*doctree.Node) {
		list := condition.Get(key)
		if list == nil {
			list = listNode(policy.Line)
			condition.Set(key, list)
		}
		list.Items = append(list.Items, items...)
	}
	if list := said(policy, "SourceVpc"+group); list != nil {
		if !isList(list) || slices.ContainsFunc(list.Items, func(n *doctree.Node) bool {
			return !strings.HasPrefix(textOf(n), "vpc-") && !strings.HasPrefix(textOf(n), "vpce-")
		}) {
			return nil, b.refuse(list, "ResourcePolicy.SourceVpc%s: want a list of vpc-ID and vpce-ID; "+
				"IntrinsicVpc%s takes functions of the template", group, group)
		}
		for _, prefix := range []string{"vpc-", "vpce-"} {
			for _, item := range list.Items {
				if strings.HasPrefix(item.Text, prefix) {
					add("aws:SourceVpc"+strings.TrimSuffix(strings.TrimPrefix(prefix, "vpc"), "-"), b.s.copy(item))
				}
			}
		}
	}
	for name, key := range inPairs("IntrinsicVpc", "aws:SourceVpc", "IntrinsicVpce", "aws:SourceVpce") {
		list := said(policy, name+group)
		if list == nil {
			continue
		}
		if !isList(list) {
			return nil, b.refuse(list, "ResourcePolicy.%s%s: want a list", name, group)
		}
		if len(list.Items) > 0 {
			add(key, b.s.copy(list).Items...)
		}
	}
	return condition, nil
}

func (b *samBody) statement(effect string, resources, who *doctree.Node) *doctree.Node {
	statement := textsNode(who.Line, "Effect", effect, "Action", "execute-api:Invoke")
	statement.Set("Resource", b.s.copy(resources))
	statement.Set("Principal", who)
	return statement
}

// addPair lets all call, and denies those who meet the condition.
func (b *samBody) addPair(resources *doctree.Node, operator string, condition *doctree.Node) error {
	everybody := textNode(condition.Line, "*")
	deny := b.statement("Deny", resources, everybody)
	deny.Set("Condition", newMap(condition.Line, member(operator, condition)))
	for _, statement := range []*doctree.Node{b.statement("Allow", resources, everybody), deny} {
		if err := b.addStatement(statement, true); err != nil {
			return err
		}
	}
	return nil
}

// addStatement adds a statement, of those that may come twice the first only.
func (b *samBody) addStatement(statement *doctree.Node, once bool) error {
	document, err := b.policy(statement.Line)
	if err != nil {
		return err
	}
	if document.Get("Statement") == nil && !once {
		document.Set("Statement", statement) // alone, it is no list
		return nil
	}
	list := document.Get("Statement")
	if list == nil {
		list = listNode(statement.Line)
	}
	list = listOf(list)
	if b.statements == nil {
		b.statements = map[string]bool{}
		for _, n := range list.Items {
			b.statements[string(n.AppendJSON(nil))] = true
		}
	}
	key := string(statement.AppendJSON(nil))
	if !once || !b.statements[key] {
		list.Items = append(list.Items, statement)
	}
	b.statements[key] = true
	document.Set("Statement", list)
	return nil
}
