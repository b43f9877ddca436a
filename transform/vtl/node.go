package vtl

// A stmt writes to the output. An expr has a value: nil is null. Where the execution is to end both
// say so in exec.signal, which their callers look at before they go on.
type (
	stmt interface{ run(ex *exec) }
	expr interface {
		eval(ex *exec) any
		// truth is what #if and the logical operators see. It is not the truth of eval: a literal
		// is false.
		truth(ex *exec) bool
	}
)

type signal uint8

const (
	signalNone  signal = iota
	signalBreak        // to the innermost loop or block, or to exec.breakTo
	signalStop
	signalFail // with exec.err
)

type textStmt struct{ text string }

func (s *textStmt) run(ex *exec) {
	if ex.step(len(s.text) / 64) {
		ex.out = append(ex.out, s.text...)
	}
}

type branch struct {
	condition expr
	body      []stmt
}

type ifStmt struct {
	branches  []branch
	otherwise []stmt
}

func (s *ifStmt) run(ex *exec) {
	for i := range s.branches {
		yes := s.branches[i].condition.truth(ex)
		if ex.signal != signalNone || !ex.step(1) {
			return
		}
		if yes {
			ex.block(s.branches[i].body)
			return
		}
	}
	ex.block(s.otherwise)
}

type setStmt struct {
	left  *ref
	right expr
	at    int
	src   *source
}

// run leaves the variable alone where the value is null (directive.set.null.allowed is false). So a
// division by zero keeps the value before, which surprises and is what the gateway does.
func (s *setStmt) run(ex *exec) {
	v := s.right.eval(ex)
	if v == nil || ex.signal != signalNone {
		return
	}
	if len(s.left.steps) == 0 {
		ex.vars[s.left.slot] = v
		return
	}
	s.left.assign(ex, v)
}

type defineStmt struct {
	slot int
	body []stmt
}

// A block is the value of a variable that #define defined. It is rendered each time that it is
// printed, with the variables as they are then.
type block struct {
	*defineStmt
	depth int
}

// maxBlockDepth is how often a block may be within itself: two, as Velocity's
// Define has it by default. Beyond it the reference prints itself.
const maxBlockDepth = 2

func (s *defineStmt) run(ex *exec) { ex.vars[s.slot] = &block{defineStmt: s} }

// render reports whether the block was rendered: it isn't within itself for the third time.
func (b *block) render(ex *exec) bool {
	if b.depth == maxBlockDepth {
		return false
	}
	b.depth++
	ex.block(b.body)
	b.depth--
	if ex.signal == signalBreak && ex.breakTo == nil {
		ex.signal = signalNone
	}
	return true
}

type jumpStmt struct {
	to  signal
	arg expr // of #break: the loop to leave; of #stop: a message that nobody sees
	at  int
	src *source
}

func (s *jumpStmt) run(ex *exec) {
	ex.breakTo = nil
	if s.arg != nil {
		v := s.arg.eval(ex)
		if ex.signal != signalNone {
			return
		}
		if s.to == signalBreak {
			l, ok := v.(*loop)
			if !ok {
				ex.fail(s.src, s.at, "want #break or #break($foreach), got another value")
				return
			}
			ex.breakTo = l
		}
	}
	ex.signal = s.to
}

// constant is a literal. None is true, not even 1 or "yes": Velocity's nodes of literals inherit an
// evaluate that returns false. (Velocity 1.7, SimpleNode.evaluate.)
type constant struct{ value any }

func (e constant) eval(*exec) any   { return e.value }
func (e constant) truth(*exec) bool { return false }

type boolean bool

func (e boolean) eval(*exec) any   { return bool(e) }
func (e boolean) truth(*exec) bool { return bool(e) }

// A stringExpr is a string literal with something to replace in it.
type stringExpr struct {
	body []stmt
	only *ref // where that is all of it
	cut  bool // the last character
}

func (e *stringExpr) truth(*exec) bool { return false }

func (e *stringExpr) eval(ex *exec) any {
	if !ex.step(1) {
		return nil
	}
	if e.only != nil {
		v := e.only.eval(ex)
		if s, ok := v.(string); ok {
			return s
		}
		if _, isBlock := v.(*block); !isBlock {
			return ex.text(v)
		}
	}
	return ex.capture(func() { ex.block(e.body) }, e.cut)
}

type listExpr struct{ items []expr }

func (e *listExpr) truth(*exec) bool { return false }

