package bench

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/integration"
	"github.com/gatekit-go/gatekit/route/lambdaruntime"
)

// build builds a program of the main module.
func build(b *testing.B, pkg, name string) string {
	b.Helper()
	program := filepath.Join(b.TempDir(), name)
	cmd := exec.Command("go", "build", "-o", program, pkg)
	cmd.Dir = "../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	return program
}

// BenchmarkFunctions calls functions that run as processes, through a route and the Lambda
// integration, from several clients at a time: aim is 4,000 requests a second in Go and 1,500 in Node,
// on two cores that the function has a part of.
func BenchmarkFunctions(b *testing.B) {
	dir := b.TempDir()
	for name, code := range map[string]string{
		"index.js": "exports.handler = async event => ({statusCode: 200, body: event.pathParameters.id});",
		"index.py": "def handler(event, context): return {'statusCode': 200, 'body': event['pathParameters']['id']}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(code), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	for _, c := range []lambdaruntime.Config{
		{Name: "go", Command: []string{build(b, "./route/lambdaruntime/testdata/go", "bootstrap")}, Dir: dir},
		{Name: "node", Runtime: "nodejs", Handler: "index.handler", Dir: dir},
		{Name: "python", Runtime: "python3", Handler: "index.handler", Dir: dir},
	} {
		b.Run("runtime="+c.Name, func(b *testing.B) {
			c.Concurrency, c.Log = 2, io.Discard
			f := gatekit.Must(lambdaruntime.New(c))
			defer f.Close()
			api := gatekit.Must(route.New(route.Config{}))
			api.Handle("GET /orders/{id}", gatekit.Must(integration.NewLambda(f, integration.LambdaConfig{})))
			call := func() int {
				w := httptest.NewRecorder()
				api.ServeHTTP(w, httptest.NewRequest("GET", "/orders/7", nil))
				return w.Code
			}
			b.SetParallelism(4)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if call() != http.StatusOK {
						b.Error("no answer")
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
		})
	}
}

// BenchmarkServeStart is examples/serve from its start to its first answer, with its function built:
// aim is 300 ms.
func BenchmarkServeStart(b *testing.B) {
	program := build(b, "./examples/serve", "serve")
	function := build(b, "./examples/serve/app/orders", "orders")
	for b.Loop() {
		cmd := exec.Command(program, "-template", "../../examples/serve/cdk.out/manifest.json", "-function", "Orders/GetOrder="+function)
		out, err := cmd.StdoutPipe()
		if err != nil {
			b.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		set := map[string]string{}
		for in := bufio.NewScanner(out); in.Scan() && !strings.HasPrefix(in.Text(), "# ctrl-c"); {
			if name, value, ok := strings.Cut(in.Text(), "="); ok {
				set[name] = value
			}
		}
		aud, _, _ := strings.Cut(strings.TrimPrefix(set["TOKEN"], "$(curl -s -d '"), "'")
		token, err := http.Post(set["MINT"], "", strings.NewReader(aud))
		if err != nil {
			b.Fatal(err)
		}
		text, _ := io.ReadAll(token.Body)
		_ = token.Body.Close()
		r, _ := http.NewRequest("GET", set["API"]+"/orders/7", nil)
		r.Header.Set("Authorization", "Bearer "+string(text))
		w, err := http.DefaultClient.Do(r)
		if err != nil || w.StatusCode != http.StatusOK {
			b.Fatal(w, err)
		}
		_ = w.Body.Close()
		b.StopTimer()
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		b.StartTimer()
	}
}
