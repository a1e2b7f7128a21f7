package ensemble

import (
	"fmt"
	"time"
)

// Role is what a server says of itself.
type Role string

// The roles. Alone is a server that is an ensemble by itself.
const (
	Silent   Role = ""         // it did not answer
	Idle     Role = "idle"     // it answers, and does not serve: it elects, or fetches the data
	Follower Role = "follower" // it serves, and has the leader's data
	Leader   Role = "leader"   // it serves, and a majority follows it
	Alone    Role = "standalone"
)

// Serves reports whether clients are served by a server of that role.
func (r Role) Serves() bool { return r == Follower || r == Leader || r == Alone }

// Server is what is known of one server of an ensemble.
type Server struct {
	Name string
	Role Role
	// Missing is why nobody counts on the server, "" when it serves.
	Missing string
	// Stops is whether it is to be stopped, too, when its turn comes.
	Stops bool
	// Unheard says that it may run, and that nobody has asked it since that is known, or can.
	Unheard bool
}

// Facts are what is known of all servers of an ensemble.
type Facts struct {
	// Asked is when they were asked for their roles, zero for never.
	Asked   time.Time
	Servers []Server
	// Beside is how many servers were replaced and may run on.
	Beside int
}

// MaxAge is how old facts may be that a server is stopped by.
const MaxAge = 10 * time.Second

// MayStop says why a server may not be stopped now, to come back with its data; "" if it may.
func (f Facts) MayStop(name string, now time.Time) string {
	own, others := f.split(name)
	switch {
	case own.Role == Idle || len(others) == 0:
		return ""
	case !f.fresh(now):
		return "ZooKeeper has not been asked yet whether it can do without " + name
	case own.Role == Alone: // those that join it can do so only once it has them in its list
		return answer(others)
	}
	if reason := complete(others); reason != "" {
		return reason
	}
	for _, o := range others {
		if own.Role == Leader && o.Stops {
			return fmt.Sprintf("%s leads the ensemble, and %s goes first", name, o.Name)
		}
	}
	return ""
}

// MayReplace says why a server may not lose its data now, "" if it may: all others have to serve.
func (f Facts) MayReplace(name string, now time.Time) string {
	_, others := f.split(name)
	switch {
	case len(others) == 0:
		return fmt.Sprintf("%s is the only server, and its data would be lost for ever", name)
	case !f.fresh(now):
		return "ZooKeeper has not been asked yet whether all data is elsewhere too"
	}
	return complete(others)
}

// MayStart says why a server may not be launched now, "" if it may, where one that was replaced may
// run on: whoever follows, and none of the others leads, follows that one, and those that do not
// may not become a majority beside it. Whoever does not tell may be among either of them.
func (f Facts) MayStart(name string, now time.Time) string {
	if !f.fresh(now) {
		return "ZooKeeper has not been asked yet who leads"
	}
	_, others := f.split(name)
	follower, unheard, silent, rest := "", "", 0, 1
	for _, o := range others {
		switch o.Role {
		case Leader, Alone:
			return ""
		case Follower:
			follower = o.Name
			continue
		}
		rest++
		if o.Role == Silent && o.Unheard {
			unheard = o.Name
			silent++
		}
	}
	half := (len(others) + 1) / 2
	const whom = "a server that was replaced and runs on where nobody can reach it: beside that " +
		"one %s would have another leader"
	enough := max(1, half+1-f.Beside) // of the silent ones, for those that were replaced to lead
	switch {
	case follower != "" && rest > half:
		return fmt.Sprintf("%s follows "+whom, follower, name)
	case silent >= enough && rest-enough > half:
		return fmt.Sprintf("%s does not tell whether it follows "+whom, unheard, name)
	}
	return ""
}

// Complete says which server is missing, "" when all serve.
func (f Facts) Complete(now time.Time) string {
	if !f.fresh(now) {
		return "ZooKeeper has not been asked yet"
	}
	return complete(f.Servers)
}

// Leader is the name of the server that leads, "" when none says so.
func (f Facts) Leader() string {
	for _, s := range f.Servers {
		if s.Role == Leader || s.Role == Alone {
			return s.Name
		}
	}
	return ""
}

func (f Facts) fresh(now time.Time) bool {
	return !f.Asked.IsZero() && now.Sub(f.Asked) <= MaxAge
}

func (f Facts) split(name string) (own Server, others []Server) {
	for _, s := range f.Servers {
		if s.Name == name {
			own = s
		} else {
			others = append(others, s)
		}
	}
	return own, others
}

// answer says which of some servers is silent, and so not up yet.
func answer(servers []Server) string {
	for _, s := range servers {
		if s.Role == Silent {
			return fmt.Sprintf("%s is not up yet", s.Name)
		}
	}
	return ""
}

// complete says which of some servers is missing.
func complete(servers []Server) string {
	for _, s := range servers {
		switch {
		case s.Missing != "":
			return fmt.Sprintf("%s does not serve: %s", s.Name, s.Missing)
		case !s.Role.Serves():
			return fmt.Sprintf("%s does not serve", s.Name)
		}
	}
	return ""
}
