package transform

// MockStatus is what a mock's request template says.
var MockStatus = mockStatus

// ContextMembers are the members of $context that templates list, by the part that they are in.
var ContextMembers = contextKeys
