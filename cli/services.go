package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"
)

func (e *env) servicesCmd() *cobra.Command {
	return &cobra.Command{
		Use: "services", Short: "List the clusters of this machine", Args: arguments(0, 0),
		Example: "  kafka-sched services\n  kafka-sched status --name orders",
		RunE: func(cmd *cobra.Command, _ []string) error {
			h, err := e.clusters()
			if err != nil {
				return err
			}
			names, err := h.names()
			if err != nil {
				return err
			}
			list := []installation{}
			for _, name := range names {
				list = append(list, e.look(cmd.Context(), h.cluster(name)))
			}
			return e.print(list, func() error { return e.printServices(list) })
		},
	}
}

// installation is what is known of a cluster of this machine.
type installation struct {
	Name   string `json:"name"`
	State  string `json:"state"`
	URL    string `json:"url,omitempty"`
	Kafka  string `json:"kafka_version,omitempty"`
	Master string `json:"master,omitempty"`
	Folder string `json:"folder"`
	Error  string `json:"error,omitempty"`
}

// lookTime is how long one of several schedulers may take to answer.
const lookTime = 3 * time.Second

// look tells how a cluster is. What hinders that is told as well, and does not keep others from
// being listed.
func (e *env) look(ctx context.Context, f folder) installation {
	i := installation{Name: f.name, State: "stopped", Folder: f.dir}
	c, err := f.load()
	if err == nil {
		i.Kafka, i.Master = c.Kafka.Version, redactText(c.Master)
		if c.Mesos != nil {
			i.Master = "http://" + c.Mesos.MasterAddr
		}
		i.URL, err = f.running()
	}
	if err == nil && i.URL != "" {
		ctx, cancel := context.WithTimeout(ctx, lookTime)
		defer cancel()
		i.State, err = e.summaryAt(ctx, i.URL)
	}
	if err != nil {
		i.State, i.Error = "unknown", err.Error()
	}
	return i
}

// summaryAt says in a few words how the service at a URL is.
func (e *env) summaryAt(ctx context.Context, url string) (string, error) {
	c, err := e.newClient(url)
	if err != nil {
		return "", err
	}
	defer c.Close()
	s, err := c.Service(ctx)
	if err != nil {
		return "", err
	}
	return summary(s), nil
}

func (e *env) printServices(list []installation) error {
	if len(list) == 0 {
		e.printf("no cluster is installed; kafka-sched install makes one\n")
		return nil
	}
	t := e.table([]string{"NAME", "IS", "API", "KAFKA", "MESOS"}, "FOLDER", "ERROR")
	for _, i := range list {
		row(t, i.Name, i.State, i.URL, i.Kafka, i.Master, i.Folder, i.Error)
	}
	return t.Flush()
}
