package jsonpath

// Len returns how many paths the cache holds.
func (c *Cache) Len() int { return len(c.paths) }
