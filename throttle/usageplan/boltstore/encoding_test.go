package boltstore

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

// FuzzDecodeEntry reads any bytes: what is an entry is written the same, and anything else is an
// error.
func FuzzDecodeEntry(f *testing.F) {
	e := usageplan.Entry{Counter: usageplan.Counter{Plan: "p", Key: "k", From: 20000, To: 20003}, Count: usageplan.Count{Used: 7, Extra: -3}, Days: []int64{1, 2, 1 << 40}}
	f.Add(encodeCounter(e.Counter), encodeCount(e))
	f.Add([]byte("p\x00k\x00\x00\x00\x00\x00\xff\xff\xff\xff"), []byte{1})
	f.Add([]byte{}, []byte{})
	f.Fuzz(func(t *testing.T, k, v []byte) {
		e, err := decodeEntry(k, v)
		if err != nil {
			require.Zero(t, e.Counter)
			return
		}
		again, err := decodeEntry(encodeCounter(e.Counter), encodeCount(e))
		require.NoError(t, err)
		require.Equal(t, e, again)
		require.Equal(t, k, encodeCounter(e.Counter))
	})
}
