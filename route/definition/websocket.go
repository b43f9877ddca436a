package definition

func (a *apiBuilder) buildWebSocket(names []string, stages map[string]*Stage) {
	a.refuseAll(unsupportedf("", "WebSocket APIs aren't served"))
}
