// Package importrule holds the test that keeps the module's arrows pointing one way.
package importrule_test

import (
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/gatekit-go/gatekit"

// core are the packages that users import, which must stay light. Each new one is added here.
var core = []string{"auth", "auth/waf", "cors", "domain", "route", "route/cache", "route/compare", "route/function", "route/integration", "route/websocket", "throttle", "throttle/usageplan", "transform", "transform/restapi", "transform/validate", "transform/vtl"}

// dependencies are what the core may compile beside the standard library.
var dependencies = []string{
	"github.com/MicahParks/keyfunc/v3", "github.com/MicahParks/jwkset", "github.com/golang-jwt/jwt/v5", "github.com/rs/cors", "golang.org/x/time",
	"github.com/aws/aws-lambda-go/lambda/handlertrace",   // forty lines on context, which tell what a function returned
	"github.com/aws/aws-lambda-go/lambdacontext",         // what functions find in their context
	"github.com/gobwas/ws", "github.com/gobwas/httphead", // the codec of route/websocket; see internal/wsconn
}

// schemas are what transform/validate may compile, and transform/restapi, which is told an API's models.
var schemas = []string{"github.com/santhosh-tekuri/jsonschema/v6", "github.com/dlclark/regexp2", "golang.org/x/text"}

// filters are what auth/waf may compile: sets of addresses, and the detection of SQL injection and scripts.
var filters = []string{"github.com/gaissmai/bart", "github.com/corazawaf/libinjection-go"}

// packages are all of the module's and what they compile, read once: asking the go command for each package by itself took 20 seconds.
var packages = sync.OnceValues(func() (map[string]*listed, error) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{.ImportPath}} {{.Standard}}{{range .Deps}} {{.}}{{end}} imports{{range .Imports}} {{.}}{{end}}", module+"/...").Output()
	if err != nil {
		return nil, err
	}
	all := map[string]*listed{}
	for line := range strings.Lines(string(out)) {
		line, imports, _ := strings.Cut(line, " imports")
		fields := strings.Fields(line)
		all[fields[0]] = &listed{standard: fields[1] == "true", deps: append(fields[2:], fields[0]), imports: strings.Fields(imports)}
	}
	return all, nil
})

type listed struct {
	standard bool
	deps     []string // what the package compiles, itself included
	imports  []string // what it imports itself
}

func all(t *testing.T) map[string]*listed {
	t.Helper()
	packages, err := packages()
	require.NoError(t, err)
	return packages
}

// ours are the module's packages, or those at or below a path of it.
func ours(t *testing.T, path string) (names []string) {
	t.Helper()
	for name := range all(t) {
		if within(name, path) {
			names = append(names, name)
		}
	}
	require.NotEmpty(t, names, path)
	return names
}

// deps are what a package compiles, itself included.
func deps(t *testing.T, pkg string) []string {
	t.Helper()
	require.Contains(t, all(t), pkg)
	return all(t)[pkg].deps
}

// within reports whether pkg is path or below it.
func within(pkg, path string) bool { return pkg == path || strings.HasPrefix(pkg, path+"/") }

// leaves are what the root may import of ours: packages that import nothing of ours but each other, so that what needs the root is none.
var leaves = []string{"internal/hopbyhop", "internal/httpword", "internal/jsonlex", "internal/jsonscan",
	"internal/mistakes", "internal/requestpath", "internal/routetree", "internal/strictjson"}

func TestRootImportsNothingOfOursButLeaves(t *testing.T) {
	for _, pkg := range deps(t, module) {
		if within(pkg, module) && pkg != module {
			require.Contains(t, leaves, strings.TrimPrefix(pkg, module+"/"))
		}
	}
	for _, leaf := range leaves {
		for _, pkg := range deps(t, module+"/"+leaf) {
			require.True(t, !within(pkg, module) || slices.Contains(leaves, strings.TrimPrefix(pkg, module+"/")), "%s imports %s", leaf, pkg)
		}
	}
}

