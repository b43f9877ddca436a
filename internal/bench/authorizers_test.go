package bench

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/authtest"
	"github.com/gatekit-go/gatekit/auth/policy"
)

const secretKey = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

// body is a request's body that is read again for each round.
type body struct{ *bytes.Reader }

func (b body) Close() error { return nil }

// BenchmarkSigV4 verifies a signed request, beside signing it again with the SDK and comparing, and beside nothing but hash and HMAC.
func BenchmarkSigV4(b *testing.B) {
	iam := must[*auth.SigV4](b)(auth.NewSigV4(auth.SigV4Config{Region: "us-east-1", Credentials: auth.StaticCredentials{"AKIDEXAMPLE": {SecretAccessKey: secretKey}}}))
	live := bytes.Repeat([]byte("x"), 64<<20) // a service's heap: an empty one would be collected for each 4 MB of bodies
	defer runtime.KeepAlive(live)
	signer := v4.NewSigner()
	credentials := aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: secretKey}
	for _, size := range []int{0, 64 << 10} {
		data := bytes.Repeat([]byte("x"), size)
		build := func() (*http.Request, *bytes.Reader) {
			reader := bytes.NewReader(data)
			r := httptest.NewRequest("POST", "/prod/orders/7?a=1&b=2", body{reader})
			r.ContentLength = int64(size)
			if size == 0 {
				r.Body = http.NoBody
			}
			r.Header.Set("Content-Type", "application/json")
			return r, reader
		}
		name := fmt.Sprintf("body=%d", size)
		b.Run(name+"/by=gatekit", func(b *testing.B) {
			r, reader := build()
			if err := (authtest.Signer{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: secretKey, Region: "us-east-1"}).Sign(r, time.Now()); err != nil {
				b.Fatal(err)
			}
			_, r = gatekit.Attach(r)
			b.ReportAllocs()
			for b.Loop() {
				if size > 0 {
					reader.Reset(data)
					r.Body = body{reader}
				}
				if _, err := iam.Authorize(r); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/by=aws-sdk-resign", func(b *testing.B) {
			r, reader := build()
			at := time.Now()
			sum := sha256.Sum256(data)
			if err := signer.SignHTTP(context.Background(), credentials, r, hex.EncodeToString(sum[:]), "execute-api", "us-east-1", at); err != nil {
				b.Fatal(err)
			}
			want := r.Header.Get("Authorization")
			b.ReportAllocs()
			for b.Loop() {
				reader.Reset(data)
				again := r.Clone(context.Background())
				again.Header.Del("Authorization")
				read, err := io.ReadAll(reader)
				if err != nil {
					b.Fatal(err)
				}
				sum := sha256.Sum256(read)
				if err := signer.SignHTTP(context.Background(), credentials, again, hex.EncodeToString(sum[:]), "execute-api", "us-east-1", at); err != nil {
					b.Fatal(err)
				}
				if !hmac.Equal([]byte(again.Header.Get("Authorization")), []byte(want)) {
					b.Fatal("another signature")
				}
			}
		})
		b.Run(name+"/by=bare-hash-and-hmac", func(b *testing.B) {
			key := []byte(secretKey[:32])
			text := []byte(strings.Repeat("x", 140))
			for b.Loop() {
				sha256.Sum256(data)
				h := hmac.New(sha256.New, key)
				h.Write(text)
				h.Sum(nil)
			}
		})
	}
}

// invoker is a function that allows the GET methods of a stage.
type invoker struct{}

func (invoker) Invoke(context.Context, []byte) ([]byte, error) {
	return []byte(`{"principalId":"user-7","policyDocument":{"Version":"2012-10-17","Statement":[` +
		`{"Action":"execute-api:Invoke","Effect":"Allow","Resource":"arn:aws:execute-api:us-east-1:111122223333:a1b2c3d4e5/prod/GET/*"},` +
		`{"Action":"execute-api:Invoke","Effect":"Deny","Resource":"arn:aws:execute-api:us-east-1:111122223333:a1b2c3d4e5/prod/*/admin"}]},"context":{"tenant":"t9"}}`), nil
}