func (e *listExpr) eval(ex *exec) any {
	if !ex.alloc(perList+16*len(e.items)) || !ex.step(1+len(e.items)/4) {
		return nil
	}
	l := &List{}
	if len(e.items) > 0 {
		l.items = make([]any, len(e.items))
	}
	for i, item := range e.items {
		l.items[i] = item.eval(ex)
		if ex.signal != signalNone {
			return nil
		}
	}
	return l
}

type mapExpr struct {
	pairs [][2]expr
	src   *source
}

func (e *mapExpr) truth(*exec) bool { return false }

func (e *mapExpr) eval(ex *exec) any {
	if !ex.alloc(perMap) {
		return nil
	}
	m := NewMap()
	for _, pair := range e.pairs {
		k := pair[0].eval(ex)
		if ex.signal != signalNone || !ex.step(1) {
			return nil
		}
		v := pair[1].eval(ex)
		if ex.signal != signalNone {
			return nil
		}
		if ex.put(m, k, v); ex.signal != signalNone {
			return nil
		}
	}
	return m
}

type rangeExpr struct {
	from, to expr
	src      *source
}

func (e *rangeExpr) truth(*exec) bool { return false }

// bounds reports false where one of them is no number.
func (e *rangeExpr) bounds(ex *exec) (from, to int64, ok bool) {
	from, aok := toInt32(e.from.eval(ex))
	if ex.signal != signalNone {
		return 0, 0, false
	}
	to, bok := toInt32(e.to.eval(ex))
	return from, to, aok && bok && ex.signal == signalNone
}

func (e *rangeExpr) eval(ex *exec) any {
	from, to, ok := e.bounds(ex)
	if !ok {
		return nil
	}
	n, by := to-from+1, int64(1)
	if from >= to {
		n, by = from-to+1, -1
	}
	// Before anything is allocated: a range may have four billion elements.
	if !ex.alloc(perList+24*int(n)) || !ex.step(int(n)/2) {
		return nil
	}
	l := &List{items: make([]any, n)}
	for i := range l.items {
		l.items[i] = from
		from += by
	}
	return l
}

type notExpr struct {
	value expr
	odd   bool
}

func (e *notExpr) eval(ex *exec) any   { return e.truth(ex) }
func (e *notExpr) truth(ex *exec) bool { return e.value.truth(ex) != e.odd }

// A chain is a row of operands with operators of one level, which is evaluated from the left.
type chain struct {
	first     expr
	firstText string
	rest      []operand
	inParens  string
	src       *source
}

type operand struct {
	op    kind
	at    int
	value expr
	text  string // of its node, should it be null
	scope string // the text after the operator: that of the node of all up to here
}

func (e *chain) eval(ex *exec) any {
	if e.rest[0].op.isArithmetic() {
		return e.arithmetic(ex)
	}
	return e.truth(ex)
}

func (e *chain) truth(ex *exec) bool {
	op := e.rest[0].op
	if op.isArithmetic() {
		return false // without a look at it
	}
	if op == tokAnd || op == tokOr {
		yes := e.first.truth(ex)
		for i := 0; yes == (op == tokAnd) && i < len(e.rest) && ex.step(1); i++ {
			yes = e.rest[i].value.truth(ex)
		}
		return yes
	}
	left := e.first.eval(ex)
	for i := range e.rest {
		o := &e.rest[i]
		right, ok := e.next(ex, o)
		if !ok {
			return false
		}
		switch o.op {
		case tokEqual:
			left = ex.same(left, right)
		case tokNotEqual:
			left = !ex.same(left, right)
		default:
			left = ex.weigh(left, right) && ordered(o.op, left, right)
		}
	}
	return left == true
}

// next evaluates an operand. It reports false where the execution has ended.
func (e *chain) next(ex *exec, o *operand) (v any, ok bool) {
	if ex.signal != signalNone || !ex.step(1) {
		return nil, false
	}
	v = o.value.eval(ex)
	return v, ex.signal == signalNone
}

func (e *chain) arithmetic(ex *exec) any {
	left := e.first.eval(ex)
	leftText := e.firstText
	for i := range e.rest {
		o := &e.rest[i]
		right, ok := e.next(ex, o)
		if !ok || !ex.alloc(8) {
			return nil
		}
		left = ex.calculate(o, e.src, left, right, leftText)
		leftText = o.scope
	}
	return left
}
