package boltstore_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/throttle/usageplan"
	"github.com/gatekit-go/gatekit/throttle/usageplan/boltstore"
)

// Keys outlive the process.
func ExampleOpen() {
	ctx := context.Background()
	dir := gatekit.Must(os.MkdirTemp("", "gatekit"))
	defer os.RemoveAll(dir)

	for range 2 {
		store := gatekit.Must(boltstore.Open(ctx, filepath.Join(dir, "keys.db"), boltstore.Config{}))
		plans := gatekit.Must(usageplan.NewRegistry(ctx, usageplan.RegistryConfig{Store: store}))
		_, _, err := plans.CreateKey(ctx, usageplan.NewKey{ID: "shop", Name: "the shop", Enabled: true})
		fmt.Println(err)
		_ = store.Close()
	}
	// Output:
	// <nil>
	// usageplan: it exists already, or was changed at the same time: keys
}
