package localmesos

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"golang.org/x/sys/unix"
)

var errNoFile = errors.New("no such file")

// openFile opens what a path of the files API names: a real path in a sandbox,
// or a virtual one without the agent's directories. Links may lead to volumes
// and to other places in the same sandbox. What was opened is checked, not the
// path, so that nothing can be swapped in between.
func (a *agentNode) openFile(path string) (*os.File, error) {
	sandbox, rest, err := a.findSandbox(path)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(sandbox, rest), os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, errNoFile
	}
	if err := a.checkOpened(f, sandbox); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (a *agentNode) checkOpened(f *os.File, sandbox string) error {
	real, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", f.Fd()))
	if err != nil {
		return err
	}
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if !st.IsDir() && !st.Mode().IsRegular() {
		return errNoFile
	}
	for _, dir := range []string{
		sandbox, filepath.Join(a.dir, "volumes", "roles"), filepath.Join(a.dir, "disks"),
	} {
		if dir, err = filepath.EvalSymlinks(dir); err == nil && within(dir, real) {
			return nil
		}
	}
	return errNoFile
}

func within(dir, path string) bool {
	return path == dir || strings.HasPrefix(path, dir+string(filepath.Separator))
}

// findSandbox splits a path into the directory of a run and the rest.
func (a *agentNode) findSandbox(path string) (sandbox, rest string, err error) {
	if strings.ContainsRune(path, 0) || !filepath.IsAbs(path) {
		return "", "", errNoFile
	}
	parts := strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
	if slices.Contains(parts, "..") {
		return "", "", errNoFile
	}
	base := filepath.Join(a.dir, "slaves")
	if real, ok := strings.CutPrefix("/"+strings.Join(parts, "/"), base+"/"); ok {
		parts = strings.Split(real, "/")
		base, parts = filepath.Join(base, parts[0]), parts[1:]
	} else {
		base = filepath.Join(base, a.id)
	}
	if len(parts) < 6 || parts[0] != "frameworks" || parts[2] != "executors" ||
		parts[4] != "runs" || slices.Contains(parts, ".") {
		return "", "", errNoFile
	}
	dir, err := filepath.EvalSymlinks(filepath.Join(base, filepath.Join(parts[:6]...)))
	if err != nil {
		return "", "", errNoFile
	}
	runs, err := filepath.EvalSymlinks(filepath.Join(base, filepath.Join(parts[:5]...)))
	if err != nil || filepath.Dir(dir) != runs {
		return "", "", errNoFile
	}
	return dir, filepath.Join(parts[6:]...), nil
}

// maxRead is the most that one call returns, as in Mesos: 16 pages.
const maxRead = 16 * 4096

var errIsDirectory = errors.New("Cannot read a directory.\n")

// readFile returns the size and a part of a file.
func (a *agentNode) readFile(path string, offset int64, length int64) (int64, []byte, error) {
	f, err := a.openFile(path)
	if err != nil {
		return 0, nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return 0, nil, err
	}
	if st.IsDir() {
		return 0, nil, errIsDirectory
	}
	if offset < 0 || offset >= st.Size() || length == 0 {
		return st.Size(), []byte{}, nil
	}
	if length < 0 || length > maxRead {
		length = maxRead
	}
	buf := make([]byte, min(length, st.Size()-offset))
	n, err := f.ReadAt(buf, offset)
	if err != nil && err != io.EOF {
		return 0, nil, err
	}
	return st.Size(), buf[:n], nil
}

// listFiles describes the entries of a directory, in the order of their names.
func (a *agentNode) listFiles(path string) ([]mesos.FileInfo, error) {
	f, err := a.openFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	if err != nil {
		return nil, errNoFile
	}
	slices.SortFunc(entries, func(x, y fs.DirEntry) int {
		return strings.Compare(x.Name(), y.Name())
	})
	infos := []mesos.FileInfo{}
	for _, e := range entries {
		var st unix.Stat_t
		if err := unix.Fstatat(int(f.Fd()), e.Name(), &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			continue // It went away meanwhile.
		}
		infos = append(infos, mesos.FileInfo{
			Path: filepath.Join(path, e.Name()), Nlink: ptr(int32(st.Nlink)),
			Size_: ptr(uint64(st.Size)), Mode: ptr(st.Mode),
			Mtime: &mesos.TimeInfo{Nanoseconds: st.Mtim.Sec * 1e9},
			UID:   ptr(userName(st.Uid)), GID: ptr(groupName(st.Gid)),
		})
	}
	return infos, nil
}

func userName(id uint32) string {
	n := strconv.FormatUint(uint64(id), 10)
	if u, err := user.LookupId(n); err == nil {
		return u.Username
	}
	return n
}

func groupName(id uint32) string {
	n := strconv.FormatUint(uint64(id), 10)
	if g, err := user.LookupGroupId(n); err == nil {
		return g.Name
	}
	return n
}

// copyN copies the part of a growing file that its announced length covers.
func copyN(w io.Writer, f *os.File, n int64) (int64, error) {
	return io.Copy(w, io.NewSectionReader(f, 0, n))
}
