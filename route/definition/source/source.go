// Package source reads a document from a file, whatever kind of file it is, and tells when that has
// changed: for programs and tests that are given a path.
//
//	changes := source.NewWatcher("cdk.out/manifest.json")
//	doc, err := source.Read("cdk.out/manifest.json", source.Options{})
//	…
//	go changes.Watch(ctx, time.Second, func() { … })
package source

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit/route/cloudformation"
	"github.com/gatekit-go/gatekit/route/definition"
	"github.com/gatekit-go/gatekit/route/openapi"
)

// Options say what a file doesn't.
type Options struct {
	_ struct{} // keyed literals only, so that fields can be added

	// CloudFormation are for templates and cloud assemblies, OpenAPI for OpenAPI documents, whose
	// File is the file's name where it is empty.
	CloudFormation cloudformation.Options
	OpenAPI        openapi.Options
}

const maxBytes = 32 << 20

// An OpenAPI document begins with its version, or has it at the beginning of a line. SAM templates
// have some within, further to the right.
var openAPIVersion = regexp.MustCompile(`(?m)^["']?(openapi|swagger)["']?[ \t]*:`)

// Read reads an OpenAPI document, a CloudFormation or SAM template, or a cloud assembly's
// manifest.json or folder. It opens nothing that is outside of the file's folder. A document's JSON
// form is read as it is.
func Read(file string, o Options) (*definition.Document, error) {
	file = filepath.Clean(file)
	dir, name := filepath.Dir(file), filepath.Base(file)
	if info, err := os.Stat(file); err == nil && info.IsDir() {
		dir, name = file, "manifest.json"
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	defer root.Close()
	f, err := root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil || len(text) > maxBytes {
		return nil, fmt.Errorf("source: read %s, at most %d bytes: %w", file, maxBytes, err)
	}
	var head struct {
		OpenAPI, Swagger string
		APIs             []struct {
			Flavor string `json:"flavor"`
		} `json:"apis"`
	}
	isJSON := json.Unmarshal(text, &head) == nil
	switch {
	case isJSON && len(head.APIs) > 0 && head.APIs[0].Flavor != "":
		return definition.Unmarshal(text)
	case isJSON && head.OpenAPI+head.Swagger != "", !isJSON && openAPIVersion.Match(text):
		if o.OpenAPI.File == "" {
			o.OpenAPI.File = name
		}
		return openapi.Read(text, o.OpenAPI)
	}
	return cloudformation.Read(root.FS(), name, o.CloudFormation)
}

// maxFiles bounds what a Watcher looks at.
const maxFiles = 10_000

// Watcher knows how the documents in a file's folder looked: what ends in .json, .yaml or .yml, but
// for the assets of an assembly, node_modules and what begins with a dot. It is for one goroutine.
type Watcher struct {
	file  string
	known uint64
}

// NewWatcher returns a Watcher that knows what is there now. Make it before you [Read]: a change
// that comes while you do is then told.
func NewWatcher(file string) *Watcher { return &Watcher{file, state(file)} }

// Watch calls changed when the documents have changed. It looks at their sizes and times each
// interval, and waits until a whole one has passed without another change, so that what is being
// written is left alone. It returns when ctx ends.
func (w *Watcher) Watch(ctx context.Context, interval time.Duration, changed func()) {
	tick := time.NewTicker(max(interval, 10*time.Millisecond))
	defer tick.Stop()
	for before := w.known; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := state(w.file)
		if now != w.known && now == before {
			w.known = now
			changed()
		}
		before = now
	}
}

// state is a digest of names, sizes and times.
func state(file string) uint64 {
	h, files := fnv.New64a(), 0
	if info, err := os.Stat(file); err == nil && !info.IsDir() {
		fmt.Fprintln(h, info.Size(), info.ModTime().UnixNano()) // it may come after the last that is looked at
		file = filepath.Dir(file)
	}
	_ = filepath.WalkDir(file, func(path string, d fs.DirEntry, err error) error {
		if files++; files > maxFiles {
			return fs.SkipAll
		}
		if err != nil {
			return nil // it went away, and the next look sees that
		}
		name := d.Name()
		passedOver := strings.HasPrefix(name, "asset.") || name == "node_modules" || name[0] == '.'
		if d.IsDir() && path != file && passedOver {
			return fs.SkipDir
		}
		switch filepath.Ext(name) {
		case ".json", ".yaml", ".yml":
			if info, err := d.Info(); err == nil {
				fmt.Fprintln(h, path, info.Size(), info.ModTime().UnixNano())
			}
		}
		return nil
	})
	return h.Sum64()
}
