package api

// OldMetrics is the answer of PathMetricsJSON, in the predecessor's names and shape.
type OldMetrics struct {
	Version    string                `json:"version"`
	Gauges     map[string]OldGauge   `json:"gauges"`
	Counters   map[string]OldCounter `json:"counters"`
	Histograms struct{}              `json:"histograms"`
	Meters     struct{}              `json:"meters"`
	Timers     struct{}              `json:"timers"`
}

// OldGauge is a value of its moment.
type OldGauge struct {
	Value bool `json:"value"`
}

// OldCounter counts from when the scheduler was started.
type OldCounter struct {
	Count int64 `json:"count"`
}
