package scheduler

// Names of counters that notes increase; internal/metrics gives each its Prometheus name.
const (
	CountSubscribes  = "subscribes"
	CountDisconnects = "disconnects"
	CountOffers      = "offers"
	CountRescinds    = "rescinds"
	CountAccepts     = "accepts"
	CountDeclines    = "declines"
	CountRevives     = "revives"
	CountSuppresses  = "suppresses"
	CountLaunches    = "launches"
	CountKills       = "kills"
	CountFailures    = "failures"
	CountReserves    = "reserves"
	CountUnreserves  = "unreserves"
	CountCommands    = "commands"
	// CountStatus is followed by the task state: "status.RUNNING".
	CountStatus = "status."
	// CountOperation is followed by the state of an operation: "OPERATION_FINISHED".
	CountOperation = "operation."
)
