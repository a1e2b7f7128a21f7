package api

// Health is the answer of PathHealth. Value is also the HTTP status; with 204 there is no body.
type Health struct {
	Reasons []string `json:"reasons,omitempty"` // only when asked for with ?verbose=true
	Value   int      `json:"value"`
}

// The values of Health, as the predecessor has them: the first that fits, in the order of
// their meaning in its documents. Those from 300 on are not redirections.
const (
	HealthComplete         = 200
	HealthDeploying        = 202
	HealthRecoveryPending  = 203
	HealthDeployPending    = 204
	HealthRecoveryStarting = 205
	HealthNeedsInput       = 207
	HealthDelayed          = 208
	HealthInitializing     = 318
	HealthBackingUp        = 320
	HealthRestoring        = 321
	HealthPlanErrors       = 500
	HealthUnavailable      = 503
)
