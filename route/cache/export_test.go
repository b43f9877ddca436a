package cache

// NewMemory is the memory store, for the suite that every store must pass.
func NewMemory(maxBytes int64) Store { return newMemory(maxBytes) }
