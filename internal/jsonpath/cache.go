package jsonpath

import "sync"

// Cache keeps parsed paths, so that an expression that stands in a template is parsed once, and one
// that is made of a request's values can't fill memory. The zero Cache is ready. It is safe for
// concurrent use.
type Cache struct {
	mu    sync.RWMutex
	paths map[string]*Path
}

const maxCached = 512

// Parse is [Parse], from memory if it can.
func (c *Cache) Parse(expr string) (*Path, error) {
	c.mu.RLock()
	path := c.paths[expr]
	c.mu.RUnlock()
	if path != nil {
		return path, nil
	}
	path, err := Parse(expr)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.paths) >= maxCached {
		for other := range c.paths { // any one: those in use come back at once
			delete(c.paths, other)
			break
		}
	}
	if c.paths == nil {
		c.paths = map[string]*Path{}
	}
	c.paths[expr] = path
	return path, nil
}
