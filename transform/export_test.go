package transform

// MockStatus is what a mock's request template says.
var MockStatus = mockStatus
