package importrule_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A program that imports auth alone, built on a machine that has no module yet, downloads these and no more: keys and tokens
// (keyfunc, jwkset, jwt), x/time for keyfunc's refreshing, and aws-lambda-go for what functions find in their context. What
// go.mod names beside them (Redis, bbolt, ACME, JSON Schema, testify) isn't fetched, since no package of it is compiled.
var modulesOfAuth = []string{
	"github.com/!micah!parks/jwkset", "github.com/!micah!parks/keyfunc/v3", "github.com/aws/aws-lambda-go",
	"github.com/golang-jwt/jwt/v5", "golang.org/x/time",
}

// The go command says what it needs by fetching it: into an empty cache, from this machine's, so that no network is used.
func TestWhatAProgramWithAuthAloneDownloads(t *testing.T) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	kept, err := exec.Command("go", "env", "GOMODCACHE").Output()
	require.NoError(t, err)
	dir, cache := t.TempDir(), t.TempDir()
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	require.NoError(t, err)
	for name, content := range map[string]string{
		"go.mod":  "module program\n\ngo 1.26.0\n\nrequire " + module + " v0.0.0\n\nreplace " + module + " => " + root + "\n",
		"go.sum":  string(sums),
		"main.go": "package main\n\nimport _ \"" + module + "/auth\"\n\nfunc main() {}\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	list := exec.Command("go", "list", "-deps", "-mod=mod", ".")
	list.Dir = dir
	list.Env = append(os.Environ(),
		"GOMODCACHE="+cache, "GOFLAGS=-modcacherw", "GOWORK=off", "GOSUMDB=off", "GONOPROXY=none", "GOTOOLCHAIN=local",
		"GOPROXY=file://"+filepath.ToSlash(filepath.Join(strings.TrimSpace(string(kept)), "cache", "download")))
	out, err := list.CombinedOutput()
	require.NoError(t, err, "%s", out)

	var fetched []string
	downloads := filepath.Join(cache, "cache", "download")
	require.NoError(t, filepath.WalkDir(downloads, func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".zip") {
			name, _, _ := strings.Cut(strings.TrimPrefix(filepath.ToSlash(path), filepath.ToSlash(downloads)+"/"), "/@v/")
			fetched = append(fetched, name)
		}
		return err
	}))
	require.ElementsMatch(t, modulesOfAuth, fetched)
}
