// Package house holds the test that keeps the code in a form that is easy to read: short files, short functions, short lines.
package house_test

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// The house's measures. A tab is four columns. Measured are files that are no tests: those of the module, and of the examples
// that are modules of their own.
const (
	maxFileLines      = 350
	maxFunctionLines  = 60
	maxCodeColumns    = 120
	maxCommentColumns = 100
)

const (
	root       = "../.."
	exceptions = "testdata/exceptions.txt"
)

var update = flag.Bool("update", false, "take out of the exceptions what is none any more")

// measured counts what is above a measure: by kind and file, and for functions by name.
type measured map[string]int

// count measures one file: its lines if they are too many, its long functions, and how many lines are too wide.
func (m measured) count(path string, source []byte) error {
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, path, source, parser.ParseComments)
	if err != nil {
		return err
	}
	if lines := bytes.Count(source, []byte("\n")); lines > maxFileLines {
		m["file "+path] = lines
	}
	for _, d := range parsed.Decls {
		if f, ok := d.(*ast.FuncDecl); ok {
			lines := files.Position(f.End()).Line - files.Position(f.Pos()).Line + 1
			if lines > maxFunctionLines {
				m["function "+path+" "+nameOf(f)] = lines
			}
		}
	}
	within := textLines(source)
	for i, line := range strings.Split(string(source), "\n") {
		columns := utf8.RuneCountInString(line) + 3*strings.Count(line, "\t")
		text := strings.TrimLeft(line, "\t")
		switch comment := strings.HasPrefix(text, "//"); {
		case within[i+1]: // a template, or what a program prints
		case strings.HasPrefix(text, "//\t"): // a code block or a table in a doc
			m.add("code "+path, columns > maxCodeColumns)
		case comment && len(text) > 2 && text[2] != ' ': // a directive
		case comment:
			m.add("comment "+path, columns > maxCommentColumns)
		default:
			m.add("code "+path, columns > maxCodeColumns)
		}
	}
	return nil
}

func (m measured) add(what string, above bool) {
	if above {
		m[what]++
	}
}

func nameOf(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	of := f.Recv.List[0].Type
	for {
		switch t := of.(type) {
		case *ast.StarExpr:
			of = t.X
		case *ast.IndexExpr:
			of = t.X
		case *ast.IndexListExpr:
			of = t.X
		case *ast.Ident:
			return t.Name + "." + f.Name.Name
		default:
			return f.Name.Name
		}
	}
}

// textLines are the lines that hold a part of a raw string of several lines.
func textLines(source []byte) map[int]bool {
	lines := map[int]bool{}
	files := token.NewFileSet()
	file := files.AddFile("", files.Base(), len(source))
	var s scanner.Scanner
	s.Init(file, source, nil, 0)
	for {
		pos, tok, text := s.Scan()
		if tok == token.EOF {
			return lines
		}
		if n := strings.Count(text, "\n"); tok == token.STRING && n > 0 {
			for i := range n + 1 {
				lines[file.Line(pos)+i] = true
			}
		}
	}
}

// each calls f for every Go file of ours.
func each(t *testing.T, f func(path string, source []byte)) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(filepath.ToSlash(path), root+"/")
		if d.IsDir() {
			if base := d.Name(); base == "testdata" || base != ".." && strings.HasPrefix(base, ".") {
				return fs.SkipDir
			}
			if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil && strings.HasPrefix(name, "internal/") {
				return fs.SkipDir // benchmarks beside peers, tests beside other programs
			}
			return nil
		}
		if strings.HasSuffix(name, ".go") {
			source, err := os.ReadFile(path)
			require.NoError(t, err)
			f(name, source)
		}
		return nil
	}))
}

// allowed reads the exceptions: a number, and what has it.
func allowed(t *testing.T) measured {
	t.Helper()
	text, err := os.ReadFile(exceptions)
	require.NoError(t, err)
	m := measured{}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		var n int
		_, err := fmt.Sscan(line, &n)
		require.NoError(t, err, line)
		_, what, _ := strings.Cut(line, " ")
		m[what] = n
	}
	return m
}

// Nothing new is above the house's measures, and what was above them has not grown. The exceptions are what there was when the
// measures came; with -update they lose what has been repaired since. None is ever added.
func TestMeasures(t *testing.T) {
	now, before := measured{}, allowed(t)
	each(t, func(path string, source []byte) {
		if !strings.HasSuffix(path, "_test.go") {
			require.NoError(t, now.count(path, source))
		}
	})
	for _, what := range slices.Sorted(maps.Keys(now)) {
		if now[what] > before[what] {
			t.Errorf("%s: %d, where %s", what, now[what], cmp.Or(limitOf(before[what]), "none is allowed: "+measures))
		}
	}
	repaired := 0
	for what, n := range before {
		if now[what] < n {
			repaired++
		}
	}
	if repaired > 0 && !*update {
		t.Logf("%d exceptions are none any more: go test ./internal/house -update", repaired)
	}
	if *update && !t.Failed() {
		write(t, now)
	}
}

const measures = "files have at most 350 lines, functions 60, code 120 columns, comments 100"

func limitOf(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("the exception is for %d", n)
}

func write(t *testing.T, m measured) {
	t.Helper()
	var out strings.Builder
	out.WriteString("# What is above the house's measures and was there before them. This list only gets shorter.\n")
	out.WriteString("# file: its lines; function: its lines; code, comment: how many lines of the file are too wide.\n")
	for _, what := range slices.Sorted(maps.Keys(m)) {
		fmt.Fprintf(&out, "%d %s\n", m[what], what)
	}
	require.NoError(t, os.WriteFile(exceptions, []byte(out.String()), 0o644))
}

// The measures measure.
func TestCount(t *testing.T) {
	long := strings.Repeat("x", 110)
	for _, tt := range []struct {
		name, source string
		want         measured
	}{
		{"nothing", "package p\n", measured{}},
		{"code", "package p\n\nvar a = \"" + long + long + "\"\n", measured{"code p.go": 1}},
		{"code-within-bounds", "package p\n\nvar a = \"" + long + "\"\n", measured{}},
		{"comment", "package p\n\n// a " + long + "\nvar a int\n", measured{"comment p.go": 1}},
		{"directive", "package p\n\n//go:generate " + long + "\nvar a int\n", measured{}},
		{"table", "package p\n\n//\ta " + long + "\nvar a int\n", measured{}},
		{"text", "package p\n\nvar a = `\n" + long + long + "\n`\n", measured{}},
		{"function", "package p\n\nfunc (m *T[K]) f() {" + strings.Repeat("\n", 60) + "}\n", measured{"function p.go T.f": 61}},
		{"file", "package p\n" + strings.Repeat("\n", 350), measured{"file p.go": 351}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := measured{}
			require.NoError(t, got.count("p.go", []byte(tt.source)))
			require.Equal(t, tt.want, got)
		})
	}
}
