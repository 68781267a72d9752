package main

import (
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/snapshot"
)

type contractDiffCommand struct {
	configFlag
	Old     string `arg:"" help:"The contract as it is: a file, or a folder."`
	New     string `arg:"" help:"The contract as it would be."`
	Backend string `help:"The backend whose contract it is; without it, those whose contract has the name of OLD." placeholder:"NAME"`
}

// Help shows examples.
func (contractDiffCommand) Help() string {
	return `Tells which operations differ and how. What is marked with ! may break what is there: an operation or a field that is gone, one that is required now, another type, fewer values. Then loads the configuration with NEW in the place of the backend's contract, and tells which mappings do not load any more and which callers may ask for exposed operations that differ so. Nothing is changed. Exits with 1 when something breaks.

Examples:

  emenda contract diff mappings/contracts/petstore.yaml petstore-2.yaml
  emenda contract diff mappings/contracts/erp ../erp-new --backend erp`
}

// Run compares.
func (c *contractDiffCommand) Run(s *streams) error {
	before, _, err := readContract(c.Old, s)
	if err != nil {
		return err
	}
	after, files, err := readContract(c.New, s)
	if err != nil {
		return err
	}
	changes := contract.Diff(before, after)
	broken := printChanges(s.out, changes)
	loaded, _, err := loadGood(c.Config, s)
	if err != nil {
		return err
	}
	backends, err := c.backends(loaded)
	if err != nil {
		return err
	}
	bad := len(broken) > 0
	for _, name := range backends {
		_, list := snapshot.LoadInstead(c.Config, name, files)
		list = slices.DeleteFunc(list, func(d diag.Diagnostic) bool { return d.Severity != diag.Error })
		if len(list) > 0 {
			bad = true
			fmt.Fprintf(s.out, "\nwith it as the contract of backend %s, these do not load:\n%s", name, list.Text())
		}
		printAffected(s.out, name, loaded.Offers(name, broken))
	}
	if bad {
		return exitError(exitErrors)
	}
	return nil
}

// readContract reads a contract that must be a good one.
func readContract(name string, s *streams) (*contract.Contract, []*diag.File, error) {
	files, err := snapshot.ReadContract(name)
	if err != nil {
		return nil, nil, err
	}
	c, list := snapshot.LoadContract(stem(name), files)
	if list.HasErrors() {
		fmt.Fprint(s.err, list.Text())
		return nil, nil, exitError(exitErrors)
	}
	if c == nil {
		return nil, nil, fmt.Errorf("%s holds no contract", name)
	}
	return c, files, nil
}

// stem is the name of a file or folder without its ending.
func stem(name string) string {
	base := filepath.Base(name)
	return strings.TrimSuffix(base, filepath.Ext(base))
}

// backends gives those whose contract it is.
func (c *contractDiffCommand) backends(l *snapshot.Loaded) ([]string, error) {
	if c.Backend != "" {
		if l.Contracts[c.Backend] == nil {
			return nil, fmt.Errorf("%s has no backend %s with a contract", c.Config, c.Backend)
		}
		return []string{c.Backend}, nil
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(l.Config.Backends)) {
		if l.Config.Backends[name].Contract == stem(c.Old) {
			all = append(all, name)
		}
	}
	return all, nil
}

// printChanges tells the changes, and gives the operations that may break something.
func printChanges(w io.Writer, changes []contract.Change) (broken []string) {
	if len(changes) == 0 {
		fmt.Fprintln(w, "nothing differs")
	}
	for _, c := range changes {
		mark := " "
		if c.Breaks {
			mark = "!"
			if !slices.Contains(broken, c.Operation) {
				broken = append(broken, c.Operation)
			}
		}
		place := c.Operation
		if c.Place != "" {
			place += ": " + c.Place
		}
		fmt.Fprintf(w, "%s %s %s\n", mark, place, c.What)
	}
	return broken
}

func printAffected(w io.Writer, backend string, all []snapshot.Affected) {
	if len(all) == 0 {
		return
	}
	fmt.Fprintf(w, "\ncallers of backend %s that may ask for what differs:\n", backend)
	for i := 0; i < len(all); {
		who := all[i].Caller
		var ids []string
		for ; i < len(all) && all[i].Caller == who; i++ {
			ids = append(ids, all[i].Operation+" ("+all[i].Permission+")")
		}
		fmt.Fprintf(w, "  %s: %s\n", who, strings.Join(ids, ", "))
	}
}
