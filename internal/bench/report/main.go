// Report runs the benchmarks, computes each figure as a ratio to what stands beside it in the same run, prints all of them, and writes
// them into the README between its markers.
//
//	go -C internal/bench run ./report
//	go -C internal/bench run ./report -quick      # a rough look, and nothing is written
//	go -C internal/bench run ./report -only WebSocket,WAF  # the rows of these, into a part of their own
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit/internal/bench/stacks"
)

func main() {
	quick := flag.Bool("quick", false, "measure briefly, and don't write the README")
	readme := flag.String("readme", "../../README.md", "the file with the markers")
	some := flag.String("only", "", "measure only benchmarks whose names have one of these words, and write their rows into the part of such rows")
	serve := flag.String("serve", "", "serve the stack of this name (the report starts itself so)")
	flag.Parse()
	log.SetFlags(0)
	if *serve != "" {
		if err := serveStack(*serve); err != nil {
			log.Fatal(err)
		}
		return
	}
	count, benchtime := 5, "200ms"
	runs, seconds := 7, 2*time.Second
	if *quick {
		count, benchtime, runs, seconds = 1, "50ms", 1, time.Second
	}
	var only []string
	if *some != "" {
		only = strings.Split(*some, ",")
	}
	m, err := benchmarks(count, benchtime, only)
	if err != nil {
		log.Fatal(err)
	}
	if only != nil {
		text := renderSome(m, *some)
		fmt.Print(text)
		if !*quick {
			if err := write(*readme, beginSome, endSome, text); err != nil {
				log.Fatal(err)
			}
		}
		return
	}
	loads, err := loopback(runs, seconds)
	if err != nil {
		log.Fatal(err)
	}
	text := render(m, loads)
	fmt.Print(text)
	if !*quick {
		err := write(*readme, begin, end, text)
		if err := errors.Join(err, write(*readme, beginSome, endSome, "")); err != nil { // what was measured apart is in it, too
			log.Fatal(err)
		}
	}
}

// medians has the median of each metric of each benchmark: "JWTRepeated/by=gatekit ns/op".
type medians map[string]float64

// coreRuleSet are benchmarks of the module that has the Core Rule Set and its engine, which this one needn't have.
const coreRuleSet = "CRS|TwentyRules|InjectionInJSON"

// benchmarks runs those with a clock several times, and those of memory once: they don't flake. only are words of the names of those
// that are run; nil runs all.
func benchmarks(count int, benchtime string, only []string) (medians, error) {
	samples := map[string][]float64{}
	for _, args := range [][]string{
		{"-bench", "AccessLog|JWTRepeated|JWTNew|Routing|KeyedHot|KeyedMany|CORS|Chain|Yardstick|SigV4|Decision/|Policy|UsagePlan|QuotaFile|Redis|Cache|Domain|VTL|InputPath|ParameterMapping|Validation/items=1/|Validation/items=100/|WAF", "-count", strconv.Itoa(count), "-benchtime", benchtime},
		{"-bench", "Lambda(Event|Request)", "-count", strconv.Itoa(count), "-benchtime", "20000x"},
		{"-bench", "ProxyLoad", "-benchtime", "1x", "-proxyrounds", strconv.Itoa(count), "-proxyfor", "2s"},
		{"-bench", "Proxy$", "-count", strconv.Itoa(count), "-benchtime", benchtime},
		{"-bench", "WebSocketEcho|WebSocketBroadcast|WebSocketNode", "-count", strconv.Itoa(count), "-benchtime", benchtime},
		{"-bench", coreRuleSet, "-count", strconv.Itoa(count), "-benchtime", benchtime},
		{"-bench", "JWTMemory|DecisionMemory|KeyedMemory|WebSocketMemory|WebSocketSlope", "-benchtime", "2x"},
		{"-bench", "IPSet", "-benchtime", benchtime},
		{"-bench", "WebSocketSlowReaders", "-benchtime", "1x"},
		{"-bench", "Fleet", "-benchtime", "1x", "-count", strconv.Itoa(count), "-fleetfor", "2s"},
	} {
		core := args[1] == coreRuleSet
		if only != nil {
			args[1] = alternatives(args[1], only)
		}
		if args[1] == "" {
			continue
		}
		cmd := exec.Command("go", append([]string{"test", "-run", "^$", "-timeout", "20m", "."}, args...)...)
		if core {
			cmd.Dir = "../../auth/waf/crs"
		}
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("go test: %w\n%s", err, out)
		}
		parse(string(out), samples)
	}
	m := medians{}
	for name, values := range samples {
		m[name] = median(values)
	}
	return m, nil
}

// alternatives returns those of a pattern that have one of the words in them.
func alternatives(pattern string, words []string) string {
	all := strings.Split(pattern, "|")
	return strings.Join(slices.DeleteFunc(all, func(name string) bool {
		return !slices.ContainsFunc(words, func(word string) bool { return strings.Contains(name, word) })
	}), "|")
}

// parse reads the lines of go test -bench. (Go benchmark data format.)
func parse(out string, samples map[string][]float64) {
	suffix := "-" + strconv.Itoa(runtime.GOMAXPROCS(0))
	for line := range strings.Lines(out) {
		fields := strings.Fields(line)
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		name := strings.TrimSuffix(strings.TrimPrefix(fields[0], "Benchmark"), suffix)
		for i := 2; i+1 < len(fields); i += 2 {
			if v, err := strconv.ParseFloat(fields[i], 64); err == nil {
				key := name + " " + fields[i+1]
				samples[key] = append(samples[key], v)
			}
		}
	}
}

func median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	if len(s) == 0 {
		return 0
	}
	return s[len(s)/2]
}

const (
	begin, end         = "<!-- bench:begin -->", "<!-- bench:end -->"
	beginSome, endSome = "<!-- bench-some:begin -->", "<!-- bench-some:end -->"
)

func write(path, begin, end, text string) error {
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	head, rest, ok1 := bytes.Cut(old, []byte(begin))
	_, tail, ok2 := bytes.Cut(rest, []byte(end))
	if !ok1 || !ok2 {
		return fmt.Errorf("%s: want the markers %s and %s", path, begin, end)
	}
	return os.WriteFile(path, slices.Concat(head, []byte(begin+"\n"+text), []byte(end), tail), 0o644)
}

// machine says what this was measured on.
func machine() string {
	cpu := "unknown processor"
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				cpu = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%s, %d cores, %s, %s/%s", cpu, runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

func init() { stacks.Quiet() }
