package jsonpath

import (
	"bytes"
	"cmp"
	"strconv"
)

// decimal is ±0.digits × 10^exp; digits neither begin nor end with 0.
type decimal struct {
	sign   int // -1, 0, 1
	exp    int64
	digits []byte
}

// compareNumbers compares two JSON numbers exactly, without writing them out: 1e999999999 costs no
// more than 1.
func compareNumbers(a, b []byte) int {
	x, y := decimalOf(a), decimalOf(b)
	if x.sign != y.sign || x.sign == 0 {
		return cmp.Compare(x.sign, y.sign)
	}
	order := cmp.Compare(x.exp, y.exp)
	if order == 0 {
		order = bytes.Compare(x.digits, y.digits)
	}
	return order * x.sign
}

func decimalOf(n []byte) decimal {
	d := decimal{sign: 1}
	if n[0] == '-' {
		d.sign, n = -1, n[1:]
	}
	if at := bytes.IndexAny(n, "eE"); at >= 0 {
		// What doesn't fit saturates: numbers that far out are equal in size only to each other.
		d.exp, _ = strconv.ParseInt(string(bytes.TrimPrefix(n[at+1:], []byte("+"))), 10, 64)
		const far = 1 << 60
		d.exp = min(max(d.exp, -far), far)
		n = n[:at]
	}
	whole, fraction, _ := bytes.Cut(n, []byte("."))
	d.exp += int64(len(whole))
	d.digits = n
	if len(fraction) > 0 {
		d.digits = append(append(make([]byte, 0, len(n)), whole...), fraction...)
	}
	trimmed := bytes.TrimLeft(d.digits, "0")
	d.exp -= int64(len(d.digits) - len(trimmed))
	if d.digits = bytes.TrimRight(trimmed, "0"); len(d.digits) == 0 {
		return decimal{}
	}
	return d
}