// Clients of servers and files live in the packages that are named for them. ACME is one, as x/crypto/acme/autocert brings x/net/idna and the
// tables of x/text: who has certificates in files compiles none of it.
func TestClientsStayWhereTheyAreNamed(t *testing.T) {
	for client, homes := range map[string][]string{
		"github.com/redis/go-redis":      {"route/cache/rediscache", "route/websocket/redisregistry", "throttle/redisthrottle"},
		"go.etcd.io/bbolt":               {"throttle/usageplan/boltstore"},
		"golang.org/x/crypto":            {"domain/acme"},
		"github.com/pires/go-proxyproto": {"domain/proxyprotocol"},
		"github.com/alicebob/miniredis":  nil,
	} {
		for _, pkg := range ours(t, module) {
			if within(pkg, module+"/examples") {
				continue
			}
			home := slices.ContainsFunc(homes, func(h string) bool { return pkg == module+"/"+h })
			for _, seen := range deps(t, pkg) {
				require.True(t, home || !within(seen, client), "%s compiles %s", pkg, client)
			}
		}
	}
}

// YAML has one reader: what a document's scalars mean is decided there, and not by the library.
func TestYAMLHasOneReader(t *testing.T) {
	for _, pkg := range ours(t, module) {
		imports := slices.ContainsFunc(all(t)[pkg].imports, func(seen string) bool { return within(seen, "go.yaml.in/yaml/v3") })
		require.Equal(t, pkg == module+"/internal/doctree", imports, pkg)
	}
}

// builders make handlers of all features out of an API as data; readers and writers of its forms see the builders alone.
var (
	builders = []string{"route/definition"}
	readers  = []string{"route/openapi", "route/cloudformation"}
	tools    = []string{"internal/importcases"} // commands that try them
)

func isOneOf(pkg string, paths []string) bool {
	return slices.ContainsFunc(paths, func(p string) bool { return within(pkg, module+"/"+p) })
}

// A feature sees the root, internal packages and what is below itself; only examples and builders see several features.
func TestFeaturesDoNotSeeEachOther(t *testing.T) {
	for _, pkg := range ours(t, module) {
		feature, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(pkg, module), "/"), "/")
		if feature == "examples" || isOneOf(pkg, builders) || isOneOf(pkg, tools) {
			continue
		}
		if isOneOf(pkg, readers) { // which compile what the builder does
			for _, seen := range all(t)[pkg].imports {
				ok := !within(seen, module) || seen == module || within(seen, module+"/internal") || isOneOf(seen, builders) || isOneOf(seen, readers)
				require.True(t, ok, "%s imports %s", pkg, seen)
			}
			continue
		}
		for _, seen := range deps(t, pkg) {
			ok := !within(seen, module) || seen == module || within(seen, module+"/internal") || feature != "" && within(seen, module+"/"+feature)
			require.True(t, ok, "%s imports %s", pkg, seen)
		}
	}
}

func TestTheCoreStaysLight(t *testing.T) {
	for _, feature := range core {
		for _, seen := range deps(t, module+"/"+feature) {
			allowed := dependencies
			if feature == "transform/validate" || feature == "transform/restapi" {
				allowed = schemas
			}
			if feature == "auth/waf" {
				allowed = append(slices.Clone(dependencies), filters...)
			}
			ok := all(t)[seen].standard || within(seen, module) || slices.ContainsFunc(allowed, func(d string) bool { return within(seen, d) })
			require.True(t, ok, "%s compiles %s", feature, seen)
		}
	}
}

// What users put into their tests and programs brings no test library along.
func TestTestHelpersAreFreeOfTestify(t *testing.T) {
	helpers := ours(t, module+"/examples")
	for _, helper := range []string{"auth/authtest", "auth/waf/waftest", "route/cache/cachetest", "route/definition/definitiontest", "route/websocket/websockettest", "throttle/throttletest", "throttle/usageplan/usageplantest", "transform/transformtest"} {
		helpers = append(helpers, module+"/"+helper)
	}
	for _, pkg := range helpers {
		for _, seen := range deps(t, pkg) {
			require.False(t, within(seen, "github.com/stretchr/testify"), "%s imports %s", pkg, seen)
		}
	}
}
