package traceid_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/traceid"
)

var now = time.Unix(0x64a7b1c2, 0)

func TestRoot(t *testing.T) {
	require.Regexp(t, `^Root=1-64a7b1c2-[0-9a-f]{24}$`, traceid.Root(now))
	require.NotEqual(t, traceid.Root(now), traceid.Root(now))
}

func TestExtend(t *testing.T) {
	const root = "Root=1-5759e988-bd862e3fe1be46a994272793"
	for header, want := range map[string]string{
		"":                                  `^Root=1-64a7b1c2-[0-9a-f]{24}$`,
		root:                                `^` + root + `;Parent=[0-9a-f]{16};Sampled=0$`,
		root + ";Sampled=1":                 `^` + root + `;Parent=[0-9a-f]{16};Sampled=1$`,
		root + ";Sampled=?":                 `^` + root + `;Parent=[0-9a-f]{16};Sampled=0$`,
		root + ";Parent=53995c3f42cd8ad8":   `^` + root + `;Parent=53995c3f42cd8ad8;Sampled=0$`,
		"Self=1-2;" + root + ";Lineage=a:1": `^` + root + `;Parent=[0-9a-f]{16};Sampled=0$`,
		"Parent=53995c3f42cd8ad8":           `^Root=1-64a7b1c2-[0-9a-f]{24}$`,
		root + ";x=<script>":                `^Root=1-64a7b1c2-[0-9a-f]{24}$`,
		root + ";" + root:                   `^Root=1-64a7b1c2-[0-9a-f]{24}$`,
		root + ";Self=" + strings.Repeat("a", 300): `^Root=1-64a7b1c2-[0-9a-f]{24}$`,
		"Root=1-5759e988-bd862e3fe1be46a99427279g": `^Root=1-64a7b1c2-[0-9a-f]{24}$`,
	} {
		require.Regexp(t, want, traceid.Extend(header, now), header)
	}
}

func FuzzExtend(f *testing.F) {
	f.Add("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")
	f.Fuzz(func(t *testing.T, header string) {
		once := traceid.Extend(header, now)
		full := traceid.Extend(once, now) // a new root has no parent yet
		if again := traceid.Extend(full, now); again != full {
			t.Errorf("Extend(%q) = %q, and of that %q", header, full, again)
		}
	})
}
