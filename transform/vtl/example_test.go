package vtl_test

import (
	"fmt"
	"os"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/transform/vtl"
)

func ExampleParse() {
	t := gatekit.Must(vtl.Parse("orders", `{"first": "$orders[0].id", "ids": [#foreach($o in $orders)"$o.id"#if($foreach.hasNext), #end#end]}`))
	orders, err := vtl.DecodeJSON([]byte(`[{"id": "a7", "qty": 1}, {"id": "b9", "qty": 3}]`))
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := t.Execute(os.Stdout, map[string]any{"orders": orders}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// {"first": "a7", "ids": ["a7", "b9"]}
}

// An undefined reference is the empty string, and that is true: so the first test finds a coupon where there is none.
func ExampleParse_incorrect() {
	for _, text := range []string{`#if($coupon)with#{else}without#end a coupon`, `#if($coupon != "")with#{else}without#end a coupon`} {
		t := gatekit.Must(vtl.Parse("coupon", text))
		var out strings.Builder
		if err := t.Execute(&out, nil); err != nil {
			fmt.Println(err)
		}
		fmt.Println(out.String())
	}
	// Output:
	// with a coupon
	// without a coupon
}

func ExampleOptions_Parse() {
	_, err := vtl.Options{MaxDepth: 20}.Parse("nested", "#if($a)\n  #if($b) yes\n#end")
	fmt.Println(err)
	// Output:
	// vtl: nested:3:5: want #end of the #if at 1:1, got the end of the template
}

func ExampleTemplate_Trace() {
	t := gatekit.Must(vtl.Parse("greeting", "Dear $customer.name,\nyour order $order.id of ${order.day}"))
	vars := map[string]any{"customer": map[string]any{"name": "Ida"}, "order": map[string]any{"id": 7}}
	err := t.Trace(os.Stdout, vars, func(r vtl.Reference) {
		fmt.Printf("%d:%d %s is %v, defined: %t\n", r.Line, r.Column, r.Text, r.Value, r.Defined)
	})
	fmt.Println(err)
	// Output:
	// 1:6 $customer.name is Ida, defined: true
	// 2:12 $order.id is 7, defined: true
	// 2:25 ${order.day} is , defined: false
	// Dear Ida,
	// your order 7 of <nil>
}

// A clock is an object that templates may ask for the hour.
type clock struct{ hour int }

func (c clock) Property(name string) (any, bool) { return c.hour, name == "hour" }

func (c clock) Call(method string, args []any) (any, bool, error) {
	if method == "isBefore" && len(args) == 1 {
		if hour, ok := args[0].(int64); ok {
			return int64(c.hour) < hour, true, nil
		}
	}
	return nil, false, nil
}

func ExampleObject() {
	t := gatekit.Must(vtl.Parse("clock", "It is $clock.hour, #if($clock.isBefore(12))good morning#{else}good day#end. [$clock.minute]"))
	if err := t.Execute(os.Stdout, map[string]any{"clock": clock{hour: 9}}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// It is 9, good morning. []
}

func ExampleAppendJSON() {
	v, err := vtl.DecodeJSON([]byte(`{ "b": [1, 2.50], "a": null }`))
	fmt.Println(string(vtl.AppendJSON(nil, v)), err)
	fmt.Println(vtl.ToString(v))
	// Output:
	// {"b":[1,2.5],"a":null} <nil>
	// {b=[1,2.5], a=null}
}
