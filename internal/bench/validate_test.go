package bench

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/gatekit-go/gatekit/transform/validate"
)

const orderSchema = `{"$schema":"http://json-schema.org/draft-04/schema#","type":"object","required":["id","customer","items"],
	"properties":{"id":{"type":"integer","minimum":1},"customer":{"type":"string","minLength":1,"maxLength":100,"pattern":"^[A-Za-z ]+$"},"note":{"type":["string","null"]},
		"items":{"type":"array","minItems":1,"items":{"type":"object","required":["sku","quantity","price"],"additionalProperties":false,"properties":{
			"sku":{"type":"string","pattern":"^[A-Z]{3}-[0-9]+$"},"quantity":{"type":"integer","minimum":1,"maximum":1000},"price":{"type":"number","minimum":0},"tags":{"type":"array","items":{"type":"string"}}}}}}}`

// orderOf is an order with so many items, of some 80 bytes each.
func orderOf(items int) []byte {
	var b strings.Builder
	b.WriteString(`{"id": 4711, "customer": "Ann Example", "note": null, "items": [`)
	for i := range items {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, `{"sku": "ABC-%d", "quantity": %d, "price": %d.95, "tags": ["new", "gr\u00fcn"]}`, i, i%1000+1, i)
	}
	b.WriteString("]}")
	return []byte(b.String())
}

// plainValidation is what a program does without us: read, decode, validate.
func plainValidation(tb testing.TB) func(body io.Reader) error {
	doc := must[any](tb)(jsonschema.UnmarshalJSON(strings.NewReader(orderSchema)))
	c := jsonschema.NewCompiler()
	if err := c.AddResource("order.json", doc); err != nil {
		tb.Fatal(err)
	}
	schema := must[*jsonschema.Schema](tb)(c.Compile("order.json"))
	return func(body io.Reader) error {
		value, err := jsonschema.UnmarshalJSON(body)
		if err != nil {
			return err
		}
		return schema.Validate(value)
	}
}

func orderValidator(tb testing.TB) http.Handler {
	models := must[*validate.Models](tb)(validate.NewModels(validate.ModelsConfig{Schemas: map[string]string{"Order": orderSchema}}))
	return must[*validate.Validator](tb)(validate.New(validate.Config{
		ValidateBody: true, Models: models, RequestModels: map[string]string{"application/json": "Order"},
	})).Middleware(nothing)
}

// bodyRequest returns a request whose body can be sent again.
func bodyRequest(body []byte) (r *http.Request, again func()) {
	r = request("POST", "/orders", "Content-Type", "application/json")
	r.ContentLength = int64(len(body))
	again = func() { r.Body = io.NopCloser(bytes.NewReader(body)) }
	again()
	return r, again
}

func TestValidation(t *testing.T) {
	plain, ours := plainValidation(t), orderValidator(t)
	for _, tt := range []struct {
		body []byte
		want int
	}{{orderOf(3), 200}, {bytes.Replace(orderOf(3), []byte("4711"), []byte("0"), 1), 400}, {[]byte(`{}`), 400}} {
		r, _ := bodyRequest(tt.body)
		if got := newResponse().serve(ours, r); got != tt.want {
			t.Errorf("%s: %d", tt.body, got)
		}
		if err := plain(bytes.NewReader(tt.body)); (err == nil) != (tt.want == 200) {
			t.Errorf("%s: %v", tt.body, err)
		}
	}
}

// BenchmarkValidation: ours may take at most a tenth longer than decoding and validating do.
func BenchmarkValidation(b *testing.B) {
	plain, ours := plainValidation(b), orderValidator(b)
	for _, items := range []int{1, 100, 10_000} {
		body := orderOf(items)
		b.Run(fmt.Sprintf("items=%d/by=jsonschema", items), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := plain(bytes.NewReader(body)); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("items=%d/by=gatekit", items), func(b *testing.B) {
			r, again := bodyRequest(body)
			w := newResponse()
			b.ReportAllocs()
			for b.Loop() {
				again()
				if w.serve(ours, r) != 200 {
					b.Fatal(w.status)
				}
			}
		})
	}
}
