// Package importrule holds the test that keeps the module's arrows pointing one way.
package importrule_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/gatekit-go/gatekit"

// core are the packages that users import, which must stay light. Each new one is added here.
var core = []string{"auth", "cors", "domain", "route", "route/cache", "route/function", "route/integration", "throttle", "throttle/usageplan", "transform", "transform/validate", "transform/vtl"}

// dependencies are what the core may compile beside the standard library.
var dependencies = []string{
	"github.com/MicahParks/keyfunc/v3", "github.com/MicahParks/jwkset", "github.com/golang-jwt/jwt/v5", "github.com/rs/cors", "golang.org/x/time",
	"github.com/aws/aws-lambda-go/lambda/handlertrace", // forty lines on context, which tell what a function returned
	"github.com/aws/aws-lambda-go/lambdacontext",       // what functions find in their context
}

// schemas are what transform/validate may compile, and nobody else of the core.
var schemas = []string{"github.com/santhosh-tekuri/jsonschema/v6", "github.com/dlclark/regexp2", "golang.org/x/text"}

func list(t *testing.T, args ...string) []string {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list"}, args...)...).Output()
	require.NoError(t, err)
	return strings.Fields(string(out))
}

// within reports whether pkg is path or below it.
func within(pkg, path string) bool { return pkg == path || strings.HasPrefix(pkg, path+"/") }

// leaves are what the root may import of ours: packages that import nothing of ours.
var leaves = []string{"internal/requestpath"}

func TestRootImportsNothingOfOursButLeaves(t *testing.T) {
	for _, pkg := range list(t, "-deps", module) {
		if within(pkg, module) && pkg != module {
			require.Contains(t, leaves, strings.TrimPrefix(pkg, module+"/"))
		}
	}
	for _, leaf := range leaves {
		for _, pkg := range list(t, "-deps", module+"/"+leaf) {
			require.True(t, !within(pkg, module) || pkg == module+"/"+leaf, "%s imports %s", leaf, pkg)
		}
	}
}

// Clients of servers and files live in the packages that are named for them. ACME is one, as x/crypto/acme/autocert brings x/net/idna and the
// tables of x/text: who has certificates in files compiles none of it.
func TestClientsStayWhereTheyAreNamed(t *testing.T) {
	for client, homes := range map[string][]string{
		"github.com/redis/go-redis":     {"route/cache/rediscache", "throttle/redisthrottle"},
		"go.etcd.io/bbolt":              {"throttle/usageplan/boltstore"},
		"golang.org/x/crypto":           {"domain/acme"},
		"github.com/alicebob/miniredis": nil,
	} {
		for _, pkg := range list(t, module+"/...") {
			if within(pkg, module+"/examples") {
				continue
			}
			home := slices.ContainsFunc(homes, func(h string) bool { return pkg == module+"/"+h })
			for _, seen := range list(t, "-deps", pkg) {
				require.True(t, home || !within(seen, client), "%s compiles %s", pkg, client)
			}
		}
	}
}

// A feature sees the root, internal packages and what is below itself; only examples see several features.
func TestFeaturesDoNotSeeEachOther(t *testing.T) {
	for _, pkg := range list(t, module+"/...") {
		feature, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(pkg, module), "/"), "/")
		if feature == "examples" {
			continue
		}
		for _, seen := range list(t, "-deps", pkg) {
			ok := !within(seen, module) || seen == module || within(seen, module+"/internal") || feature != "" && within(seen, module+"/"+feature)
			require.True(t, ok, "%s imports %s", pkg, seen)
		}
	}
}

func TestTheCoreStaysLight(t *testing.T) {
	features := list(t, "-f", "{{.ImportPath}}", module+"/...")
	for _, feature := range core {
		require.Contains(t, features, module+"/"+feature)
		for _, seen := range list(t, "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", module+"/"+feature) {
			allowed := dependencies
			if feature == "transform/validate" {
				allowed = schemas
			}
			ok := within(seen, module) || slices.ContainsFunc(allowed, func(d string) bool { return within(seen, d) })
			require.True(t, ok, "%s compiles %s", feature, seen)
		}
	}
}

// What users put into their tests and programs brings no test library along.
func TestTestHelpersAreFreeOfTestify(t *testing.T) {
	for _, pkg := range []string{module + "/auth/authtest", module + "/route/cache/cachetest", module + "/throttle/throttletest", module + "/throttle/usageplan/usageplantest", module + "/transform/transformtest", module + "/examples/..."} {
		for _, seen := range list(t, "-deps", pkg) {
			require.False(t, within(seen, "github.com/stretchr/testify"), "%s imports %s", pkg, seen)
		}
	}
}
