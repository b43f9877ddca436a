package jsonscan_test

import (
	"strings"
	"testing"

	"github.com/gatekit-go/gatekit/internal/jsonscan"
)

// event is shaped like a request's: many short members, some objects, one long text.
var event = `{"version":"2.0","routeKey":"POST /orders/{id}","rawPath":"/orders/17","headers":{` +
	strings.Repeat(`"x-some-header":"of the usual length; q=0.8",`, 12) +
	`"host":"api.example.com"},"requestContext":{` +
	`"accountId":"123456789012","http":{"method":"POST","path":"/orders/17"},` +
	`"time":"12/Mar/2024:19:03:58 +0000","timeEpoch":1710270238000},"isBase64Encoded":false,"body":"` + strings.Repeat(`{\"qty\":1,\"sku\":\"A-17\"},`, 40) + `"}`

func BenchmarkMembers(b *testing.B) {
	b.SetBytes(int64(len(event)))
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for name, value := range jsonscan.Members(event) {
			if jsonscan.Is(name, "headers") {
				for range jsonscan.Members(value) {
					n++
				}
			}
			n++
		}
		if n != 20 {
			b.Fatal(n)
		}
	}
}

func BenchmarkValid(b *testing.B) {
	b.SetBytes(int64(len(event)))
	for b.Loop() {
		if !jsonscan.Valid(event) {
			b.Fatal("not JSON")
		}
	}
}

func BenchmarkText(b *testing.B) {
	body := event[strings.Index(event, `"body":`)+len(`"body":`) : len(event)-1]
	var room []byte
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		room, _ = jsonscan.AppendText(room[:0], body)
	}
}
