package api

// Problem is the body of every error of /v2, of the media type ProblemType (RFC 9457).
type Problem struct {
	// Type is a URI reference for the code: ProblemBase and the code.
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	// Code is one of the codes below.
	Code string `json:"code"`
	// Detail is a sentence for the operator.
	Detail string `json:"detail"`
	// Kafka is the error of Kafka's protocol, nil when it is none.
	Kafka *KafkaCode `json:"kafka,omitempty"`
}

// Media types.
const (
	JSONType    = "application/json"
	EventsType  = "text/event-stream"
	ProblemType = "application/problem+json"
	TextType    = "text/plain"
	PageType    = "text/html;charset=iso-8859-1" // the predecessor's error pages
	WADLType    = "application/vnd.sun.wadl+xml"
)

// ProblemBase begins every Problem.Type; the code follows.
const ProblemBase = "/openapi.yaml#"

// The codes of problems: a closed list.
const (
	CodeNotFound         = "not-found"
	CodeConflict         = "conflict"
	CodeInvalidRequest   = "invalid-request"
	CodeForbidden        = "forbidden" // wrong Host or Origin
	CodeMethodNotAllowed = "method-not-allowed"
	CodeTooLarge         = "too-large" // the body is over MaxBody
	CodeUnsupportedType  = "unsupported-media-type"
	CodeUnavailable      = "unavailable" // the scheduler has not started yet, or stops
	CodeInternal         = "internal"    // a bug; the detail is in the scheduler's log
	// CodeRevision says that If-Match names another revision than the present one.
	CodeRevision = "revision-mismatch"
	// CodeKeyReused says that the Idempotency-Key came before with another request, and
	// CodeKeyInUse that the request that it came with is not answered yet.
	CodeKeyReused = "idempotency-key-reused"
	CodeKeyInUse  = "idempotency-key-in-use"
	CodeBusy      = "busy"        // too much is asked at once; to be tried again
	CodeAgent     = "agent-error" // a Mesos agent or master did not answer as it should
)

// MaxBody is the size in bytes of the largest request body that is read.
const MaxBody = 1 << 20

// MaxFile is the size in bytes of the largest file of PathFile.
const MaxFile = 1024

// TextAlreadyDone is the predecessor's answer, with status 208, to a command on a plan that
// changes nothing.
const TextAlreadyDone = "Command has already been reported or completed"
