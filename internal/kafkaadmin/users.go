package kafkaadmin

import (
	"cmp"
	"context"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/kafka-sched/kafka-sched/api"
)

// leastIterations is the least number that Kafka takes.
const leastIterations = 4096

// mechanisms of SCRAM by the names that the API has for them.
var mechanisms = map[string]kadm.ScramMechanism{
	api.Scram256: kadm.ScramSha256, api.Scram512: kadm.ScramSha512,
}

// Users gives everybody who has SCRAM credentials, by name.
func (Admin) Users(ctx context.Context, at []string) ([]api.User, error) {
	return ask(ctx, at, func(ctx context.Context, c conn) ([]api.User, error) {
		answer, err := c.DescribeUserSCRAMs(ctx)
		list := make([]api.User, 0, len(answer))
		for _, of := range answer.Sorted() {
			user := api.User{Name: of.User, Credentials: []api.Credential{}}
			for _, info := range of.CredInfos {
				user.Credentials = append(user.Credentials, api.Credential{
					Mechanism: info.Mechanism.String(), Iterations: int(info.Iterations)})
			}
			list = append(list, user)
		}
		return list, err
	})
}

// SetUser gives a user a password. It goes to the broker salted and hashed, never as it is.
func (Admin) SetUser(ctx context.Context, at []string, user api.UserSet) error {
	return done(ctx, at, func(ctx context.Context, c conn) error {
		answer, err := c.AlterUserSCRAMs(ctx, nil, []kadm.UpsertSCRAM{{User: user.Name,
			Mechanism:  mechanisms[cmp.Or(user.Mechanism, api.Scram512)],
			Iterations: int32(cmp.Or(user.Iterations, leastIterations)),
			Password:   user.Password}})
		if err != nil {
			return err
		}
		of := answer[user.Name]
		return refusal(of.Err, of.ErrMessage)
	})
}

// DeleteUser takes a user's password of one mechanism away, or all.
func (Admin) DeleteUser(ctx context.Context, at []string, name, mechanism string) error {
	return done(ctx, at, func(ctx context.Context, c conn) error {
		var list []kadm.DeleteSCRAM
		if mechanism != "" {
			list = append(list, kadm.DeleteSCRAM{User: name, Mechanism: mechanisms[mechanism]})
		} else {
			has, err := c.DescribeUserSCRAMs(ctx)
			if err != nil {
				return err
			}
			for _, info := range has[name].CredInfos {
				list = append(list, kadm.DeleteSCRAM{User: name, Mechanism: info.Mechanism})
			}
		}
		if len(list) == 0 {
			return missing("User", name)
		}
		answer, err := c.AlterUserSCRAMs(ctx, list, nil)
		if err != nil {
			return err
		}
		of := answer[name]
		return refusal(of.Err, of.ErrMessage)
	})
}
