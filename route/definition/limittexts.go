package definition

import (
	"math"
	"strconv"
	"strings"
)

// settleLimits makes numbers of the texts in their place. A text that is none stays, as an unknown
// value: what it would limit refuses.
func (d *Document) settleLimits() {
	bucket := func(t *Throttle) {
		if t != nil {
			settle(&t.Rate, &t.RateText, toFloat)
			settle(&t.Burst, &t.BurstText, strconv.Atoi)
		}
	}
	for _, a := range d.APIs {
		for _, s := range a.Stages {
			bucket(s.Throttle)
			for _, t := range s.RouteThrottle {
				bucket(t)
			}
			for _, m := range s.MethodSettings {
				settle(&m.Rate, &m.RateText, toFloat)
				settle(&m.Burst, &m.BurstText, strconv.Atoi)
			}
		}
	}
	for _, p := range d.UsagePlans {
		bucket(p.Throttle)
		for _, s := range p.Stages {
			for _, t := range s.Throttle {
				bucket(t)
			}
		}
		if q := p.Quota; q != nil {
			limit, offset := &q.Limit, &q.Offset
			settle(&limit, &q.LimitText, toInt)
			settle(&offset, &q.OffsetText, toInt)
			q.Limit, q.Offset = *limit, *offset
		}
	}
}

// settle reads a text into the number in whose place it stands.
func settle[N any](number **N, text **string, read func(string) (N, error)) {
	if *text == nil {
		return
	}
	if n, err := read(strings.TrimSpace(**text)); err == nil {
		*number, *text = &n, nil
	} else if _, unknown := UnknownIn(**text); !unknown {
		*text = new(Unknown("a number, which " + strconv.Quote(**text) + " isn't"))
	}
}

func toFloat(text string) (float64, error) {
	f, err := strconv.ParseFloat(text, 64)
	if err == nil && (math.IsNaN(f) || math.IsInf(f, 0)) {
		err = strconv.ErrRange
	}
	return f, err
}

func toInt(text string) (int64, error) { return strconv.ParseInt(text, 10, 64) }
