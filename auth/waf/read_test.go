package waf_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/waf"
)

// What GetWebACL returns, with base64 in its search strings.
const apiDocument = `{"LockToken": "x", "WebACL": {
	"Name": "orders", "Id": "i", "ARN": "arn:aws:wafv2:us-east-1:111122223333:regional/webacl/orders/i",
	"DefaultAction": {"Allow": {}}, "Description": "", "Capacity": 17, "ManagedByFirewallManager": false,
	"LabelNamespace": "awswaf:111122223333:webacl:orders:",
	"VisibilityConfig": {"SampledRequestsEnabled": true, "CloudWatchMetricsEnabled": true, "MetricName": "orders"},
	"Rules": [
		{"Name": "bots", "Priority": 1, "Action": {"Block": {"CustomResponse": {"ResponseCode": 429}}},
		 "RuleLabels": [{"Name": "seen:bot"}],
		 "VisibilityConfig": {"SampledRequestsEnabled": true, "CloudWatchMetricsEnabled": true, "MetricName": "bots"},
		 "Statement": {"ByteMatchStatement": {"SearchString": "QmFkQm90", "PositionalConstraint": "CONTAINS",
			"FieldToMatch": {"SingleHeader": {"Name": "user-agent"}},
			"TextTransformations": [{"Priority": 0, "Type": "NONE"}]}}},
		{"Name": "office", "Priority": 2, "Action": {"Count": {}},
		 "Statement": {"IPSetReferenceStatement": {"ARN": "arn:aws:wafv2:us-east-1:111122223333:regional/ipset/office/i"}}}
	]}}`

// The same as a resource of CloudFormation.
const cloudFormationDocument = `{"Type": "AWS::WAFv2::WebACL", "Properties": {
	"Name": "orders", "Scope": "REGIONAL", "DefaultAction": {"Allow": {}},
	"VisibilityConfig": {"SampledRequestsEnabled": "true", "CloudWatchMetricsEnabled": true, "MetricName": "orders"},
	"Tags": [{"Key": "a", "Value": "b"}],
	"Rules": [
		{"Name": "bots", "Priority": "1", "Action": {"Block": {"CustomResponse": {"ResponseCode": "429"}}},
		 "RuleLabels": [{"Name": "seen:bot"}],
		 "Statement": {"ByteMatchStatement": {"SearchString": "BadBot", "PositionalConstraint": "CONTAINS",
			"FieldToMatch": {"SingleHeader": {"Name": "user-agent"}},
			"TextTransformations": [{"Priority": "0", "Type": "NONE"}]}}},
		{"Name": "office", "Priority": 2, "Action": {"Count": {}},
		 "Statement": {"IPSetReferenceStatement": {"Arn": "arn:aws:wafv2:us-east-1:111122223333:regional/ipset/office/i"}}}
	]}}`

func TestBothSpellingsAreOneACL(t *testing.T) {
	api, err := waf.Read([]byte(apiDocument), waf.ReadConfig{})
	require.NoError(t, err)
	formation, err := waf.Read([]byte(cloudFormationDocument), waf.ReadConfig{})
	require.NoError(t, err)
	require.Len(t, api.WebACL.Rules, 2)
	require.Equal(t, "BadBot", api.WebACL.Rules[0].Statement.ByteMatchStatement.SearchString)
	require.Equal(t, int64(429), api.WebACL.Rules[0].Action.Block.CustomResponse.ResponseCode)
	require.Equal(t, api.WebACL.VisibilityConfig, formation.WebACL.VisibilityConfig)
	api.WebACL.Rules[0].VisibilityConfig = nil
	require.Equal(t, api.WebACL.Rules, formation.WebACL.Rules)
	require.Equal(t, api.WebACL.DefaultAction, formation.WebACL.DefaultAction)
}

// byteMatch is a rule that looks for search, as a document writes it.
func byteMatch(name, member, search, transformation string) string {
	return `{"Name":"` + name + `","Priority":0,"Action":{"Block":{}},"Statement":{"ByteMatchStatement":{"` + member + `":"` +
		search + `","PositionalConstraint":"EXACTLY","FieldToMatch":{"UriPath":{}},"TextTransformations":[{"Priority":0,"Type":"` +
		transformation + `"}]}}}`
}

