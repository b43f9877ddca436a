package growtable_test

import (
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/growtable"
)

func TestTable(t *testing.T) {
	var all growtable.Table[string, int]
	made := func() *int { return new(int) }
	require.Nil(t, all.Get("a"))
	require.Nil(t, all.Add("a", nil, made), "has no room before it is given some")
	all.Bound(2)
	a := all.Add("a", nil, made)
	require.NotNil(t, a)
	require.Same(t, a, all.Get("a"))
	require.Same(t, a, all.Add("a", func() bool { return false }, made))
	require.Nil(t, all.Add("b", func() bool { return false }, made))
	require.NotNil(t, all.Add("b", func() bool { return true }, made))
	require.Nil(t, all.Add("c", nil, made))
	require.Equal(t, 2, all.Len())
	require.Equal(t, 2, all.Most())
	seen := map[string]*int{}
	all.Each(func(k string, v *int) { seen[k] = v })
	require.Len(t, seen, 2)
	require.Zero(t, testing.AllocsPerRun(100, func() { all.Get("a") }))
}

// Many who add the same key get the same value.
func TestFromManyGoroutines(t *testing.T) {
	var all growtable.Table[string, sync.Map]
	all.Bound(50)
	var done sync.WaitGroup
	for range 8 {
		done.Go(func() {
			for i := range 100 {
				k := strconv.Itoa(i)
				if v := all.Add(k, nil, func() *sync.Map { return new(sync.Map) }); v != nil && v != all.Get(k) {
					t.Error(k)
				}
			}
		})
	}
	done.Wait()
	require.Equal(t, 50, all.Len())
}
