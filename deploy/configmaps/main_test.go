package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/snapshot"
)

// TestMounted: mounted as the Deployment says, the ConfigMaps are a
// configuration that checks; every one is mounted, and nothing else.
func TestMounted(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, write(&out, "../../gateway.yaml", "../../mappings"))
	var all list
	require.NoError(t, json.Unmarshal(out.Bytes(), &all))
	maps := map[string]configMap{}
	for _, m := range all.Items {
		maps[m.Metadata.Name] = m
	}
	var deployment struct {
		Spec struct {
			Template struct {
				Spec struct {
					Containers []struct {
						Args         []string
						VolumeMounts []struct {
							Name      string
							MountPath string `yaml:"mountPath"`
						} `yaml:"volumeMounts"`
					}
					Volumes []struct {
						Name      string
						ConfigMap struct{ Name string } `yaml:"configMap"`
					}
				}
			}
		}
	}
	text, err := os.ReadFile("../kubernetes/deployment.yaml")
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, &deployment))
	pod := deployment.Spec.Template.Spec
	volumes := map[string]string{}
	for _, v := range pod.Volumes {
		if v.ConfigMap.Name != "" {
			volumes[v.Name] = v.ConfigMap.Name
		}
	}
	root := t.TempDir()
	for _, mount := range pod.Containers[0].VolumeMounts {
		name, ok := volumes[mount.Name]
		if !ok {
			continue
		}
		m, ok := maps[name]
		require.True(t, ok, "%s is mounted and not written", name)
		delete(maps, name)
		folder := filepath.Join(root, mount.MountPath)
		require.NoError(t, os.MkdirAll(folder, 0o700))
		for file, content := range m.Data {
			require.NoError(t, os.WriteFile(filepath.Join(folder, file), []byte(content), 0o600))
		}
	}
	require.Empty(t, maps, "written, and mounted nowhere: name them in deploy/kubernetes/deployment.yaml")
	config := pod.Containers[0].Args[2]
	loaded, list := snapshot.Load(filepath.Join(root, config))
	require.False(t, list.HasErrors(), list.Text())
	require.Contains(t, loaded.Summary(), "route")
}

// TestRefused: what cannot become ConfigMaps is told.
func TestRefused(t *testing.T) {
	good := "gateway:\n  mappings: ./mappings\n"
	for name, c := range map[string]struct {
		config string
		files  map[string]string
		want   string
	}{
		"no folder of mappings named": {"gateway: {}\n", map[string]string{"a/b.yaml": "x"}, "should have the line"},
		"a folder in a folder":        {good, map[string]string{"a/b/c.yaml": "x"}, "holds no folders"},
		"too much":                    {good, map[string]string{"a/b.yaml": strings.Repeat("x", 1<<20)}, "split the folder"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			config := filepath.Join(dir, "gateway.yaml")
			require.NoError(t, os.WriteFile(config, []byte(c.config), 0o600))
			for path, content := range c.files {
				path = filepath.Join(dir, "mappings", path)
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
				require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
			}
			err := write(&bytes.Buffer{}, config, filepath.Join(dir, "mappings"))
			require.ErrorContains(t, err, c.want)
		})
	}
}
