package admin

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

// ImportResult is what became of a file of keys.
type ImportResult struct {
	// IDs are the keys that were made, in the file's order.
	IDs []string `json:"ids"`
	// Warnings say what was left out, by line.
	Warnings []string `json:"warnings"`
}

const maxImportedKeys = 10_000

// ImportKeys makes keys of a CSV file with the managed gateway's columns, in any order and case:
// Name and key, and perhaps description, Enabled and usageplanIds (IDs separated by commas). A line
// that can't become a key is a warning; with failOnWarnings nothing is made unless every line looks
// right. What is wrong with the file as a whole is [usageplan.ErrInvalid]; so is a file with more
// keys than g has room for, of which none is made. ("API key file format" of the developer guide.)
func ImportKeys(
	ctx context.Context, g *usageplan.Registry, file io.Reader, failOnWarnings bool,
) (ImportResult, error) {
	i := &keyImport{g: g, result: ImportResult{IDs: []string{}, Warnings: []string{}}}
	lines, err := parseKeyFile(file)
	if err != nil {
		return i.result, err
	}
	good, err := i.sift(ctx, lines)
	if err != nil {
		return i.result, err
	}
	if failOnWarnings && len(i.result.Warnings) > 0 {
		return i.result, badFile("nothing was imported: %s", strings.Join(i.result.Warnings, "; "))
	}
	if room := g.Room(); len(good) > room {
		return i.result, badFile("%d keys, and room for %d: see RegistryConfig.MaxKeys", len(good), room)
	}
	return i.result, i.create(ctx, good)
}

// badFile is an error that is usageplan.ErrInvalid. Its text has the name by which clients of the
// control API know the import.
func badFile(format string, args ...any) error {
	return badRequest{fmt.Errorf("usageplan: ImportKeys: "+format, args...)}
}

type keyImport struct {
	g      *usageplan.Registry
	result ImportResult
}

func (i *keyImport) warn(k importedKey, err error) {
	i.result.Warnings = append(i.result.Warnings, fmt.Sprintf("line %d: %v", k.line, err))
}

// sift returns the lines that look right, and warns of the others. The plans of a file are few, so
// each is asked for once.
func (i *keyImport) sift(ctx context.Context, lines []importedKey) ([]importedKey, error) {
	seen, plans := map[string]bool{}, map[string]error{}
	good := lines[:0]
	for _, k := range lines {
		err := k.err
		if err == nil {
			err = k.key.Validate()
		}
		if err == nil && seen[k.key.Value] {
			err = errors.New("the value is in the file twice")
		}
		seen[k.key.Value] = true
		for _, plan := range k.plans {
			if err != nil {
				break
			}
			if _, asked := plans[plan]; !asked {
				_, plans[plan] = i.g.Plan(ctx, plan)
			}
			if err = plans[plan]; err != nil && !errors.Is(err, usageplan.ErrNotFound) {
				return nil, err // the store's, which says nothing of the line
			}
		}
		if err != nil {
			i.warn(k, err)
		} else {
			good = append(good, k)
		}
	}
	return good, nil
}

func (i *keyImport) create(ctx context.Context, lines []importedKey) error {
	for _, k := range lines {
		made, _, err := i.g.CreateKey(ctx, k.key)
		if errors.Is(err, usageplan.ErrConflict) {
			i.warn(k, err)
			continue
		}
		if err != nil {
			return err
		}
		i.result.IDs = append(i.result.IDs, made.ID)
		for _, plan := range k.plans {
			if err := i.g.AddKey(ctx, plan, made.ID); err != nil {
				i.warn(k, err)
			}
		}
	}
	return nil
}

type importedKey struct {
	line  int
	key   usageplan.NewKey
	plans []string
	err   error
}

// parseKeyFile reads lines; what is wrong with one line is in that line's err.
func parseKeyFile(file io.Reader) ([]importedKey, error) {
	in := csv.NewReader(file)
	in.FieldsPerRecord = -1
	in.TrimLeadingSpace = true
	columns, err := parseColumns(in)
	if err != nil {
		return nil, err
	}
	var list []importedKey
	for {
		fields, err := in.Read()
		switch {
		case errors.Is(err, io.EOF):
			return list, nil
		case err != nil:
			return nil, badFile("%w", err)
		case len(list) >= maxImportedKeys:
			return nil, badFile("want at most %d keys a file", maxImportedKeys)
		}
		line, _ := in.FieldPos(0)
		list = append(list, columns.key(line, fields))
	}
}

// columns says where in a line each column is.
type columns map[string]int

func parseColumns(in *csv.Reader) (columns, error) {
	head, err := in.Read()
	if err != nil {
		return nil, badFile("want a first line with the names of columns: %w", err)
	}
	c := columns{}
	for i, name := range head {
		// Spreadsheets write a byte order mark.
		name = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))
		if _, ok := c[name]; ok {
			return nil, badFile("column %.64q: it is there twice", name)
		}
		c[name] = i
	}
	for _, name := range []string{"name", "key"} {
		if _, ok := c[name]; !ok {
			return nil, badFile("column %q: it is missing", name)
		}
	}
	return c, nil
}

func (c columns) key(line int, fields []string) importedKey {
	field := func(name string) string {
		if i, ok := c[name]; ok && i < len(fields) {
			return strings.TrimSpace(fields[i])
		}
		return ""
	}
	k := importedKey{line: line}
	k.key = usageplan.NewKey{Name: field("name"), Value: field("key"), Description: field("description")}
	if k.key.Value == "" { // which a NewKey takes to mean "make one", and nobody would ever see it
		k.err = errors.New("API Key value should be at least 20 characters")
	}
	if text := field("enabled"); text != "" {
		var err error
		if k.key.Enabled, err = strconv.ParseBool(strings.ToLower(text)); err != nil {
			k.err = fmt.Errorf("column Enabled: want true or false, got %.64q", text)
		}
	}
	for plan := range strings.SplitSeq(field("usageplanids"), ",") {
		if plan = strings.TrimSpace(plan); plan != "" {
			k.plans = append(k.plans, plan)
		}
	}
	return k
}
