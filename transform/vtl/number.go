package vtl

import (
	"cmp"
	"math"
	"math/big"
	"math/bits"
)

// maxBits is how long an integer may get: a template can square one twenty times over.
const maxBits = 1 << 14

// calculate is an arithmetic operator. Null comes of what can't be calculated: a division by zero,
// a value that is no number.
func (ex *exec) calculate(o *operand, src *source, left, right any, leftText string) any {
	if o.op == tokPlus && (classOf(left)|classOf(right))&classString != 0 {
		// Null becomes the text of its source.
		if left == nil {
			left = leftText
		} else if right == nil {
			right = o.text
		}
		return ex.concat(ex.text(left), ex.text(right))
	}
	l, lok := left.(int64)
	r, rok := right.(int64)
	if lok && rok {
		if v, ok := integers(o.op, l, r); ok {
			return v
		}
	}
	if lok && rok || isBig(left, right) {
		if l, r := toBig(left), toBig(right); l != nil && r != nil {
			return ex.bigs(o, src, l, r)
		}
	}
	return ex.doubles(o, src, left, right)
}

func (ex *exec) doubles(o *operand, src *source, left, right any) any {
	if !ex.weigh(left, right) {
		return nil
	}
	l, lok := toDouble(left)
	r, rok := toDouble(right)
	switch {
	case !lok || !rok:
		return nil
	case o.op == tokPlus:
		return l + r
	case o.op == tokMinus:
		return l - r
	case o.op == tokTimes:
		return l * r
	case r == 0:
		return nil
	case o.op == tokDivide:
		return l / r
	case isBig(left, right):
		ex.fail(src, o.at, "want no integer beyond 64 bits beside a float at %%, as the original can't do it")
		return nil
	}
	return math.Mod(l, r)
}

// integers reports false where the result is beyond 64 bits: it becomes a BigInteger then, as
// Velocity looks at the signs after each operation. (Velocity 1.7, MathUtils.)
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
	}
	switch {
	case r == 0:
		return nil, true
	case op == tokDivide:
		return l / r, true // as Java does, the smallest by -1 is itself
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
	switch {
	case o.op == tokPlus:
		return v.Add(l, r)
	case o.op == tokMinus:
		return v.Sub(l, r)
	case o.op == tokTimes:
		return v.Mul(l, r)
	case r.Sign() == 0:
		return nil
	case o.op == tokDivide:
		return v.Quo(l, r)
	case r.Sign() < 0:
		ex.fail(src, o.at, "want a positive number on the right of %%, as BigInteger.mod does")
		return nil
	}
	return v.Mod(l, r)
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

// isBig reports whether one of two is beyond 64 bits.
func isBig(left, right any) bool { return (classOf(left)|classOf(right))&classBig != 0 }

// toBig is nil for what is no integer.
func toBig(v any) *big.Int {
	switch v := v.(type) {
	case int64:
		return big.NewInt(v)
	case *big.Int:
		return v
	}
	return nil
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

// compareNumbers reports ok false where one is no number. What is not a number is equal to every
// other.
func compareNumbers(left, right any) (c int, ok bool) {
	if l, ok := left.(int64); ok {
		if r, ok := right.(int64); ok {
			return cmp.Compare(l, r), true
		}
	}
	if isBig(left, right) {
		if l, r := toBig(left), toBig(right); l != nil && r != nil {
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
	switch op {
	case tokLess:
		return ok && c < 0
	case tokGreater:
		return ok && c > 0
	case tokLessEqual:
		return ok && c <= 0
	}
	return ok && c >= 0
}

// same is the operator ==. Numbers compare by value, whatever their classes; other values of one
// class as Java's equals has it; of different classes by their texts, which makes "1" == 1 true and
// is what templates rely on. (Velocity 1.7, ASTEQNode.)
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
