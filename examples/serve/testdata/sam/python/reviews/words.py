praise = "good"
