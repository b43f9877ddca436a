package lambdaruntime

import (
	"encoding/binary"
	"hash/maphash"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// The bounds of looking for changes: how many files, how seldom, and which part of the time.
const (
	maxFiles     = 20_000
	leastBetween = 100 * time.Millisecond
	share        = 20
)

// code remembers how a function's files looked.
type code struct {
	seed maphash.Seed
	sum  uint64
	next time.Time // not before
}

// read looks at the files.
func (c *code) read(config *Config) {
	began := time.Now()
	if c.sum == 0 {
		c.seed = maphash.MakeSeed()
	}
	var h maphash.Hash
	h.SetSeed(c.seed)
	note := func(path string, info fs.FileInfo) {
		_, _ = h.WriteString(path)
		var b [16]byte
		binary.LittleEndian.PutUint64(b[:], uint64(info.Size()))
		binary.LittleEndian.PutUint64(b[8:], uint64(info.ModTime().UnixNano()))
		_, _ = h.Write(b[:])
	}
	if info, err := os.Stat(config.Command[0]); err == nil {
		note(config.Command[0], info)
	}
	files := 0
	_ = filepath.WalkDir(config.Dir, func(path string, d fs.DirEntry, err error) error {
		if files++; files > maxFiles {
			return fs.SkipAll
		}
		switch {
		case err != nil: // it is gone, or nobody's business
			return nil
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "__pycache__"):
			return fs.SkipDir
		case d.IsDir():
			return nil
		}
		if info, err := d.Info(); err == nil {
			note(path, info)
		}
		return nil
	})
	c.sum = h.Sum64() | 1 // 0 is none yet
	now := time.Now()
	c.next = now.Add(max(leastBetween, share*now.Sub(began)))
}

// changed reports whether the files look otherwise than when it was asked last, if it is time to
// look.
func (c *code) changed(config *Config) bool {
	if time.Now().Before(c.next) {
		return false
	}
	before := c.sum
	c.read(config)
	return c.sum != before
}
