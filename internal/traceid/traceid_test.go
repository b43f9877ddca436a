package traceid_test

import (
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
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
		if at, ok := traceid.Parse(header).W3C(); ok { // and is the same in W3C's form
			again := traceid.FromW3C(&at)
			require.Equal(t, strings.ToLower(traceid.Parse(header).Root), again.Root)
			require.Equal(t, strings.ToLower(traceid.Parse(header).Parent), again.Parent)
			require.Len(t, traceid.Traceparent(&at), 55)
		}
	})
}

func TestW3C(t *testing.T) {
	const root, parent = "1-5759e988-bd862e3fe1be46a994272793", "53995c3f42cd8ad8"
	at, ok := traceid.Parse("Root=" + root + ";Parent=" + parent + ";Sampled=1").W3C()
	require.True(t, ok)
	require.Equal(t, "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01", traceid.Traceparent(&at))
	require.Equal(t, traceid.Trace{Root: root, Parent: parent, Sampled: "1"}, traceid.FromW3C(&at))
	at.Sampled = false
	require.Equal(t, "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-00", traceid.Traceparent(&at))
	require.Equal(t, "0", traceid.FromW3C(&at).Sampled)
	for _, header := range []string{
		"", "Root=" + root, "Parent=" + parent, "Root=" + root + ";Parent=0000000000000000",
		"Root=1-00000000-000000000000000000000000;Parent=" + parent,
	} {
		_, ok := traceid.Parse(header).W3C()
		require.False(t, ok, header)
	}
}

// A station that traces has the last word on what goes on.
func TestOf(t *testing.T) {
	const client = "Root=1-5759e988-bd862e3fe1be46a994272793"
	rc, _ := gatekit.Attach(httptest.NewRequest("GET", "/", nil))
	require.Equal(t, client, traceid.Of(rc, []string{client}, false, rc.Time).String())
	rc.SetTraceContext(&gatekit.TraceContext{TraceID: [16]byte{0: 0xab, 15: 1}, SpanID: [8]byte{7: 2}})
	require.Equal(t, "Root=1-ab000000-000000000000000000000001;Parent=0000000000000002;Sampled=0", traceid.Of(rc, []string{client}, true, rc.Time).String())
	require.Regexp(t, "^Root=1-", traceid.Of(nil, nil, false, rc.Time).String())
}
