package throttle

// AllowOverhead sets less than a config may say, so that a flood needn't be so long, nor fast.
func (c *Connections) AllowOverhead(burst int) { c.overhead = newSteady(Limit{Rate: 1, Burst: burst}) }
