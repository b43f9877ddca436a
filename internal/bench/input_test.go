package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gatekit-go/gatekit/transform"
)

// orderBody is a JSON body of about n bytes: many items, and the owner behind them.
func orderBody(n int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"items":[`)
	for i := 0; b.Len() < n; i++ {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"sku":"sku-%d","qty":%d,"price":%d.50,"name":"An item's name, \"quoted\"","tags":["new","sale"],"stock":true}`, i, i%7, i)
	}
	b.WriteString(`],"owner":{"id":"u-7","name":"Zoë"}}`)
	return b.Bytes()
}

// oneField are ways to read one field of a body.
func oneField(tb testing.TB, r *http.Request) map[string]func(body []byte) string {
	template := must[*transform.Template](tb)(transform.NewTemplate("one", `$input.path('$.owner.id')`))
	return map[string]func([]byte) string{
		"gatekit": func(body []byte) string {
			got, err := template.Render(r, body)
			if err != nil {
				return err.Error()
			}
			return string(got.Output)
		},
		"map": func(body []byte) string {
			var m map[string]any
			if err := json.Unmarshal(body, &m); err != nil {
				return err.Error()
			}
			owner, _ := m["owner"].(map[string]any)
			id, _ := owner["id"].(string)
			return id
		},
	}
}

func TestOneField(t *testing.T) {
	for name, read := range oneField(t, request("POST", "/")) {
		if got := read(orderBody(1 << 20)); got != "u-7" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// BenchmarkInputPath reads one field of a body in a template, beside decoding the whole body into map[string]any.
func BenchmarkInputPath(b *testing.B) {
	for _, size := range []int{1 << 10, 1 << 20} {
		body := orderBody(size)
		for name, read := range oneField(b, request("POST", "/")) {
			b.Run(fmt.Sprintf("body=%dKB/by=%s", size>>10, name), func(b *testing.B) {
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				for b.Loop() {
					if read(body) != "u-7" {
						b.Fatal("not the field")
					}
				}
			})
		}
	}
}

// BenchmarkREST serves a request of 1 KB through a method with both templates and five mapped headers, beside the bare handler.
func BenchmarkREST(b *testing.B) {
	parameters := map[string]string{}
	for i, source := range []string{"method.request.header.X-Tenant", "method.request.querystring.page", "context.requestId", "stageVariables.host", "'fixed'"} {
		parameters[fmt.Sprintf("integration.request.header.X-%d", i)] = source
	}
	m := must[*transform.REST](b)(transform.NewREST(transform.RESTConfig{
		Type: transform.HTTP, RequestParameters: parameters,
		RequestTemplates: map[string]string{"application/json": `{"owner":$input.json('$.owner'),"page":"$input.params('page')"}`},
		IntegrationResponses: []transform.IntegrationResponse{{
			StatusCode: 200, ResponseTemplates: map[string]string{"application/json": `{"done":$input.json('$.ok'),"id":"$context.requestId"}`},
		}},
	}))
	integration := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"ok":true}`)) })
	body := string(orderBody(1 << 10))
	for name, h := range map[string]http.Handler{"bare": integration, "gatekit": m.Middleware(integration)} {
		b.Run("body=1KB/by="+name, func(b *testing.B) {
			r := request("POST", "/?page=2", "X-Tenant", "acme", "Content-Type", "application/json")
			r.ContentLength = int64(len(body))
			w := newResponse()
			b.ReportAllocs()
			for b.Loop() {
				r.Body = readCloser{strings.NewReader(body)}
				if w.serve(h, r) != 200 {
					b.Fatal("refused")
				}
			}
		})
	}
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }
