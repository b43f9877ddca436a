package throttle_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/throttle"
	"github.com/gatekit-go/gatekit/throttle/throttletest"
)

type bubble struct{}

func (bubble) Advance(d time.Duration) { time.Sleep(d) }

func TestKeyedConformance(t *testing.T) {
	throttletest.Run(t, func(t *testing.T, body func(*testing.T, throttletest.Setup)) {
		synctest.Test(t, func(t *testing.T) {
			body(t, throttletest.Setup{Clock: bubble{}, New: func(l throttle.Limit) throttletest.Limiter {
				return gatekit.Must(throttle.NewPerKey(l, throttle.KeyConfig{Key: throttletest.Callers}))
			}})
		})
	})
}
