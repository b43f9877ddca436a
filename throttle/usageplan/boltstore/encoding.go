package boltstore

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

var errEncoding = errors.New("boltstore: the file has an entry that isn't one")

// encodeRecord writes the revision, the number of the record's last change, and its data.
func encodeRecord(r usageplan.Record, number uint64) []byte {
	b := make([]byte, 0, 16+len(r.Data))
	b = binary.BigEndian.AppendUint64(b, uint64(r.Revision))
	return append(binary.BigEndian.AppendUint64(b, number), r.Data...)
}

func decodeRecord(id, v []byte) (r usageplan.Record, number uint64, err error) {
	if len(v) < 16 {
		return usageplan.Record{}, 0, errEncoding
	}
	r = usageplan.Record{ID: string(id), Revision: int64(binary.BigEndian.Uint64(v)), Data: bytes.Clone(v[16:])}
	return r, binary.BigEndian.Uint64(v[8:]), nil
}

// encodeCounter writes the plan and the key, which hold no NUL, each with one behind it, and the
// days.
func encodeCounter(c usageplan.Counter) []byte {
	b := make([]byte, 0, len(c.Plan)+len(c.Key)+10)
	b = append(append(b, c.Plan...), 0)
	b = append(append(b, c.Key...), 0)
	b = binary.BigEndian.AppendUint32(b, uint32(c.From))
	return binary.BigEndian.AppendUint32(b, uint32(c.To))
}

// encodeCount writes the count and the units of the days as varints.
func encodeCount(e usageplan.Entry) []byte {
	b := binary.AppendVarint(binary.AppendVarint(nil, e.Used), e.Extra)
	for _, units := range e.Days {
		b = binary.AppendVarint(b, units)
	}
	return b
}

// maxDays is more than any period has.
const maxDays = 366

func decodeEntry(k, v []byte) (e usageplan.Entry, err error) {
	plan, rest, ok := bytes.Cut(k, []byte{0})
	key, span, ok2 := bytes.Cut(rest, []byte{0})
	if !ok || !ok2 || len(span) != 8 {
		return e, errEncoding
	}
	e.Counter = usageplan.Counter{
		Plan: string(plan), Key: string(key),
		From: usageplan.Date(binary.BigEndian.Uint32(span)), To: usageplan.Date(binary.BigEndian.Uint32(span[4:])),
	}
	length := int64(e.To) - int64(e.From)
	if length < 1 || length > maxDays {
		return usageplan.Entry{}, errEncoding
	}
	e.Days = make([]int64, length)
	for _, field := range append([]*int64{&e.Used, &e.Extra}, pointers(e.Days)...) {
		value, n := binary.Varint(v)
		if n <= 0 {
			return usageplan.Entry{}, errEncoding
		}
		*field, v = value, v[n:]
	}
	if len(v) > 0 {
		return usageplan.Entry{}, errEncoding
	}
	return e, nil
}

func pointers(list []int64) []*int64 {
	all := make([]*int64, len(list))
	for i := range list {
		all[i] = &list[i]
	}
	return all
}