// Search strings are base64 if all of a document's are.
func TestSearchStrings(t *testing.T) {
	plain := byteMatch("a", "SearchString", "QmFkQm90", "NONE") // base64 of BadBot
	word := byteMatch("b", "SearchString", "/admin", "NONE")
	digest := byteMatch("c", "SearchString", "1B2M2Y8AsgTpgAmY7PhCfg==", "MD5")
	for _, tt := range []struct {
		name, doc string
		how       waf.SearchStrings
		want      []string
	}{
		{"all", "[" + plain + "]", waf.SearchStringsByDocument, []string{"BadBot"}},
		{"one-is-plain", "[" + plain + "," + word + "]", waf.SearchStringsByDocument, []string{"QmFkQm90", "/admin"}},
		{"not-printable", "[" + byteMatch("a", "SearchString", "admin123", "NONE") + "]", waf.SearchStringsByDocument, []string{"admin123"}},
		{"digest", "[" + plain + "," + digest + "]", waf.SearchStringsByDocument,
			[]string{"BadBot", "\xd4\x1d\x8c\xd9\x8f\x00\xb2\x04\xe9\x80\x09\x98\xec\xf8\x42\x7e"}},
		{"formation", "[" + plain + "," + byteMatch("b", "SearchStringBase64", "L2FkbWlu", "NONE") + "]",
			waf.SearchStringsByDocument, []string{"QmFkQm90", "/admin"}},
		{"arn-of-formation", "[" + plain + `,{"Name":"s","Priority":1,"Action":{"Count":{}},"Statement":{"IPSetReferenceStatement":{"Arn":"a"}}}]`,
			waf.SearchStringsByDocument, []string{"QmFkQm90"}},
		{"told-plain", "[" + plain + "]", waf.SearchStringsPlain, []string{"QmFkQm90"}},
		{"told-base64", "[" + byteMatch("a", "SearchString", "AAECAw==", "NONE") + "]", waf.SearchStringsBase64, []string{"\x00\x01\x02\x03"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc, err := waf.Read([]byte(tt.doc), waf.ReadConfig{SearchStrings: tt.how})
			require.NoError(t, err)
			var got []string
			for _, r := range doc.Rules {
				if r.Statement.ByteMatchStatement == nil {
					continue
				}
				got = append(got, r.Statement.ByteMatchStatement.SearchString)
			}
			require.Equal(t, tt.want, got)
		})
	}
}

func TestReadKinds(t *testing.T) {
	for _, text := range []string{
		`{"IPSet": {"Name": "office", "ARN": "a", "IPAddressVersion": "IPV4", "Addresses": ["192.0.2.0/24"]}, "LockToken": "x"}`,
		`{"Name": "office", "IPAddressVersion": "IPV4", "Addresses": ["192.0.2.0/24"]}`,
		`{"Type": "AWS::WAFv2::IPSet", "Properties": {"Name": "office", "Scope": "REGIONAL", "IPAddressVersion": "IPV4", "Addresses": ["192.0.2.0/24"]}}`,
	} {
		doc, err := waf.Read([]byte(text), waf.ReadConfig{})
		require.NoError(t, err, text)
		require.Equal(t, []string{"192.0.2.0/24"}, doc.IPSet.Addresses)
	}
	for _, text := range []string{
		`{"RegexPatternSet": {"Name": "p", "RegularExpressionList": [{"RegexString": "a+"}, {"RegexString": "b"}]}}`,
		`{"Properties": {"Name": "p", "RegularExpressionList": ["a+", "b"]}}`,
	} {
		doc, err := waf.Read([]byte(text), waf.ReadConfig{})
		require.NoError(t, err, text)
		require.Equal(t, []waf.Regex{{"a+"}, {"b"}}, doc.RegexPatternSet.RegularExpressionList)
	}
	doc, err := waf.Read([]byte(`{"RuleGroup": {"Name": "g", "Capacity": 100, "Rules": []}, "LockToken": "x"}`), waf.ReadConfig{})
	require.NoError(t, err)
	require.Equal(t, int64(100), doc.RuleGroup.Capacity)
}

