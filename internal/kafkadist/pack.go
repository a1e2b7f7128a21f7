package kafkadist

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
	"path"
	"time"
)

// packedTime is the modification time of everything in a packed archive. It is not the epoch, as
// GNU tar warns of that.
var packedTime = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// versionFile is the file of a packed archive that tells its version and the digest of all else.
const versionFile = "VERSION"

// packed describes an archive that was just written.
type packed struct {
	sha256 string
	size   int64
}

// pack writes the files, sorted by name, as a packed archive and syncs it.
func (c *Cache) pack(ctx context.Context, t gathered, target string) (packed, error) {
	out, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return packed{}, err
	}
	defer out.Close()
	var total int64
	for _, f := range t.list {
		total += f.size
	}
	count := &counter{hash: sha256.New()}
	buffered := bufio.NewWriterSize(io.MultiWriter(out, count), 256<<10)
	zipped, err := gzip.NewWriterLevel(buffered, gzip.NoCompression)
	if err != nil {
		return packed{}, err
	}
	text := "packing " + t.what + " " + t.version + " for the agents"
	p := &packer{
		gathered: t,
		out:      tar.NewWriter(zipped),
		content:  sha256.New(),
		meter: meter{ctx: ctx, report: c.report, news: Progress{
			Stage: Pack, Text: text, Total: total,
		}},
	}
	if err := p.writeAll(); err != nil {
		return packed{}, err
	}
	for _, finish := range []func() error{p.out.Close, zipped.Close, buffered.Flush, out.Sync} {
		if err := finish(); err != nil {
			return packed{}, fmt.Errorf("writing the packed archive: %w", err)
		}
	}
	return packed{sha256: hex.EncodeToString(count.hash.Sum(nil)), size: count.size}, nil
}

// counter hashes and counts what is written to it.
type counter struct {
	hash hash.Hash
	size int64
}

func (c *counter) Write(p []byte) (int, error) {
	c.size += int64(len(p))
	return c.hash.Write(p)
}

// packer writes the entries of one archive.
type packer struct {
	gathered
	out     *tar.Writer
	content hash.Hash // of modes, names and digests of all files
	meter   meter     // reads one file after the other
}

func (p *packer) writeAll() error {
	folders := map[string]bool{}
	if err := p.writeFolder(p.top, folders); err != nil {
		return err
	}
	for _, f := range p.list {
		if err := p.writeFolder(path.Join(p.top, path.Dir(f.name)), folders); err != nil {
			return err
		}
		if err := p.writeFile(f); err != nil {
			return fmt.Errorf("packing %s: %w", f.name, err)
		}
	}
	text := fmt.Sprintf("version %s\ndigest %x\n", p.version, p.content.Sum(nil))
	h := header(path.Join(p.top, versionFile), 0o644, int64(len(text)))
	if err := p.out.WriteHeader(h); err != nil {
		return err
	}
	_, err := io.WriteString(p.out, text)
	return err
}

// writeFolder writes a folder and those above it, each once.
func (p *packer) writeFolder(name string, done map[string]bool) error {
	if name == "." || done[name] {
		return nil
	}
	if err := p.writeFolder(path.Dir(name), done); err != nil {
		return err
	}
	done[name] = true
	h := header(name+"/", 0o755, 0)
	h.Typeflag = tar.TypeDir
	return p.out.WriteHeader(h)
}

func (p *packer) writeFile(f file) error {
	in, err := p.files.Open(f.name)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := p.out.WriteHeader(header(p.top+"/"+f.name, int64(f.mode), f.size)); err != nil {
		return err
	}
	sum := sha256.New()
	p.meter.from = in
	if _, err := io.Copy(io.MultiWriter(p.out, sum), &p.meter); err != nil {
		return err
	}
	writeContent(p.content, f.mode, f.name, sum.Sum(nil))
	return nil
}

func header(name string, mode, size int64) *tar.Header {
	return &tar.Header{
		Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: size, ModTime: packedTime,
	}
}

// hexDigest is the SHA-256 of a text in hexadecimal.
func hexDigest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
