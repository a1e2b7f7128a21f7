package mutants

// office are mutations of the store in ZooKeeper.
var office = []mutation{
	{"internal/store/zkstore/write.go",
		"SetDataRequest{Path: s.paths.commit(), Data: next.bytes(), Version: s.version}",
		"SetDataRequest{Path: s.paths.commit(), Data: next.bytes(), Version: -1}",
		"a leader that was deposed still writes"},
	{"internal/store/zkstore/store.go",
		"	if s.now.Sum == \"\" || s.now.Sum == hex.EncodeToString(s.sum[:]) {",
		"	if s.now.Sum == \"\" || len(s.sum) > 0 {",
		"a state that somebody else changed is believed"},
	{"internal/store/zkstore/store.go",
		"commit{Epoch: before + 1, Pending: s.now.Pending, Sum: s.now.Sum,",
		"commit{Epoch: before + 1, Sum: s.now.Sum,",
		"a large batch that a crash interrupted is forgotten"},
	{"internal/store/zkstore/write.go", "			s.sum.Sub(old.sum)", "			_ = old",
		"the sum counts what is no more"},
	{"internal/store/zkstore/write.go", "		s.failed, s.carried = <-s.carried, nil",
		"		<-s.carried\n		s.carried = nil", "what fails behind a large batch is forgotten"},
	{"internal/store/zkstore/shrink.go", "err == nil && size > maxValue", "err == nil && size < 0",
		"a node may claim to hold four gigabytes"},
	{"internal/store/zkstore/copy.go", "	if hex.EncodeToString(c.sum[:]) != s.now.Sum {",
		"	if hex.EncodeToString(c.sum[:]) == \"\" {", "a standby believes a stale copy"},
	{"internal/store/zkstore/copy.go", "		c.sum.Sub(old.sum)", "		_ = old",
		"a standby counts what is no more"},
	{"internal/store/zkstore/read.go", "		used[h.blob] = true", "		_ = h",
		"a large value is swept away that is still named"},
}