// What the tables of a document hold, and members that decide nothing.
func TestReadWholeDocument(t *testing.T) {
	doc, err := waf.Read([]byte(`{
		"Name": "o", "Scope": "REGIONAL", "Id": "i", "LockToken": "x", "Description": null, "TokenDomains": ["shop.example"],
		"DefaultAction": {"Block": {"CustomResponse": {"ResponseCode": 403, "CustomResponseBodyKey": "no"}}},
		"CustomResponseBodies": {"no": {"ContentType": "TEXT_PLAIN", "Content": "no"}},
		"AssociationConfig": {"RequestBody": {"API_GATEWAY": {"DefaultSizeInspectionLimit": "KB_32"}}},
		"CaptchaConfig": {"ImmunityTimeProperty": {"ImmunityTime": "120"}},
		"PreProcessFirewallManagerRuleGroups": [], "DataProtectionConfig": {"any": 1},
		"Rules": [{"Name": "m", "Priority": 1, "OverrideAction": {"None": {}}, "Statement": {"ManagedRuleGroupStatement": {
			"VendorName": "AWS", "Name": "G", "ExcludedRules": [{"Name": "e"}], "ManagedRuleGroupConfigs": [{"a": null, "b": [1]}],
			"RuleActionOverrides": [{"Name": "n", "ActionToUse": {"Count": {}}}]}}}]}`), waf.ReadConfig{})
	require.NoError(t, err)
	acl := doc.WebACL
	require.Equal(t, map[string]waf.CustomResponseBody{"no": {ContentType: "TEXT_PLAIN", Content: "no"}}, acl.CustomResponseBodies)
	require.Equal(t, "KB_32", acl.AssociationConfig.RequestBody["API_GATEWAY"].DefaultSizeInspectionLimit)
	require.Equal(t, int64(120), acl.CaptchaConfig.ImmunityTimeProperty.ImmunityTime)
	require.Equal(t, []string{"shop.example"}, acl.TokenDomains)
	managed := acl.Rules[0].Statement.ManagedRuleGroupStatement
	require.Equal(t, []waf.ExcludedRule{{Name: "e"}}, managed.ExcludedRules)
	require.NotNil(t, managed.RuleActionOverrides[0].ActionToUse.Count)
	require.Len(t, managed.ManagedRuleGroupConfigs, 1)
	_, err = waf.New(t.Context(), waf.Config{ACL: acl, RuleGroups: map[string]*waf.RuleGroup{"AWS:G": {Name: "g"}}})
	require.ErrorContains(t, err, "ManagedRuleGroupConfigs: want none")
}

func TestReadNamesWhatItRefuses(t *testing.T) {
	acl := func(rule string) string { return `{"Name":"o","DefaultAction":{"Allow":{}},"Rules":[` + rule + `]}` }
	for _, tt := range []struct{ name, doc, want string }{
		{"nothing", ``, "want one JSON object"},
		{"other", `{"a":1}`, `got an object with the members ["a"]`},
		{"twice", `{"Name":"a","Name":"b","DefaultAction":{}}`, "want one JSON object"},
		{"statement", acl(`{"Name":"r1","Priority":1,"Statement":{"ByteMatchStatment":{}}}`),
			`waf: Read.WebACL.Rules["r1"].Statement.ByteMatchStatment: no such field; the nearest are "ByteMatchStatement"`},
		{"field", acl(`{"Name":"r1","Prioritet":1}`), `Rules["r1"].Prioritet: no such field`},
		{"deep", acl(`{"Name":"r1","Statement":{"AndStatement":{"Statements":[{},{"NotStatement":{"Statement":{"X":{}}}}]}}}`),
			`Rules["r1"].Statement.AndStatement.Statements[1].NotStatement.Statement.X: no such field`},
		{"case", acl(`{"name":"r1"}`), `Rules["#0"].name: no such field`},
		{"ref", acl(`{"Name":"r1","Statement":{"IPSetReferenceStatement":{"Arn":{"Fn::GetAtt":["S","Arn"]}}}}`),
			`IPSetReferenceStatement.Arn: want a string, got "Fn::GetAtt", a function of CloudFormation`},
		{"number", acl(`{"Name":"r1","Priority":"one"}`), `Rules["r1"].Priority: want a whole number, got "one"`},
		{"fraction", acl(`{"Name":"r1","Priority":1.5}`), `Rules["r1"].Priority: want a whole number, got 1.5`},
		{"bool", acl(`{"Name":"r1","VisibilityConfig":{"SampledRequestsEnabled":"yes"}}`), `want true or false, got "yes"`},
		{"list", `{"Name":"o","DefaultAction":{"Allow":{}},"Rules":{}}`, `WebACL.Rules: want a list, got an object`},
		{"object", acl(`{"Name":"r1","Statement":[]}`), `Rules["r1"].Statement: want an object, got a list`},
		{"search", "[" + byteMatch("a", "SearchStringHex", "00", "NONE") + "]", `Rules["a"].Statement.ByteMatchStatement.SearchStringHex: no such field`},
		{"base64", "[" + byteMatch("a", "SearchStringBase64", "!", "NONE") + "]", `SearchStringBase64: want base64`},
		{"manager", `{"Name":"o","DefaultAction":{"Allow":{}},"PreProcessFirewallManagerRuleGroups":[{}]}`, "rules of Firewall Manager"},
		{"nothing-inside", `{"WebACL":null}`, "want a document, got null"},
		{"template", `{"Resources":{}}`, "Resources: want one resource of the template"},
		{"null", acl(`{"Name":"r1","Priority":null}`), `Priority: want a whole number, got none`},
		{"table", `{"Name":"o","DefaultAction":{"Allow":{}},"CustomResponseBodies":[]}`, `CustomResponseBodies: want an object, got a list`},
		{"in-table", `{"Name":"o","DefaultAction":{"Allow":{}},"CustomResponseBodies":{"a":{"Body":1}}}`, `CustomResponseBodies["a"].Body: no such field`},
		{"both-strings", "[" + strings.Replace(byteMatch("a", "SearchString", "a", "NONE"), `{"SearchString"`, `{"SearchStringBase64":"YQ==","SearchString"`, 1) + "]",
			"want base64, and one of SearchString and SearchStringBase64"},
		{"search-number", `[{"Name":"a","Statement":{"ByteMatchStatement":{"SearchString":1}}}]`, "SearchString: want a string, got 1"},
		{"type", `{"Type":"AWS::WAF::WebACL","Properties":{}}`, `Type: want AWS::WAFv2::WebACL`},
		{"deeper", strings.Repeat(`{"Statement":`, 300) + "1" + strings.Repeat("}", 300), "want one JSON object"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc, err := waf.Read([]byte(tt.doc), waf.ReadConfig{})
			require.ErrorContains(t, err, tt.want)
			require.Nil(t, doc)
		})
	}
	_, err := waf.Read([]byte("["+byteMatch("a", "SearchString", "!", "NONE")+"]"), waf.ReadConfig{SearchStrings: waf.SearchStringsBase64})
	require.ErrorContains(t, err, "SearchString: want base64")
	_, err = waf.Read(make([]byte, 9<<20), waf.ReadConfig{})
	require.ErrorContains(t, err, "at most")
}

