package usageplan

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// ImportResult is what became of a file of keys.
type ImportResult struct {
	// IDs are the keys that were made, in the file's order.
	IDs []string `json:"ids"`
	// Warnings say what was left out, by line.
	Warnings []string `json:"warnings"`
}

const maxImportedKeys = 10_000

// ImportKeys makes keys of a CSV file with the managed gateway's columns, in any order and case: Name and key, and perhaps description, Enabled
// and usageplanIds (IDs separated by commas). A line that can't become a key is a warning; with failOnWarnings nothing is made unless every
// line looks right. ("API key file format" of the developer guide.)
func (g *Registry) ImportKeys(ctx context.Context, file io.Reader, failOnWarnings bool) (ImportResult, error) {
	result := ImportResult{IDs: []string{}, Warnings: []string{}}
	lines, err := parseKeyFile(file)
	if err != nil {
		return result, err
	}
	warn := func(line importedKey, err error) {
		result.Warnings = append(result.Warnings, fmt.Sprintf("line %d: %v", line.line, err))
	}
	seen := map[string]bool{}
	good := lines[:0]
	for _, k := range lines {
		err := k.err
		if err == nil {
			err = k.key.check()
		}
		if err == nil && seen[k.key.Value] {
			err = errors.New("the value is in the file twice")
		}
		for _, plan := range k.plans {
			if err == nil && !g.roster.hasPlan(plan) {
				err = noPlan()
			}
		}
		seen[k.key.Value] = true
		if err != nil {
			warn(k, err)
		} else {
			good = append(good, k)
		}
	}
	if failOnWarnings && len(result.Warnings) > 0 {
		return result, invalid(fmt.Errorf("usageplan: ImportKeys: nothing was imported: %s", strings.Join(result.Warnings, "; ")))
	}
	if n := g.roster.size() + len(good); n > g.maxKeys {
		return result, invalid(fmt.Errorf("usageplan: ImportKeys: there would be %d keys: see RegistryConfig.MaxKeys", n))
	}
	for _, k := range good {
		made, _, err := g.CreateKey(ctx, k.key)
		if errors.Is(err, ErrConflict) {
			warn(k, err)
			continue
		}
		if err != nil {
			return result, err
		}
		result.IDs = append(result.IDs, made.ID)
		for _, plan := range k.plans {
			if err := g.AddKey(ctx, plan, made.ID); err != nil {
				warn(k, err)
			}
		}
	}
	return result, nil
}

type importedKey struct {
	line  int
	key   NewKey
	plans []string
	err   error
}

// parseKeyFile reads lines; what is wrong with one line is in that line's err.
func parseKeyFile(file io.Reader) ([]importedKey, error) {
	in := csv.NewReader(file)
	in.FieldsPerRecord = -1
	in.TrimLeadingSpace = true
	head, err := in.Read()
	if err != nil {
		return nil, invalid(fmt.Errorf("usageplan: ImportKeys: want a first line with the names of columns: %w", err))
	}
	column := map[string]int{}
	for i, name := range head {
		name = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))
		if _, ok := column[name]; ok {
			return nil, invalid(fmt.Errorf("usageplan: ImportKeys: column %s: it is there twice", quoted(name)))
		}
		column[name] = i
	}
	for _, name := range []string{"name", "key"} {
		if _, ok := column[name]; !ok {
			return nil, invalid(fmt.Errorf("usageplan: ImportKeys: column %q: it is missing", name))
		}
	}
	var list []importedKey
	for {
		fields, err := in.Read()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, invalid(fmt.Errorf("usageplan: ImportKeys: %w", err))
		}
		if len(list) >= maxImportedKeys {
			return nil, invalid(fmt.Errorf("usageplan: ImportKeys: want at most %d keys a file", maxImportedKeys))
		}
		line, _ := in.FieldPos(0)
		k := importedKey{line: line}
		field := func(name string) string {
			if i, ok := column[name]; ok && i < len(fields) {
				return strings.TrimSpace(fields[i])
			}
			return ""
		}
		k.key = NewKey{Name: field("name"), Value: field("key"), Description: field("description")}
		if k.key.Value == "" {
			k.err = checkValue("")
		}
		if text := field("enabled"); text != "" {
			if k.key.Enabled, err = strconv.ParseBool(strings.ToLower(text)); err != nil {
				k.err = fmt.Errorf("column Enabled: want true or false, got %s", quoted(text))
			}
		}
		for plan := range strings.SplitSeq(field("usageplanids"), ",") {
			if plan = strings.TrimSpace(plan); plan != "" {
				k.plans = append(k.plans, plan)
			}
		}
		list = append(list, k)
	}
}
