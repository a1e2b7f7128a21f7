// Package client is the Go client of the scheduler's REST API.
//
// Each method is one request and gives the shapes of package api. Errors are of the type
// *Error, with the HTTP status, the problem's code and a sentence, or, when there is no answer
// at all, an error that wraps ErrNoScheduler or the context's error. WithPatience lets a read
// that finds nobody listening be tried again for a while, because a scheduler that is being
// restarted comes back within a second or two; a change is sent once, whatever happens.
//
// It does not render, poll or interpret: that is for its callers. It imports only package api.
//
// Tested against handlers of the same routes and against a port that nobody listens on; the
// round trip with the real server is tested in api/server.
package client
