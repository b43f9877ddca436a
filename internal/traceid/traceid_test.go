package traceid_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/traceid"
)

func own(id string) func() string { return func() string { return id } }

func TestTrace(t *testing.T) {
	const root = "1-5759e988-bd862e3fe1be46a994272793"
	for header, want := range map[string]traceid.Trace{
		"Root=" + root:                            {Root: root},
		" Root=" + root + " ; Sampled=1":          {Root: root, Sampled: "1"},
		"Parent=53995c3f42cd8ad8;Sampled=?":       {Parent: "53995c3f42cd8ad8"},
		"Root=" + root + ";Root=x":                {Root: root},
		"Root=2" + root[1:]:                       {},
		"Root=" + root[:34] + "g":                 {},
		"root=" + root:                            {},
		"":                                        {},
		"Root=" + root + strings.Repeat(";", 600): {},
	} {
		require.Equal(t, want, traceid.Parse(header), header)
	}
	now := time.Unix(0x5759e988, 0)
	require.Equal(t, "Root="+root, traceid.New([]string{"Root=" + root}, false, own("id"), now).String())
	require.Equal(t, "Root="+root+";Parent=53995c3f42cd8ad8", traceid.New([]string{"Root=" + root + ";Parent=53995c3f42cd8ad8"}, false, own("id"), now).String())
	require.Regexp(t, `^Root=1-5759e988-[0-9a-f]{24}$`, traceid.New(nil, false, own("id"), now).String())
	require.Regexp(t, `^Root=1-5759e988-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$`, traceid.New([]string{"a", "b"}, true, own("id"), now).String())
	require.Equal(t, "Root="+root+";Sampled=1", traceid.New([]string{"Root=" + root + ";Sampled=1"}, false, own("id"), now).String())
	require.Equal(t, traceid.New(nil, true, own("id"), now), traceid.New(nil, true, own("id"), now), "whoever asks hears the same")
	require.NotEqual(t, traceid.New(nil, false, own(""), now), traceid.New(nil, false, own(""), now))
	seen := map[string]bool{}
	for id := range 10_000 {
		trace := traceid.New(nil, true, own(strconv.Itoa(id)), now)
		require.False(t, seen[trace.Root] || seen[trace.Parent] || seen[trace.Root[11:27]])
		require.NotEqual(t, trace.Root[19:27], trace.Root[27:], "random in all its parts")
		seen[trace.Root], seen[trace.Parent], seen[trace.Root[11:27]] = true, true, true
	}
}

// Whatever a client sends, what goes on has the form, and stays as it is from then on.
func FuzzNew(f *testing.F) {
	f.Add("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1", true)
	f.Add("Self=1-2;Root=1-5759e988-bd862e3fe1be46a994272793;Lineage=a:1", false)
	f.Fuzz(func(t *testing.T, header string, rest bool) {
		once := traceid.New([]string{header}, rest, own(header), time.Unix(1, 0)).String()
		require.Regexp(t, `^Root=1-[0-9a-fA-F]{8}-[0-9a-fA-F]{24}(;Parent=[0-9a-fA-F]{16})?(;Sampled=[01])?$`, once)
		require.Equal(t, once, traceid.New([]string{once}, rest, own(header), time.Unix(2, 0)).String())
	})
}