// A lenient reader leaves out the rules that it doesn't understand, and says which.
func TestLenientRead(t *testing.T) {
	text := `{"Name":"o","DefaultAction":{"Allow":{}},"Rules":[
		{"Name":"odd","Priority":0,"Statement":{"OddStatement":{}},"Action":{"Block":{}}},` + byteMatch("good", "SearchString", "L2FkbWlu", "NONE") + `]}`
	doc, err := waf.Read([]byte(text), waf.ReadConfig{Lenient: true})
	require.NoError(t, err)
	require.Len(t, doc.WebACL.Rules, 1)
	require.Equal(t, "/admin", doc.WebACL.Rules[0].Statement.ByteMatchStatement.SearchString)
	require.Len(t, doc.Findings, 1)
	require.Equal(t, "odd", doc.Findings[0].Rule)
	require.ErrorContains(t, doc.Findings[0].Err, "waf: rule odd.Statement.OddStatement: no such field")
	_, err = waf.Read([]byte(`{"Name":"o","DefaultAction":{"Alow":{}},"Rules":[]}`), waf.ReadConfig{Lenient: true})
	require.ErrorContains(t, err, "DefaultAction.Alow", "what is wrong outside of rules stays wrong")
}

// FuzzRead: no document makes it panic, an error comes without a document, and what it reads can be
// compiled or is refused.
func FuzzRead(f *testing.F) {
	f.Add([]byte(apiDocument))
	f.Add([]byte(cloudFormationDocument))
	f.Add([]byte("[" + byteMatch("a", "SearchString", "QmFkQm90", "URL_DECODE") + "]"))
	f.Add([]byte(`{"RegexPatternSet": {"Name": "p", "RegularExpressionList": ["a"]}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, lenient := range []bool{false, true} {
			doc, err := waf.Read(text, waf.ReadConfig{Lenient: lenient})
			if (err == nil) != (doc != nil) {
				t.Fatalf("Read(%q) = %v, %v", text, doc, err)
			}
			if doc != nil && doc.WebACL != nil {
				acl, err := waf.New(t.Context(), waf.Config{ACL: doc.WebACL, Lenient: lenient})
				if (err == nil) != (acl != nil) {
					t.Fatalf("New of %q = %v, %v", text, acl, err)
				}
			}
		}
	})
}
