package crs_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth/waf"
	"github.com/gatekit-go/gatekit/auth/waf/crs"
)

func ExampleRuleSet_Middleware() {
	rules := gatekit.Must(crs.New(context.Background(), crs.Config{
		Exclusions: []crs.Exclusion{{Tag: "attack-sqli", Variable: "ARGS:query", Path: "/reports"}},
		Log: func(_ *http.Request, v *crs.Verdict) {
			for _, f := range v.Findings {
				fmt.Println(" ", f.RuleID, f.Message, f.Variables)
			}
		},
	}))
	orders := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "orders") })
	h := rules.Middleware(orders)
	for _, target := range []string{"/orders?id=17", "/orders?id=17'+OR+'1'='1", "/reports?query=17'+OR+'1'='1"} {
		r := httptest.NewRequest("GET", target, nil)
		r.Header.Set("User-Agent", "curl/8")
		r.Header.Set("Accept", "*/*")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 200 orders
	//   942100 SQL Injection Attack Detected via libinjection [ARGS:id]
	//   949110 Inbound Anomaly Score Exceeded [TX:blocking_inbound_anomaly_score]
	// 403 {"message":"Forbidden"}
	// 200 orders
}

// A web ACL from AWS WAF refers to a managed group, whose rules nobody publishes: the rule set takes its place.
func ExampleRuleSet_Judge() {
	rules := gatekit.Must(crs.New(context.Background(), crs.Config{}))
	doc := gatekit.Must(waf.Read([]byte(`{
		"Name": "orders", "DefaultAction": {"Allow": {}}, "Rules": [{
			"Name": "core", "Priority": 0, "OverrideAction": {"Count": {}},
			"Statement": {"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": "AWSManagedRulesCommonRuleSet"}}
		}, {
			"Name": "no-xss", "Priority": 1, "Action": {"Block": {}},
			"Statement": {"LabelMatchStatement": {"Scope": "LABEL", "Key": "awswaf:managed:aws:AWSManagedRulesCommonRuleSet:attack-xss"}}
		}]
	}`), waf.ReadConfig{}))
	web := gatekit.Must(waf.New(context.Background(), waf.Config{
		ACL:        doc.WebACL,
		GroupFuncs: map[string]waf.GroupFunc{"AWS:AWSManagedRulesCommonRuleSet": rules.Judge},
	}))
	for _, target := range []string{"/?id=17", "/?id=17'+OR+'1'='1", "/?q=%3Cscript%3Ealert(1)%3C/script%3E"} {
		r := httptest.NewRequest("GET", target, nil)
		r.Header.Set("User-Agent", "curl/8")
		d := web.Check(r)
		fmt.Println(d.Action, d.Rule, d.Counted)
	}
	// Output:
	// ALLOW Default_Action []
	// ALLOW Default_Action [core/942100 core/949110 core]
	// BLOCK no-xss [core/941100 core/941110 core/941160 core/941390 core/949110 core]
}
