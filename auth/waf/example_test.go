package waf_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth/waf"
)

var hello = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") })

// A web ACL as `aws wafv2 get-web-acl` prints it.
func ExampleRead() {
	doc := gatekit.Must(waf.Read([]byte(`{"WebACL": {
		"Name": "orders", "DefaultAction": {"Allow": {}},
		"Rules": [{"Name": "bad-bots", "Priority": 0, "Action": {"Block": {}},
			"Statement": {"ByteMatchStatement": {"SearchString": "YmFkYm90", "PositionalConstraint": "CONTAINS",
				"FieldToMatch": {"SingleHeader": {"Name": "user-agent"}},
				"TextTransformations": [{"Priority": 0, "Type": "LOWERCASE"}]}}}]
	}}`), waf.ReadConfig{}))
	acl := gatekit.Must(waf.New(context.Background(), waf.Config{ACL: doc.WebACL}))
	h := acl.Middleware(hello)
	for _, agent := range []string{"curl/8", "BadBot/1"} {
		r := httptest.NewRequest("GET", "/orders", nil)
		r.Header.Set("User-Agent", agent)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	fmt.Println(acl.Capacity(), "WCU")
	// Output:
	// 200 hello
	// 403 {"message":"Forbidden"}
	// 20 WCU
}

// A web ACL as Go structs: a set of addresses, a limit for the others, and a custom response.
func ExampleNew() {
	acl := gatekit.Must(waf.New(context.Background(), waf.Config{
		ACL: &waf.WebACL{
			Name: "orders", DefaultAction: waf.DefaultAction{Allow: &waf.AllowAction{}},
			Rules: []waf.Rule{
				{
					Name: "office", Priority: 0, Action: &waf.Action{Allow: &waf.AllowAction{}},
					Statement: waf.Statement{IPSetReferenceStatement: &waf.IPSetReferenceStatement{ARN: "office"}},
				},
				{
					Name: "limit", Priority: 1,
					Action: &waf.Action{Block: &waf.BlockAction{CustomResponse: &waf.CustomResponse{ResponseCode: 429}}},
					Statement: waf.Statement{RateBasedStatement: &waf.RateBasedStatement{
						Limit: 10, EvaluationWindowSec: 60, AggregateKeyType: "IP",
					}},
				},
			},
		},
		IPSets: map[string]waf.IPSource{"office": gatekit.Must((&waf.IPSet{
			IPAddressVersion: "IPV4", Addresses: []string{"198.51.100.0/24"},
		}).Source())},
	}))
	h := acl.Middleware(hello)
	for _, addr := range []string{"192.0.2.1:1", "198.51.100.7:1"} {
		codes := map[int]int{}
		for range 15 {
			r := httptest.NewRequest("GET", "/orders", nil)
			r.RemoteAddr = addr
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			codes[w.Code]++
		}
		fmt.Println(codes)
	}
	// Output:
	// map[200:10 429:5]
	// map[200:15]
}

// A managed rule group is bound to a group of your own. With OverrideAction Count it blocks nothing
// yet.
func ExampleConfig_managedGroup() {
	common := &waf.RuleGroup{Name: "common", Rules: []waf.Rule{{
		Name: "NoUserAgent_HEADER", Priority: 0, Action: &waf.Action{Block: &waf.BlockAction{}},
		Statement: waf.Statement{NotStatement: &waf.NotStatement{Statement: &waf.Statement{
			SizeConstraintStatement: &waf.SizeConstraintStatement{
				ComparisonOperator: "GT", Size: 0,
				FieldToMatch:        waf.FieldToMatch{SingleHeader: &waf.NamedField{Name: "user-agent"}},
				TextTransformations: []waf.TextTransformation{{Type: "NONE"}},
			},
		}}},
	}}}
	acl := gatekit.Must(waf.New(context.Background(), waf.Config{
		ACL: &waf.WebACL{
			Name: "orders", DefaultAction: waf.DefaultAction{Allow: &waf.AllowAction{}},
			Rules: []waf.Rule{{
				Name: "aws-common", OverrideAction: &waf.OverrideAction{Count: &struct{}{}},
				Statement: waf.Statement{ManagedRuleGroupStatement: &waf.ManagedRuleGroupStatement{
					VendorName: "AWS", Name: "AWSManagedRulesCommonRuleSet",
				}},
			}},
		},
		RuleGroups: map[string]*waf.RuleGroup{"AWS:AWSManagedRulesCommonRuleSet": common},
	}))
	d := acl.Check(httptest.NewRequest("GET", "/orders", nil))
	fmt.Println(d.Action, d.Counted, d.Record.RuleGroupList[0].TerminatingRule.RuleID)
	// Output: ALLOW [aws-common] NoUserAgent_HEADER
}

// Geo is any look-up by address. One that knows the country and not the region returns the country
// alone. Geo and ASN of MaxMind's databases are in internal/compat/geo_test.go, a module of its own
// as it needs their reader.
func ExampleConfig_geo() {
	acl := gatekit.Must(waf.New(context.Background(), waf.Config{
		ACL: &waf.WebACL{
			Name: "orders", DefaultAction: waf.DefaultAction{Block: &waf.BlockAction{}},
			Rules: []waf.Rule{{
				Name: "home", Action: &waf.Action{Allow: &waf.AllowAction{}},
				Statement: waf.Statement{GeoMatchStatement: &waf.GeoMatchStatement{CountryCodes: []string{"DE", "AT"}}},
			}},
		},
		Geo: func(addr netip.Addr) (country, region string) {
			if netip.MustParsePrefix("192.0.2.0/24").Contains(addr) {
				return "DE", "BE"
			}
			return "", ""
		},
	}))
	d := acl.Check(httptest.NewRequest("GET", "/orders", nil)) // from 192.0.2.1
	fmt.Println(d.Action, d.Rule, d.Labels)
	// Output: ALLOW home [awswaf:clientip:geo:country:DE awswaf:clientip:geo:region:DE-BE]
}

// An ACL on trial: what it would block is reported, and goes on.
func ExampleACL_Middleware_shadow() {
	acl := gatekit.Must(waf.New(context.Background(), waf.Config{ACL: &waf.WebACL{
		Name: "orders", DefaultAction: waf.DefaultAction{Block: &waf.BlockAction{}},
	}}))
	trial := gatekit.Shadow(acl.Middleware, func(r *http.Request, why *gatekit.Rejection) {
		fmt.Println("would refuse", r.URL.Path, "by", why.Cause)
	})
	w := httptest.NewRecorder()
	trial(hello).ServeHTTP(w, httptest.NewRequest("GET", "/orders", nil))
	fmt.Println(w.Code, w.Body)
	// Output:
	// would refuse /orders by waf: rule orders/Default_Action: Block
	// 200 hello
}

// The incorrect way to bound bodies: what is larger than the limit of inspection isn't judged, so
// an attack behind padding passes. The rule "large" is what is missing.
func ExampleNew_incorrect() {
	body := waf.FieldToMatch{Body: &waf.BodyField{OversizeHandling: "CONTINUE"}}
	list := []waf.TextTransformation{{Type: "NONE"}}
	rules := []waf.Rule{{
		Name: "xss", Priority: 1, Action: &waf.Action{Block: &waf.BlockAction{}},
		Statement: waf.Statement{XssMatchStatement: &waf.XssMatchStatement{FieldToMatch: body, TextTransformations: list}},
	}}
	large := waf.Rule{
		Name: "large", Priority: 0, Action: &waf.Action{Block: &waf.BlockAction{}},
		Statement: waf.Statement{SizeConstraintStatement: &waf.SizeConstraintStatement{
			ComparisonOperator: "GT", Size: 16 << 10, TextTransformations: list,
			FieldToMatch: waf.FieldToMatch{Body: &waf.BodyField{OversizeHandling: "MATCH"}},
		}},
	}
	for _, rules := range [][]waf.Rule{rules, append(rules, large)} {
		acl := gatekit.Must(waf.New(context.Background(), waf.Config{ACL: &waf.WebACL{
			Name: "orders", DefaultAction: waf.DefaultAction{Allow: &waf.AllowAction{}}, Rules: rules,
		}}))
		fmt.Println(acl.Check(post(fmt.Sprintf("%20000s", "<script>alert(1)</script>"))).Action)
	}
	// Output:
	// ALLOW
	// BLOCK
}

// Log gets a record of each request, in the words of the log of AWS WAF.
func ExampleRecord() {
	acl := gatekit.Must(waf.New(context.Background(), waf.Config{
		ACL: &waf.WebACL{Name: "orders", DefaultAction: waf.DefaultAction{Block: &waf.BlockAction{}}},
		Log: func(r *waf.Record) {
			text := gatekit.Must(json.Marshal(map[string]any{"action": r.Action, "rule": r.TerminatingRuleID, "headers": r.HTTPRequest.Headers}))
			fmt.Println(string(text))
		},
	}))
	r := httptest.NewRequest("GET", "/orders", nil)
	r.Header.Set("Authorization", "Bearer abc")
	acl.Middleware(hello).ServeHTTP(httptest.NewRecorder(), r)
	// Output:
	// {"action":"BLOCK","headers":[{"name":"authorization","value":"REDACTED"},{"name":"host","value":"example.com"}],"rule":"Default_Action"}
}
