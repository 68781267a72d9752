package snapshot

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"
	"unicode/utf8"

	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
)

// lastGoodFile is where the last good configuration stands in the data folder.
// The data folder may lie in a mappings folder, which does not read it.
const lastGoodFile = "last-good.json"

// lastGood is every file of the configuration that served last, as it was
// read. No secret is in it: they are named in gateway.yaml, not written there.
type lastGood struct {
	Version int       `json:"version"`
	Config  string    `json:"config"` // the configuration file's path: a data folder may be shared by mistake
	Time    time.Time `json:"time"`
	Hash    string    `json:"hash"`
	// Refused is the hash of files that check and were refused for their tests:
	// a start, which runs no tests, must not serve them.
	Refused string     `json:"refused,omitempty"`
	Gateway keptFile   `json:"gateway"`
	BuiltIn bool       `json:"built_in,omitempty"` // the mappings are the binary's own
	Files   []keptFile `json:"files,omitempty"`
}

const lastGoodVersion = 1

// keptFile is one file.
type keptFile struct {
	Name  string `json:"name,omitempty"` // inside the mappings folder
	Text  string `json:"text,omitempty"`
	Bytes []byte `json:"bytes,omitempty"` // instead of Text, for what is no UTF-8
}

func keep(name, text string) keptFile {
	if !utf8.ValidString(text) {
		return keptFile{Name: name, Bytes: []byte(text)}
	}
	return keptFile{Name: name, Text: text}
}

func (k *keptFile) text() string {
	if k.Bytes != nil {
		return string(k.Bytes)
	}
	return k.Text
}

// goodOf gives what is kept of a load.
func goodOf(configFile string, l *Loaded, now time.Time) *lastGood {
	g := &lastGood{
		Version: lastGoodVersion, Config: absolute(configFile), Time: now.UTC().Truncate(time.Second), Hash: l.Hash,
		Gateway: keep("", l.Config.File.Text), BuiltIn: l.files.builtIn,
	}
	if !g.BuiltIn {
		g.Files = l.keptFiles()
	}
	return g
}

func (l *Loaded) keptFiles() (all []keptFile) {
	for _, f := range l.files.all {
		all = append(all, keep(l.files.inside[f], f.Text))
	}
	return all
}

// Bundle gives every file of the configuration, for LoadBundle: orders go on
// with what they began under. There is no secret in it.
func (l *Loaded) Bundle() ([]byte, error) {
	return json.Marshal(&lastGood{
		Version: lastGoodVersion, Config: l.Config.File.Name, Hash: l.Hash, Gateway: keep("", l.Config.File.Text), Files: l.keptFiles(),
	})
}

// LoadBundle checks what Bundle gave, as if it were read now.
func LoadBundle(bundle []byte) (*Loaded, error) {
	g := new(lastGood)
	if err := json.Unmarshal(bundle, g); err != nil || g.Version != lastGoodVersion {
		return nil, errors.New("the configuration that an order began under cannot be read")
	}
	l, list := g.load(g.Config)
	if l == nil {
		return nil, fmt.Errorf("the configuration that an order began under does not check with this program: %w", firstError(list))
	}
	return l, nil
}

// write replaces the last good configuration in folder: one that is read is
// always whole, whenever the power fails.
func (g *lastGood) write(folder string) (err error) {
	text, err := json.MarshalIndent(g, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(folder, lastGoodFile+".*.new") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), filepath.Join(folder, lastGoodFile)); err != nil {
		return err
	}
	dir, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// errNoLastGood tells that none was kept.
var errNoLastGood = errors.New("there is no last good configuration")

// readLastGood reads the last good configuration of configFile in folder.
func readLastGood(folder, configFile string) (*lastGood, error) {
	name := filepath.Join(folder, lastGoodFile)
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w in %s", errNoLastGood, folder)
	}
	if err != nil {
		return nil, fmt.Errorf("the last good configuration cannot be read: %w", err)
	}
	g := new(lastGood)
	if err := json.Unmarshal(text, g); err != nil {
		return nil, fmt.Errorf("the last good configuration in %s is damaged", name)
	}
	if g.Version != lastGoodVersion {
		return nil, fmt.Errorf("the last good configuration in %s is of another version of this program", name)
	}
	if g.Config != absolute(configFile) {
		return nil, fmt.Errorf("the last good configuration in %s is that of %s, not of %s", folder, g.Config, configFile)
	}
	return g, nil
}

// load checks what was kept, as if it were read now.
func (g *lastGood) load(configFile string) (*Loaded, diag.List) {
	file := diag.NewFile(filepath.ToSlash(configFile), g.Gateway.text())
	l, list := load(file, source{contract: contract.LoadFiles, folder: func(at diag.Span, folder string, list *diag.List) *files {
		if g.BuiltIn {
			return readFolder(at, "", "", list)
		}
		found := newFiles()
		for i := range g.Files {
			name := g.Files[i].Name
			found.add(name, diag.NewFile(path.Join(filepath.ToSlash(beside(configFile, folder)), name), g.Files[i].text()))
		}
		found.sort()
		return found
	}})
	if l != nil && !g.BuiltIn && l.Hash != g.Hash {
		list.Errorf(diag.Span{}, "last-good", "it is not what was kept")
		return nil, list
	}
	return l, list
}

// lastGoodFolder gives the data folder while the configuration on disk does
// not check: what it says, if that can be read, else what a gateway.yaml says
// that was not changed.
func lastGoodFolder(configFile string, env config.Environment) string {
	if file, _ := readConfig(configFile); file != nil {
		if cfg, list := config.Load(file); cfg != nil && (cfg.Gateway.Data.At.File != nil || !list.HasErrors()) {
			if name, err := cfg.Gateway.Data.Resolve(env); err == nil && name != "" {
				return beside(configFile, name)
			}
		}
	}
	if env != nil {
		if name, ok := env("EMENDA_DATA"); ok && name != "" {
			return beside(configFile, name)
		}
	}
	return beside(configFile, "data")
}

// absolute gives a path whole; links stay, for they are swapped.
func absolute(name string) string {
	whole, err := filepath.Abs(name)
	if err != nil {
		return name
	}
	return whole
}
