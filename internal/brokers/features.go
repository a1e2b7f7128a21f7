package brokers

import (
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kafka-sched/kafka-sched/scheduler"
)

// readFeatures takes in which features a node can have and which levels are in force.
func (a *answer) readFeatures(version int16, body []byte) error {
	response := kmsg.NewPtrApiVersionsResponse()
	response.Version = version
	if err := response.ReadFrom(body); err != nil {
		return errDamaged
	}
	if err := code(response.ErrorCode); err != nil {
		return err
	}
	a.epoch = response.FinalizedFeaturesEpoch
	for _, of := range response.SupportedFeatures {
		f := scheduler.FeatureFacts{Name: of.Name, Least: int(of.MinVersion),
			Greatest: int(of.MaxVersion)}
		for _, final := range response.FinalizedFeatures {
			if final.Name == of.Name {
				f.Finalized = int(final.MaxVersionLevel)
			}
		}
		a.features = append(a.features, f)
	}
	return nil
}

// metadataFeature is the feature that tells which metadata there can be.
const metadataFeature = "metadata.version"

// levelOf is the level of a feature, 0 if it is not told.
func (a *answer) levelOf(name string) int {
	for _, f := range a.features {
		if f.Name == name {
			return f.Finalized
		}
	}
	return 0
}

// features are those that all nodes can have that told of theirs, with the levels of whom knows the
// latest.
func features(answers []*answer) []scheduler.FeatureFacts {
	var told []*answer
	for _, a := range answers {
		if len(a.features) > 0 {
			told = append(told, a)
		}
	}
	if len(told) == 0 {
		return nil
	}
	latest := slices.MaxFunc(told, func(x, y *answer) int { return int(x.epoch - y.epoch) })
	var list []scheduler.FeatureFacts
	for _, f := range latest.features {
		all := true
		for _, a := range told {
			at := slices.IndexFunc(a.features,
				func(o scheduler.FeatureFacts) bool { return o.Name == f.Name })
			if all = all && at >= 0; all {
				f.Least = max(f.Least, a.features[at].Least)
				f.Greatest = min(f.Greatest, a.features[at].Greatest)
			}
		}
		if all {
			list = append(list, f)
		}
	}
	slices.SortFunc(list, func(x, y scheduler.FeatureFacts) int {
		return strings.Compare(x.Name, y.Name)
	})
	return list
}

// The ways in which a level changes, as UpdateFeatures has them.
const (
	featureUp       = 1
	featureSafeDown = 2
)

// setFeature brings a feature to a level. Kafka lowers one only where nothing is lost by it.
func (l *line) setFeature(c scheduler.SetFeature) error {
	request := kmsg.NewPtrUpdateFeaturesRequest()
	request.TimeoutMillis = int32(changeTimeout.Milliseconds() * 2 / 3)
	update := kmsg.NewUpdateFeaturesRequestFeatureUpdate()
	update.Feature, update.MaxVersionLevel = c.Name, int16(c.Level)
	update.UpgradeType, update.AllowDowngrade = featureUp, c.Lower
	if c.Lower {
		update.UpgradeType = featureSafeDown
	}
	request.FeatureUpdates = append(request.FeatureUpdates, update)
	response, err := l.call(request)
	if err != nil {
		return err
	}
	r := response.(*kmsg.UpdateFeaturesResponse)
	if err := refused(r.ErrorCode, r.ErrorMessage, 0); err != nil {
		return err
	}
	for _, result := range r.Results {
		if err := refused(result.ErrorCode, result.ErrorMessage, 0); err != nil {
			return err
		}
	}
	return nil
}
