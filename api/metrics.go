package api

// OldMetrics is the answer of PathMetricsJSON, in the predecessor's names and shape.
type OldMetrics struct {
	Version    string                `json:"version"`
	Gauges     map[string]OldGauge   `json:"gauges"`
	Counters   map[string]OldCounter `json:"counters"`
	Histograms struct{}              `json:"histograms"`
	Meters     map[string]OldMeter   `json:"meters"`
	Timers     map[string]OldTimer   `json:"timers"`
}

// OldGauge is a value of its moment.
type OldGauge struct {
	Value bool `json:"value"`
}

// OldCounter counts from when the scheduler was started.
type OldCounter struct {
	Count int64 `json:"count"`
}

// OldRates are per second: from the start on, and over the last minutes.
type OldRates struct {
	M15  float64 `json:"m15_rate"`
	M1   float64 `json:"m1_rate"`
	M5   float64 `json:"m5_rate"`
	Mean float64 `json:"mean_rate"`
}

// OldMeter is how often something happened.
type OldMeter struct {
	Count int64 `json:"count"`
	OldRates
	Units string `json:"units"`
}

// OldTimer is how often something was done and how long it took.
type OldTimer struct {
	Count     int64   `json:"count"`
	Max       float64 `json:"max"`
	Mean      float64 `json:"mean"`
	Min       float64 `json:"min"`
	P50       float64 `json:"p50"`
	P75       float64 `json:"p75"`
	P95       float64 `json:"p95"`
	P98       float64 `json:"p98"`
	P99       float64 `json:"p99"`
	P999      float64 `json:"p999"`
	Deviation float64 `json:"stddev"`
	OldRates
	DurationUnits string `json:"duration_units"`
	RateUnits     string `json:"rate_units"`
}
