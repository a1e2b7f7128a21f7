package api

// BrokerNode is the answer of PathBroker, in the shape that Kafka keeps in ZooKeeper. Of several
// listeners it is the one for clients.
type BrokerNode struct {
	Protocols map[string]string `json:"listener_security_protocol_map"`
	Endpoints []string          `json:"endpoints"`
	Host      string            `json:"host"`
	Port      int               `json:"port"`
	JMXPort   int               `json:"jmx_port"` // -1: none
	Version   int               `json:"version"`  // of the shape
}

// TopicDescription is the answer of PathTopic: a list of objects that have the partition's id
// as their one key.
type TopicDescription struct {
	Partitions []map[string]TopicPartition `json:"partitions"`
}

// TopicPartition is one partition; the leader is -1 when there is none.
type TopicPartition struct {
	Leader   int   `json:"leader"`
	ISR      []int `json:"isr"`
	Replicas []int `json:"replicas"`
}

// The operations of PathTopicOperation.
const (
	TopicPartitions   = "partitions"    // ?partitions=<how many in all>
	TopicConfig       = "config"        // ?key=<property>&value=<value>
	TopicProducerTest = "producer-test" // ?messages=<how many>
	// TopicProducerTestTLS is TopicProducerTest by a listener with TLS.
	TopicProducerTestTLS = "producer-test-tls"
)

// MaxTestMessages is the largest number of records of 1 KiB that TopicProducerTest writes.
const MaxTestMessages = 100_000
