package zk

import (
	"errors"
	"fmt"
	"net"
	"strings"
)

// Scheme begins the URIs that this package reads.
const Scheme = "zk://"

const defaultPort = "2181"

// uri is where masters are found: zk://user:password@host1:port1,host2:port2/path.
type uri struct {
	servers []string // host:port
	path    string   // without a slash at its end
	auth    string   // user:password, "" for none
}

// parse reads a URI; its errors do not show the credentials.
func parse(text string) (uri, error) {
	rest, is := strings.CutPrefix(text, Scheme)
	if !is {
		return uri{}, errors.New("reading a ZooKeeper URI: it does not begin with " + Scheme)
	}
	var u uri
	authority, path, _ := strings.Cut(rest, "/")
	if at := strings.LastIndex(authority, "@"); at >= 0 {
		u.auth, authority = authority[:at], authority[at+1:]
		if !strings.Contains(u.auth, ":") {
			return uri{}, errors.New("reading a ZooKeeper URI: before the @ there must stand " +
				"user:password")
		}
	}
	u.path = "/" + strings.TrimRight(path, "/")
	if u.path == "/" || strings.Contains(u.path, "//") {
		return uri{}, fmt.Errorf("reading a ZooKeeper URI: the path %q is not "+
			"one such as /mesos", u.path)
	}
	for _, server := range strings.Split(authority, ",") {
		address, err := withPort(strings.TrimSpace(server))
		if err != nil {
			return uri{}, fmt.Errorf("reading a ZooKeeper URI: %w", err)
		}
		u.servers = append(u.servers, address)
	}
	return u, nil
}

func withPort(server string) (string, error) {
	host, port := server, defaultPort
	if !strings.Contains(server, ":") || strings.HasSuffix(server, "]") {
		host = strings.Trim(server, "[]")
	} else {
		var err error
		if host, port, err = net.SplitHostPort(server); err != nil {
			return "", fmt.Errorf("the server %q is not host:port", server)
		}
	}
	if host == "" || port == "" {
		return "", fmt.Errorf("the server %q is not host:port", server)
	}
	return net.JoinHostPort(host, port), nil
}
