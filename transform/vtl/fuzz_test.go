package vtl_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gatekit-go/gatekit/transform/vtl"
)

func seeds(f *testing.F) {
	for _, c := range recordedCases(f) {
		f.Add(c.Template)
	}
	for _, c := range oddCases(f) {
		f.Add(c.Template)
	}
	rnd := rand.New(rand.NewPCG(7, 7))
	for range 200 {
		f.Add(generate(rnd))
	}
}

// An error means no template, and says where and what was expected. The name of the template is kept.
func FuzzParse(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		template, err := vtl.Parse("fuzz", text)
		if err == nil {
			if template.Name() != "fuzz" {
				t.Errorf("Parse(%q): name %q", text, template.Name())
			}
			return
		}
		var e *vtl.Error
		if template != nil || !errors.As(err, &e) || e.Template != "fuzz" || !strings.Contains(e.Message, "want") {
			t.Errorf("Parse(%q) = %v, %v", text, template, err)
		}
		if lines := strings.Count(text, "\n") + 1; e.Line > lines || e.Line > 0 && e.Column < 1 {
			t.Errorf("Parse(%q): %v, of %d lines", text, err, lines)
		}
	})
}

// Limits hold, an error leaves no output, and a template does the same each time.
func FuzzExecute(f *testing.F) {
	seeds(f)
	options := vtl.Options{MaxOutputBytes: 1 << 16, MaxSteps: 100_000, MaxAllocBytes: 1 << 22}
	f.Fuzz(func(t *testing.T, text string) {
		template, err := options.Parse("fuzz", text)
		if err != nil {
			return
		}
		var first, second strings.Builder
		err1 := template.Execute(&first, oracleVars())
		err2 := template.Trace(&second, oracleVars(), func(r vtl.Reference) {
			if r.Line < 1 || r.Column < 1 {
				t.Errorf("%q: %q at %d:%d", text, r.Text, r.Line, r.Column)
			}
		})
		if (err1 == nil) != (err2 == nil) || first.String() != second.String() {
			t.Errorf("%q: first %q, %v, then %q, %v", text, first.String(), err1, second.String(), err2)
		}
		if first.Len() > 1<<16 || err1 != nil && first.Len() > 0 {
			t.Errorf("%q: %d bytes and %v", text, first.Len(), err1)
		}
	})
}
