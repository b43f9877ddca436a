package source_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/definition"
	"github.com/gatekit-go/gatekit/route/definition/source"
)

const (
	openAPI = `{"openapi":"3.0.1","info":{"title":"orders","version":"1"},"paths":{"/orders":{"get":{"x-amazon-apigateway-integration":{"type":"mock"}}}}}`
	sam     = `
Transform: AWS::Serverless-2016-10-31
Resources:
  Shop:
    Type: AWS::Serverless::Api
    Properties:
      StageName: prod
      DefinitionBody:
        openapi: 3.0.1
        info: {title: shop, version: "1"}
        paths: {/books: {get: {x-amazon-apigateway-integration: {type: mock}}}}
`
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// A file is what its text says, whatever it is called.
func TestRead(t *testing.T) {
	for name, tt := range map[string]struct{ file, text, route string }{
		"openapi-json": {"a.json", openAPI, "GET /orders"},
		"openapi-yaml": {"a.template", "# orders\nopenapi: 3.0.1\ninfo: {title: orders, version: '1'}\npaths: {/orders: {get: {x-amazon-apigateway-integration: {type: mock}}}}\n", "GET /orders"},
		"swagger":      {"a.yml", "\"swagger\": '2.0'\ninfo: {title: orders, version: '1'}\npaths: {/orders: {get: {x-amazon-apigateway-integration: {type: mock}}}}\n", "GET /orders"},
		"sam":          {"openapi.yaml", sam, "GET /books"},
		"document":     {"a.json", `{"apis":[{"id":"A","flavor":"HTTP","routes":{"GET /a":{"auth":{"type":"NONE"}}}}]}`, "GET /a"},
	} {
		t.Run(name, func(t *testing.T) {
			doc, err := source.Read(write(t, tt.file, tt.text), source.Options{})
			require.NoError(t, err)
			require.Len(t, doc.APIs, 1)
			require.Contains(t, doc.APIs[0].Routes, tt.route)
		})
	}
	doc, err := source.Read("../../cloudformation/testdata/cdk/http", source.Options{})
	require.NoError(t, err, "the folder of a cloud assembly")
	require.Equal(t, definition.FlavorHTTP, doc.APIs[0].Flavor)
	doc, err = source.Read(write(t, "a.json", openAPI), source.Options{})
	require.NoError(t, err)
	require.Equal(t, "a.json", doc.APIs[0].Origin.Template)
	for _, path := range []string{"nowhere.yaml", "nowhere/a.yaml", t.TempDir()} {
		_, err := source.Read(path, source.Options{})
		require.Error(t, err)
	}
	_, err = source.Read(write(t, "large.json", strings.Repeat(" ", 33<<20)), source.Options{})
	require.ErrorContains(t, err, "at most")
}

// A template that names a file outside of its folder doesn't get it.
func TestReadStaysInside(t *testing.T) {
	secret := write(t, "secret.yaml", openAPI)
	dir := t.TempDir()
	require.NoError(t, os.Symlink(secret, filepath.Join(dir, "linked.yaml")))
	for _, uri := range []string{"linked.yaml", "../" + filepath.Base(filepath.Dir(secret)) + "/secret.yaml", secret} {
		text := "Transform: AWS::Serverless-2016-10-31\nResources:\n  Shop: {Type: AWS::Serverless::Api, Properties: {StageName: prod, DefinitionUri: " + uri + "}}\n"
		require.NoError(t, os.WriteFile(filepath.Join(dir, "template.yaml"), []byte(text), 0o600))
		doc, err := source.Read(filepath.Join(dir, "template.yaml"), source.Options{})
		if err == nil {
			require.Empty(t, doc.APIs[0].Routes, uri)
		}
	}
	_, err := source.Read(filepath.Join(dir, "linked.yaml"), source.Options{})
	require.ErrorContains(t, err, "escapes")
}

// Changes of documents are told, once they are done; those of code and of others aren't.
func TestWatch(t *testing.T) {
	path := write(t, "out/manifest.json", "{}")
	dir := filepath.Dir(path)
	for _, folder := range []string{"asset.1", "node_modules", ".git", "stage"} {
		require.NoError(t, os.Mkdir(filepath.Join(dir, folder), 0o700))
	}
	watcher := source.NewWatcher(path)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "early.json"), []byte("1"), 0o600))
	ctx, cancel := context.WithCancel(t.Context())
	changed, ended := make(chan struct{}, 100), make(chan struct{})
	go func() {
		defer close(ended)
		watcher.Watch(ctx, time.Millisecond, func() { changed <- struct{}{} })
	}()
	<-changed // what came before it began to look
	for _, file := range []string{"asset.1/a.json", "node_modules/a.json", ".git/a.json", "main.go"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, file), []byte("1"), 0o600))
	}
	select {
	case <-changed:
		t.Fatal("nothing of a document has changed")
	case <-time.After(50 * time.Millisecond):
	}
	for _, file := range []string{"stage/a.json", "b.yaml", "c.yml", "manifest.json"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, file), []byte("22"), 0o600))
		<-changed
	}
	require.NoError(t, os.Remove(filepath.Join(dir, "b.yaml")))
	<-changed
	cancel()
	<-ended
}

// The file itself is looked at, however many others come before it.
func TestWatchBesideManyFiles(t *testing.T) {
	path := write(t, "template.yaml", "{}")
	many := filepath.Join(filepath.Dir(path), "build")
	require.NoError(t, os.Mkdir(many, 0o700))
	for n := range 10_001 {
		require.NoError(t, os.WriteFile(filepath.Join(many, fmt.Sprint(n)), nil, 0o600))
	}
	watcher := source.NewWatcher(path)
	require.NoError(t, os.WriteFile(path, []byte("Resources: {}"), 0o600))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	told := false
	watcher.Watch(ctx, time.Millisecond, func() { told = true; cancel() })
	require.True(t, told)
}
