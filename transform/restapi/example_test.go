package restapi_test

import (
	"fmt"

	"github.com/gatekit-go/gatekit/transform/restapi"
)

func ExampleNew() {
	_, err := restapi.New(restapi.Config{Models: map[string]string{"Order": `{"type":`}})
	fmt.Println(err)
	// Output:
	// restapi: Config.Models: validate: ModelsConfig.Schemas["Order"]: want a JSON schema: not JSON, at byte 8
}