var benchAPI = gatekit.API{Flavor: gatekit.REST, Region: "us-east-1", AccountID: "111122223333", APIID: "a1b2c3d4e5", Stage: "prod"}

func lambdaRequest(token string) *http.Request {
	r := request("GET", "/orders/7", "Authorization", token)
	rc, r := gatekit.Attach(r)
	rc.API = &benchAPI
	return r
}

// BenchmarkDecision is a hit of the decision cache: key, look-up, and the policy's evaluation.
func BenchmarkDecision(b *testing.B) {
	l := must[*auth.Lambda](b)(auth.NewLambda(invoker{}, auth.LambdaConfig{}))
	token := "Bearer " + strings.Repeat("x", 600)
	run := func(r *http.Request) {
		if _, err := l.Authorize(r); err != nil {
			panic(err)
		}
	}
	b.Run("by=gatekit", func(b *testing.B) {
		r := lambdaRequest(token)
		b.ReportAllocs()
		for b.Loop() {
			run(r)
		}
	})
	b.Run("by=gatekit/parallel=true", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			r := lambdaRequest(token)
			for pb.Next() {
				run(r)
			}
		})
	})
}

// BenchmarkDecisionMemory keeps decisions on a million tokens, and tells the heap's bytes for each.
func BenchmarkDecisionMemory(b *testing.B) {
	count := 1_000_000
	if testing.Short() || b.N == 1 && benchtimeIsOnce() {
		count = 2_000
	}
	for b.Loop() {
		before := heap()
		l := must[*auth.Lambda](b)(auth.NewLambda(invoker{}, auth.LambdaConfig{CacheConfig: auth.CacheConfig{MaxEntries: 2 * count}}))
		r := lambdaRequest("")
		for n := range count {
			r.Header["Authorization"] = []string{fmt.Sprintf("token %d", n)}
			if _, err := l.Authorize(r); err != nil {
				b.Fatal(err)
			}
		}
		if got := l.Stats().Entries; got < count*99/100 {
			b.Fatalf("want %d entries, got %d", count, got)
		}
		b.ReportMetric(float64(heap()-before)/float64(count), "bytes/decision")
		runtime.KeepAlive(l)
	}
}

// BenchmarkPolicy evaluates 20 statements with wildcards and two conditions each; all match but for the last condition, which only the last one's does.
func BenchmarkPolicy(b *testing.B) {
	var statements []string
	for n := range 20 {
		statements = append(statements, fmt.Sprintf(`{"Effect":"Allow","Action":["execute-api:Invoke","execute-api:Manage*"],"Resource":"arn:aws:execute-api:*:111122223333:a1b2c3d4e5/prod/*/orders/*/items?*",`+
			`"Condition":{"IpAddress":{"aws:SourceIp":["192.0.2.0/24","198.51.100.0/24"]},"StringLike":{"aws:UserAgent":"*agent-%02d*"}}}`, n))
	}
	p := must[*policy.Policy](b)(policy.Parse(`{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`))
	r := &policy.Request{
		Action: policy.Invoke, Resource: "arn:aws:execute-api:us-east-1:111122223333:a1b2c3d4e5/prod/GET/orders/7/items19/1",
		SourceIP: netip.MustParseAddr("198.51.100.7"), UserAgent: "some agent-19/8",
	}
	b.Run("statements=20", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if !policy.Evaluate(r, p).Allowed() {
				b.Fatal("want it allowed")
			}
		}
	})
	for _, length := range []int{1000, 10_000} {
		hostile := must[*policy.Policy](b)(policy.Parse(`{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:execute-api:us-east-1:1:` + strings.Repeat("*a", length/2) + `b"}}`))
		text := &policy.Request{Action: policy.Invoke, Resource: "arn:aws:execute-api:us-east-1:1:" + strings.Repeat("a", length)}
		b.Run(fmt.Sprintf("hostile=%d", length), func(b *testing.B) {
			for b.Loop() {
				policy.Evaluate(text, hostile)
			}
		})
	}
}
