package crs

import (
	"context"

	"github.com/corazawaf/coraza/v3/types"
)

// NewLogged is New with a callback for all that the engine logs.
func NewLogged(ctx context.Context, cfg Config, callback func(types.MatchedRule)) (*RuleSet, error) {
	return newRuleSet(ctx, cfg, callback)
}
