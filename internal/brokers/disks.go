package brokers

import (
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kafka-sched/kafka-sched/scheduler"
)

// What each broker says of its own log directories, and which features are finalized. Neither
// changes often, and brokers ask their file systems for the former, so it is asked for from time to
// time only and kept in between.

// lookEvery is how long what a broker said of its log directories is kept.
const lookEvery = 10 * time.Second

// describeDirs asks for log directories without anything that lies in them.
var describeDirs = question{"DescribeLogDirs", 35, 4, 5, func(v int16) kmsg.Request {
	r := kmsg.NewPtrDescribeLogDirsRequest()
	r.Version, r.Topics = v, []kmsg.DescribeLogDirsRequestTopic{}
	return r
}}

// storageFailed is Kafka's error code for a log directory that cannot be used any more.
const storageFailed = 56

// cordonLevel is the level of metadata.version from which on brokers can be cordoned (KIP-1066).
const cordonLevel = 30

// disks is what a broker said of its log directories.
type disks struct {
	looked   time.Time
	failed   []string // paths
	cordoned bool     // all of them
}

// look asks a broker for its log directories, and anew for the features, if that is due. A broker
// that does not say it is as it was before.
func (p *peer) look(now time.Time) error {
	_, tells := p.versions[describeDirs.key]
	if !tells || now.Before(p.disks.looked.Add(lookEvery)) {
		return nil
	}
	p.disks.looked = now
	if err := p.greet(); err != nil {
		return err
	}
	return p.question(describeDirs, p.disks.take)
}

// take takes in a response to DescribeLogDirs.
func (d *disks) take(version int16, body []byte) error {
	r := kmsg.NewPtrDescribeLogDirsResponse()
	r.SetVersion(version)
	if err := r.ReadFrom(body); err != nil {
		return errDamaged
	}
	if r.ErrorCode != 0 {
		return nil // nobody is to be told
	}
	d.failed, d.cordoned = nil, len(r.Dirs) > 0
	for _, dir := range r.Dirs {
		if dir.ErrorCode == storageFailed {
			d.failed = append(d.failed, dir.Dir)
			continue
		}
		d.cordoned = d.cordoned && dir.IsCordoned
	}
	slices.Sort(d.failed)
	return nil
}

// readLevel gives the finalized level of metadata.version, 0 if it is not told.
func readLevel(body []byte) int16 {
	r := kmsg.NewPtrApiVersionsResponse()
	r.SetVersion(apiVersions.max)
	if r.ReadFrom(body) != nil {
		return 0
	}
	for _, f := range r.FinalizedFeatures {
		if f.Name == "metadata.version" {
			return f.MaxVersionLevel
		}
	}
	return 0
}

// addDisks adds what brokers said of their own log directories to facts.
func addDisks(facts *scheduler.KafkaFacts, answers []*answer) {
	level := int16(0)
	for _, a := range answers {
		if a.controller {
			continue
		}
		if level == 0 || a.level < level {
			level = a.level
		}
		for i := range facts.Brokers {
			if b := &facts.Brokers[i]; b.Address == a.address {
				b.Failed, b.Cordoned = a.disks.failed, a.disks.cordoned
			}
		}
	}
	facts.Cordons = level >= cordonLevel
}
