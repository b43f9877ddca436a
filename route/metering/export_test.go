package metering

// Cost and Shared are what prices and rows are made with.
var (
	Cost   = cost
	Shared = shared
)
