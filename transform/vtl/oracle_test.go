//go:build velocity

package vtl_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A velocity is a process with Velocity 1.7, as Debian's packages velocity and default-jdk-headless have it.
type velocity struct {
	in  *bufio.Writer
	out *bufio.Reader
}

func startVelocity(t testing.TB) *velocity {
	cmd := exec.Command("java", "-Xss4m", "-Xmx1g", "-cp",
		"/usr/share/java/velocity.jar:/usr/share/java/commons-collections3.jar:/usr/share/java/commons-lang.jar", "testdata/velocity/Oracle.java")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start(), "apt-get install velocity default-jdk-headless")
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("java: %v: apt-get install velocity default-jdk-headless", err)
		}
	})
	return &velocity{bufio.NewWriter(in), bufio.NewReader(out)}
}

// render returns the output, or the exception.
func (v *velocity) render(t testing.TB, template string) (output, exception string) {
	v.in.WriteByte('R')
	require.NoError(t, binary.Write(v.in, binary.BigEndian, int32(len(template))))
	v.in.WriteString(template)
	require.NoError(t, v.in.Flush())
	failed, err := v.out.ReadByte()
	require.NoError(t, err)
	var n int32
	require.NoError(t, binary.Read(v.out, binary.BigEndian, &n))
	text := make([]byte, n)
	_, err = io.ReadFull(v.out, text)
	require.NoError(t, err)
	if failed != 0 {
		return "", string(text)
	}
	return string(text), ""
}

// known are the differences that stay, with what tells them.
var known = []struct {
	reason string
	is     func(template, ours, theirs string, err error, exception string) bool
}{
	{"an iterator prints nothing, not its place in memory", func(_, _, theirs string, _ error, _ string) bool { return strings.Contains(theirs, "Itr@") }},
	{"the hashCode of an array or an iterator is 1 or so, not its place in memory", func(template, _, _ string, err error, exception string) bool {
		return err == nil && exception == "" && strings.Contains(template, "hashCode()") &&
			(strings.Contains(template, "split(") || strings.Contains(template, "iterator()"))
	}},
	{"a limit of Options ends what would go on", func(_, _, _ string, err error, _ string) bool {
		return err != nil && strings.Contains(err.Error(), "Options.")
	}},
	{"an integer beyond 64 bits with a float is calculated as a double, not as a BigDecimal", func(template, _, _ string, err error, exception string) bool {
		return err == nil && exception == "" && strings.Contains(template, "12345678901234567890") && strings.Contains(template, ".")
	}},
}

// identity is how Java prints an array: by its place in memory.
var identity = regexp.MustCompile(`(\[Ljava\.lang\.\w+;@)[0-9a-f]+`)

// As many templates as TEMPLATES says, 20000 without it, from SEED or 1.
func TestVelocityAgrees(t *testing.T) {
	setting := func(name string, initial int) int {
		if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
			return n
		}
		return initial
	}
	n, seed := setting("TEMPLATES", 20000), setting("SEED", 1)
	v := startVelocity(t)
	differences := make([]int, len(known))
	failed, wrong := 0, 0
	compare := func(template string) {
		theirs, exception := v.render(t, template)
		ours, err := render(template, oracleVars())
		ours, theirs = identity.ReplaceAllString(ours, "$1"), identity.ReplaceAllString(theirs, "$1")
		if exception != "" {
			failed++
		}
		if (err != nil) == (exception != "") && ours == theirs {
			return
		}
		for i, d := range known {
			if d.is(template, ours, theirs, err, exception) {
				differences[i]++
				return
			}
		}
		if wrong++; wrong <= 40 {
			t.Errorf("template %q\nours     %q %v\nVelocity %q %s", template, ours, err, theirs, exception)
		}
	}
	for _, c := range recordedCases(t) {
		compare(c.Template)
	}
	odd := oddCases(t)
	for _, c := range odd {
		compare(c.Template)
		theirs, exception := v.render(t, c.Template)
		require.Equal(t, c.Output, theirs, c.Template)
		require.Equal(t, c.Fails, exception != "", c.Template)
	}
	rnd := rand.New(rand.NewPCG(uint64(seed), 0))
	for range n {
		compare(generate(rnd))
	}
	fmt.Printf("vtl: %d templates compared with Velocity 1.7, of which %d fail in both; %d known differences, %d others\n",
		n+len(odd)+len(recordedCases(t)), failed, sum(differences), wrong)
	for i, d := range known {
		fmt.Printf("vtl: known difference, %d times: %s\n", differences[i], d.reason)
	}
}

func sum(ns []int) (n int) {
	for _, i := range ns {
		n += i
	}
	return n
}
