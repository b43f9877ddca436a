// Importcases tries the readers of documents on cases: real documents, and what has to come out of
// them.
//
//	go run ./internal/importcases DIR
//
// DIR has openapi.jsonl, sam.jsonl and cloudformation.jsonl, a case a line, with these members:
//
//   - name;
//   - config: document (JSON, or {"$yaml": text} or {"$text": text}), flavor, and the import's
//     parameters (basepath, failonwarnings) and mode; or template with its stack, parameters and
//     files beside it, or assembly, the files of a cdk.out folder by name; account and region;
//   - expected, in the words of a definition's JSON form (routes by key, authorizers by name,
//     binary_media_types …, models as a list of names); or as the managed gateway's control API
//     shows it (methods by route key, lists of authorizers, models and request_validators, api);
//     or refused, with a message and names that the error has to have.
//
// What a case doesn't expect isn't judged, but that there are no routes, authorizers and models
// beside the expected ones, and no route that asks for an API key unexpectedly. <name> in a text
// stands for any text, within one case for the same.
//
// What was read is built, too, and each route that the case or the document protects is asked by a
// stranger: anything but a refusal is a difference. What the document protects is found by a
// reading that is independent of the tried one.
//
// It prints by case what differs, and a summary; the exit code is 1 if anything differs, 2 if the
// cases can't be read.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Case is one document and what is expected of it.
type Case struct {
	Name   string `json:"name"`
	Config struct {
		Document   json.RawMessage `json:"document"`
		Flavor     string          `json:"flavor"`
		Mode       string          `json:"mode"`
		Parameters map[string]any  `json:"parameters"` // of the import: basepath, failonwarnings; or the template's

		Template json.RawMessage            `json:"template"`
		Stack    string                     `json:"stack"`
		Files    map[string]json.RawMessage `json:"files"`    // beside the template
		Assembly map[string]json.RawMessage `json:"assembly"` // the files of a cdk.out folder
		Account  string                     `json:"account"`
		Region   string                     `json:"region"`
	} `json:"config"`
	Expected map[string]any `json:"expected"`
}

// files are those of a directory, with what tries a case of them.
var files = []struct {
	name string
	try  func(*Case) []string
}{
	{"openapi.jsonl", tryOpenAPI},
	{"sam.jsonl", tryTemplate},
	{"cloudformation.jsonl", tryTemplate},
}

// maxLine bounds a case.
const maxLine = 64 << 20

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: importcases DIR")
		os.Exit(2)
	}
	os.Exit(run(os.Args[1], os.Stdout))
}

// run tries all cases of a directory, and returns the exit code.
func run(dir string, out io.Writer) int {
	code := 0
	for _, f := range files {
		total, differ, err := tryFile(filepath.Join(dir, f.name), f.try, out)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			fmt.Fprintf(out, "%s: there is no such file\n", f.name)
		case err != nil:
			fmt.Fprintf(out, "%s: %v\n", f.name, err)
			code = 2
		default:
			fmt.Fprintf(out, "%s: %d cases, %d as expected, %d differ\n", f.name, total, total-differ, differ)
		}
		if differ > 0 {
			code = max(code, 1)
		}
	}
	return code
}

func tryFile(path string, try func(*Case) []string, out io.Writer) (total, differ int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		total++
		c := new(Case)
		if err := json.Unmarshal(lines.Bytes(), c); err != nil {
			return total, differ, fmt.Errorf("line %d: %w", total, err)
		}
		differences := try(c)
		if len(differences) == 0 {
			continue
		}
		differ++
		fmt.Fprintln(out, c.Name)
		for _, d := range differences {
			fmt.Fprintf(out, "\t%s\n", d)
		}
	}
	return total, differ, lines.Err()
}
