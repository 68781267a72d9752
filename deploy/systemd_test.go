package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// unit writes the unit, with a program that is there in place of the installed one.
func unit(t *testing.T, change func(string) string) string {
	text, err := os.ReadFile("systemd/emenda.service")
	require.NoError(t, err)
	program, err := os.Executable()
	require.NoError(t, err)
	installed := "ExecStart=/usr/bin/emenda "
	require.Equal(t, 1, strings.Count(string(text), installed))
	made := change(strings.Replace(string(text), installed, "ExecStart="+program+" ", 1))
	path := filepath.Join(t.TempDir(), "emenda.service")
	require.NoError(t, os.WriteFile(path, []byte(made), 0o600))
	return path
}

func same(s string) string { return s }

// verify gives what systemd-analyze verify says of this unit.
func verify(path string) string {
	out, err := exec.Command("systemd-analyze", "verify", "--man=no", path).CombinedOutput()
	said := ""
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "emenda") || strings.Contains(line, path) {
			said += line
		}
	}
	if err != nil && said == "" {
		return err.Error() + ": " + string(out)
	}
	return said
}

// TestUnit: systemd finds nothing wrong with the unit, and does find what is.
func TestUnit(t *testing.T) {
	require.Empty(t, verify(unit(t, same)))
	wrong := unit(t, func(s string) string { return strings.Replace(s, "ProtectSystem=strict", "ProtectSistem=strict", 1) })
	require.Contains(t, verify(wrong), "ProtectSistem")
}

// TestUnitIsHardened: of 100 points of exposure that systemd counts, at most 15.
func TestUnitIsHardened(t *testing.T) {
	security := func(path string) (string, error) {
		out, err := exec.Command("systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=15", path).CombinedOutput()
		return string(out), err
	}
	out, err := security(unit(t, same))
	require.NoError(t, err, out)
	out, err = security(unit(t, func(s string) string {
		return strings.NewReplacer("DynamicUser=yes\n", "", "ProtectSystem=strict\n", "", "CapabilityBoundingSet=\n", "").Replace(s)
	}))
	require.Error(t, err, out)
}

// TestUnitSettings: what the unit sets is what gateway.yaml reads, and every
// secret that it names is handed over.
func TestUnitSettings(t *testing.T) {
	text, err := os.ReadFile("systemd/emenda.service")
	require.NoError(t, err)
	known := settable(t)
	n := 0
	for line := range strings.Lines(string(text)) {
		set, ok := strings.CutPrefix(line, "Environment=")
		if !ok {
			continue
		}
		for _, one := range strings.Fields(set) {
			name, value, _ := strings.Cut(one, "=")
			require.Contains(t, known, name)
			if secret, ok := strings.CutSuffix(name, "_FILE"); ok {
				n++
				require.Equal(t, "%d/"+secret, value)
				require.Contains(t, string(text), "\nLoadCredential="+secret+":/etc/emenda/secrets/"+secret+"\n")
			}
		}
	}
	require.Equal(t, 3, n)
}
