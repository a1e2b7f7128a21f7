package balance

// BrokerID is Kafka's id of a broker.
type BrokerID int32

// Standing is what is to become of a broker.
type Standing int

// The standings.
const (
	InService Standing = iota
	Added              // it was added and is to be filled
	Leaving            // it is to be emptied
	Down               // it neither gives nor takes
)

// Broker is one broker.
type Broker struct {
	ID       BrokerID
	Rack     string // "" when it is not known
	Standing Standing
	// Capacity is what its disks hold in bytes, 0 when it is not known.
	Capacity int64
	Dirs     []Dir
}

// Dir is one log directory.
type Dir struct {
	Path     string
	Capacity int64 // 0 when it is not known
	Standing Standing
}

// Replica is one copy of a partition.
type Replica struct {
	Broker BrokerID
	Dir    int // index of the directory in Broker.Dirs
	Bytes  int64
	Behind bool // it is not in sync
}

// Partition is one partition, its preferred leader first.
type Partition struct {
	Topic    string
	ID       int32
	Replicas []Replica
}

// bytes is what a new replica of it has to copy.
func (p *Partition) bytes() int64 {
	var most int64
	for _, r := range p.Replicas {
		most = max(most, r.Bytes)
	}
	return most
}

// Cluster is what there is. Replicas on brokers that are not listed stay where they are.
type Cluster struct {
	Brokers    []Broker
	Partitions []Partition
}

// Goal is what a plan is for.
type Goal string

// The goals.
const (
	Even  Goal = "even"  // all brokers get their due
	Fill  Goal = "fill"  // those that were added get their due, and no other data moves
	Empty Goal = "empty" // those that leave lose everything, and no other data moves
	// InDirs is no goal of Make but of Dirs: the log directories of each broker get their due.
	InDirs Goal = "dirs"
	// Clear is no goal of Make: what is unavailable without a broker leaves it.
	Clear Goal = "clear"
	// Factors is no goal of Make but of Replicate: topics get as many replicas as is declared.
	Factors Goal = "replicas"
)

// Options are what an operator may choose.
type Options struct {
	// Tolerance is how far a broker may be from its due, 0 is a tenth.
	Tolerance float64
}

func (o Options) tolerance() float64 {
	if o.Tolerance > 0 {
		return o.Tolerance
	}
	return 0.1
}

// Move is a new list of replicas for one partition.
type Move struct {
	Topic         string
	Partition     int32
	Before, After []BrokerID
	// Bytes is what has to be copied to all new replicas, 0 when only the leader changes.
	Bytes int64
	// From and To are the log directories of a replica that moves inside its broker, which is
	// Before and After then; "" for other moves.
	From, To string
}

// Inside reports whether a move is one from a log directory of a broker to another.
func (m Move) Inside() bool { return m.To != "" }

// Left is a replica that had to leave and cannot.
type Left struct {
	Topic     string
	Partition int32
	Broker    BrokerID
	Reason    string
}

// Load is what is on a broker.
type Load struct {
	Bytes             int64
	Replicas, Leaders int
}

// Preview is what a plan does to one broker.
type Preview struct {
	Broker        BrokerID
	Before, After Load
	In, Out       int64 // bytes copied to it, and deleted from it
}

// Plan is what is to be moved.
type Plan struct {
	Moves   []Move
	Left    []Left
	Brokers []Preview // by ascending id
	Bytes   int64     // to be copied in all
}
