package vtl

import (
	"cmp"
	"math"
	"math/big"
	"math/bits"
)

// maxBits is how long an integer may get: a template can square one twenty times over.
const maxBits = 1 << 14

// calculate is an arithmetic operator. Null comes of what can't be calculated: a division by zero, a value that is no number.
func (ex *exec) calculate(o *operand, src *source, left, right any, leftText string) any {
	if o.op == tokPlus {
		_, l := left.(string)
		_, r := right.(string)
		if l || r {
			// Null becomes the text of its source.
			if left == nil {
				left = leftText
			} else if right == nil {
				right = o.text
			}
			return ex.concat(ex.text(left), ex.text(right))
		}
	}
	switch l := left.(type) {
	case int64:
		switch r := right.(type) {
		case int64:
			if v, ok := integers(o.op, l, r); ok {
				return v
			}
			return ex.bigs(o, src, big.NewInt(l), big.NewInt(r))
		case *big.Int:
			return ex.bigs(o, src, big.NewInt(l), r)
		}
	case *big.Int:
		switch r := right.(type) {
		case int64:
			return ex.bigs(o, src, l, big.NewInt(r))
		case *big.Int:
			return ex.bigs(o, src, l, r)
		}
	}
	if !ex.weigh(left, right) {
		return nil
	}
	l, lok := toDouble(left)
	r, rok := toDouble(right)
	if !lok || !rok {
		return nil
	}
	switch o.op {
	case tokPlus:
		return l + r
	case tokMinus:
		return l - r
	case tokTimes:
		return l * r
	case tokDivide:
		if r == 0 {
			return nil
		}
		return l / r
	}
	if r == 0 {
		return nil
	}
	if (classOf(left)|classOf(right))&classBig != 0 {
		ex.fail(src, o.at, "want no integer beyond 64 bits beside a float at %, as the original can't do it")
		return nil
	}
	return math.Mod(l, r)
}

// integers reports false where the result is beyond 64 bits.
func integers(op kind, l, r int64) (v any, ok bool) {
	switch op {
	case tokPlus:
		n := l + r
		return n, (n^l)&(n^r) >= 0
	case tokMinus:
		n := l - r
		return n, (l^r)&(n^l) >= 0
	case tokTimes:
		// The original's check misses the smallest by -1.
		hi, lo := bits.Mul64(magnitude(l), magnitude(r))
		return l * r, hi == 0 && (lo < 1<<63 || lo == 1<<63 && (l^r < 0 || r == -1))
	case tokDivide:
		if r == 0 {
			return nil, true
		}
		return l / r, true // as Java does, the smallest by -1 is itself
	}
	if r == 0 {
		return nil, true
	}
	return l % r, true
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

func (ex *exec) bigs(o *operand, src *source, l, r *big.Int) any {
	v := new(big.Int)
	if l.BitLen()+r.BitLen() > maxBits {
		ex.fail(src, o.at, "want integers of up to 16384 bits")
		return nil
	}
	if !ex.step(4+(l.BitLen()+r.BitLen())/64) || !ex.alloc(128+(l.BitLen()+r.BitLen())/8) {
		return nil
	}
	switch o.op {
	case tokPlus:
		v.Add(l, r)
	case tokMinus:
		v.Sub(l, r)
	case tokTimes:
		v.Mul(l, r)
	case tokDivide:
		if r.Sign() == 0 {
			return nil
		}
		v.Quo(l, r)
	default:
		if r.Sign() == 0 {
			return nil
		}
		if r.Sign() < 0 {
			ex.fail(src, o.at, "want a positive number on the right of %, as BigInteger.mod does")
			return nil
		}
		v.Mod(l, r)
	}
	return v
}

// weigh pays for making integers beyond 64 bits into doubles, or for comparing them.
func (ex *exec) weigh(left, right any) bool {
	bits := 0
	for _, v := range [...]any{left, right} {
		if b, ok := v.(*big.Int); ok {
			bits += 64 + b.BitLen()
		}
	}
	return bits == 0 || ex.step(bits/16) && ex.alloc(bits/4)
}

func toDouble(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	case *big.Int:
		f, _ := new(big.Float).SetInt(v).Float64()
		return f, true
	}
	return 0, false
}

// compareNumbers reports ok false where one is no number. What is not a number is equal to every other.
func compareNumbers(left, right any) (c int, ok bool) {
	switch l := left.(type) {
	case int64:
		switch r := right.(type) {
		case int64:
			return cmp.Compare(l, r), true
		case *big.Int:
			return big.NewInt(l).Cmp(r), true
		}
	case *big.Int:
		switch r := right.(type) {
		case int64:
			return l.Cmp(big.NewInt(r)), true
		case *big.Int:
			return l.Cmp(r), true
		}
	}
	l, lok := toDouble(left)
	r, rok := toDouble(right)
	switch {
	case !lok || !rok:
		return 0, false
	case l < r:
		return -1, true
	case l > r:
		return 1, true
	}
	return 0, true
}

// ordered is one of the operators < > <= >=. Only numbers have an order.
func ordered(op kind, left, right any) bool {
	c, ok := compareNumbers(left, right)
	switch {
	case !ok:
		return false
	case op == tokLess:
		return c < 0
	case op == tokGreater:
		return c > 0
	case op == tokLessEqual:
		return c <= 0
	}
	return c >= 0
}

// same is the operator ==. Values of one class are equal as Java's equals has it, of different classes if their texts are.
func (ex *exec) same(left, right any) bool {
	if l, ok := left.(string); ok {
		if r, ok := right.(string); ok {
			return ex.look(l) && l == r
		}
	}
	if !ex.weigh(left, right) {
		return false
	}
	if c, ok := compareNumbers(left, right); ok {
		return c == 0
	}
	if left == nil || right == nil {
		return left == nil && right == nil
	}
	// A loop and an iterator have no class that the other may have, as far as templates can tell.
	if c := classOf(left) &^ (classLoop | classIterator); c != classOther && c == classOf(right) {
		return ex.equal(left, right)
	}
	return ex.text(left) == ex.text(right)
}
