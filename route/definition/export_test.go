package definition

var Digest = digest
