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

// source is a ConfigMap as a volume names it: whole, or some of its keys under other paths.
type source struct {
	Name  string
	Items []struct{ Key, Path string }
}

// files gives what stands in the volume.
func (s source) files(t *testing.T, data map[string]string) map[string]string {
	if len(s.Items) == 0 {
		return data
	}
	out := map[string]string{}
	for _, item := range s.Items {
		require.Contains(t, data, item.Key, "%s has no file of that name", s.Name)
		out[item.Path] = data[item.Key]
	}
	require.Len(t, out, len(data), "some files of %s are mounted nowhere: name them in deploy/kubernetes/deployment.yaml", s.Name)
	return out
}

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
						ConfigMap source `yaml:"configMap"`
						Projected struct {
							Sources []struct {
								ConfigMap source `yaml:"configMap"`
							}
						}
					}
				}
			}
		}
	}
	text, err := os.ReadFile("../kubernetes/deployment.yaml")
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, &deployment))
	pod := deployment.Spec.Template.Spec
	volumes := map[string][]source{}
	for _, v := range pod.Volumes {
		if v.ConfigMap.Name != "" {
			volumes[v.Name] = append(volumes[v.Name], v.ConfigMap)
		}
		for _, s := range v.Projected.Sources {
			volumes[v.Name] = append(volumes[v.Name], s.ConfigMap)
		}
	}
	root := t.TempDir()
	for _, mount := range pod.Containers[0].VolumeMounts {
		for _, from := range volumes[mount.Name] {
			m, ok := maps[from.Name]
			require.True(t, ok, "%s is mounted and not written", from.Name)
			delete(maps, from.Name)
			for file, content := range from.files(t, m.Data) {
				file = filepath.Join(root, mount.MountPath, file)
				require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
				require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
			}
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
		"too much in a folder below":  {good, map[string]string{"a/b/c.yaml": strings.Repeat("x", 1<<20)}, "split the folder"},
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
