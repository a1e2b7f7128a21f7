package api

// Migrate is the body of PathMigrate and of PathMigratePreview.
type Migrate struct {
	// Spec is the text of the service's YAML as it is to be in the end: the brokers without
	// ZooKeeper, and a pod of controllers. Files are the templates that it names.
	Spec  string            `json:"spec"`
	Files map[string]string `json:"files,omitempty"`
	// PauseAfter are phases behind which it pauses.
	PauseAfter []string `json:"pause_after,omitempty"`
	// Then is an upgrade that begins by itself once the migration is done.
	Then   *Upgrade `json:"then,omitempty"`
	Reason string   `json:"reason,omitempty"`
}

// MigrateCommand is the body of PathMigrateCommand; it may be left out.
type MigrateCommand struct {
	// Accept lets it be finalized although the comparison shows differences.
	Accept bool   `json:"accept,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// MigratePreview is how a cluster gets from ZooKeeper to KRaft, and whether it can now.
type MigratePreview struct {
	// Refusals are what in the specs is against it; there are no phases then.
	Refusals []string `json:"refusals"`
	// Checks are of the cluster as it is now.
	Checks []Checked `json:"checks"`
	Phases []Phased  `json:"phases"`
	// Then is how the cluster gets on by the upgrade behind it, left out if there is none.
	Then *UpgradePreview `json:"then,omitempty"`
}

// Checked is something that was looked at, and found good, or not.
type Checked struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	Text string `json:"text"`
}

// MigrateComparison is what Kafka knew when the migration began against what it knows now.
type MigrateComparison struct {
	// Kinds are what was compared, with how many of each there were, and are.
	Kinds       []ComparedKind `json:"kinds"`
	Differences []Difference   `json:"differences"`
}

// ComparedKind is a kind of things that were compared.
type ComparedKind struct {
	Kind   string `json:"kind"`
	Before int    `json:"before"`
	Now    int    `json:"now"`
}

// Difference is something that is not as it was; "" is that it was not, or is not, there.
type Difference struct {
	Kind   string `json:"kind"`
	Name   string `json:"name"`
	Before string `json:"before"`
	Now    string `json:"now"`
}
