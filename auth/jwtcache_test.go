package auth_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth"
)

func TestTokenCacheBounds(t *testing.T) {
	byNumber, byBytes := auth.NewTokenCache(100, 1<<20), auth.NewTokenCache(1000, 10_000)
	for i := range 5000 {
		byNumber.Put(fmt.Sprint("token", i))
		byBytes.Put(strings.Repeat("x", 90) + fmt.Sprintf("%010d", i))
		require.True(t, byNumber.Get(fmt.Sprint("token", i)), "the newest is there")
	}
	tokens, bytes := byNumber.Size()
	require.LessOrEqual(t, tokens, 100)
	require.GreaterOrEqual(t, tokens, 90)
	require.Positive(t, bytes)
	tokens, bytes = byBytes.Size()
	require.LessOrEqual(t, bytes, int64(10_000))
	require.GreaterOrEqual(t, tokens, 90)
	byBytes.Put(strings.Repeat("y", 10_001))
	require.False(t, byBytes.Get(strings.Repeat("y", 10_001)), "one that alone is too large isn't kept")
}

func TestTokenCacheKeepsWhatIsUsed(t *testing.T) {
	c := auth.NewTokenCache(100, 1<<20)
	c.Put("hot")
	for i := range 10_000 {
		require.True(t, c.Get("hot"), i)
		c.Put(fmt.Sprint(i))
	}
}

func TestTokenCacheForgets(t *testing.T) {
	c := auth.NewTokenCache(100, 1<<20)
	for i := range 50 {
		c.Put(fmt.Sprint(i))
		c.Put(fmt.Sprint(i)) // twice is once
	}
	tokens, _ := c.Size()
	require.Equal(t, 50, tokens)
	c.Forget("7")
	require.False(t, c.Get("7"))
	require.True(t, c.Get("8"))
	c.Clear()
	require.False(t, c.Get("8"))
	tokens, bytes := c.Size()
	require.Zero(t, tokens)
	require.Zero(t, bytes)
	c.PutLate("verified with an old key", c.Clear)
	require.False(t, c.Get("verified with an old key"))
}

func TestTokenCacheHammer(t *testing.T) {
	c := auth.NewTokenCache(64, 1<<20)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 5000 {
				text := fmt.Sprint((i*7 + g) % 200)
				c.Put(text)
				c.Get(text)
				if i%1000 == 0 {
					c.Clear()
				}
			}
		})
	}
	wg.Wait()
	tokens, bytes := c.Size()
	require.LessOrEqual(t, tokens, 64)
	require.GreaterOrEqual(t, bytes, int64(tokens))
}
