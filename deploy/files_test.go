package deploy

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/snapshot"
)

// documents gives the YAML documents of a file.
func documents(t *testing.T, path string) (all []map[string]any) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	d := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var one map[string]any
		err := d.Decode(&one)
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err, path)
		all = append(all, one)
	}
}

// at gives what stands at a path of names and indices; nil when nothing does.
func at(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			list, _ := v.([]any)
			if p >= len(list) {
				return nil
			}
			v = list[p]
		}
	}
	return v
}

// names gives a key's value of every element of a list.
func names(v any, key string) (all []string) {
	list, _ := v.([]any)
	for _, e := range list {
		s, _ := at(e, key).(string)
		all = append(all, s)
	}
	return all
}

// TestYAML: every file is YAML, of at least one document.
func TestYAML(t *testing.T) {
	n := 0
	require.NoError(t, filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Ext(path) == ".yaml" {
			n++
			require.NotEmpty(t, documents(t, path), path)
		}
		return err
	}))
	require.Greater(t, n, 5)
}

// settable are the variables that gateway.yaml reads, with those of secrets in files.
func settable(t *testing.T) []string {
	text, err := os.ReadFile("../gateway.yaml")
	require.NoError(t, err)
	var all []string
	for _, m := range regexp.MustCompile(`(?:\$\{env:|secret: )([A-Z_]+)`).FindAllSubmatch(text, -1) {
		all = append(all, string(m[1]), string(m[1])+"_FILE")
	}
	require.Contains(t, all, "ERP_URL")
	require.Contains(t, all, "ERP_PASSWORD_FILE")
	return all
}

func kubernetes(t *testing.T) map[string]map[string]any {
	all := map[string]map[string]any{}
	for _, file := range texts(documents(t, "kubernetes/kustomization.yaml")[0]["resources"]) {
		for _, d := range documents(t, filepath.Join("kubernetes", file)) {
			all[at(d, "kind").(string)+"/"+at(d, "metadata", "name").(string)] = d
		}
	}
	return all
}

// texts gives a list of strings.
func texts(v any) (all []string) {
	list, _ := v.([]any)
	for _, e := range list {
		all = append(all, e.(string))
	}
	return all
}

// TestKubernetes: what the manifests name of each other is there.
func TestKubernetes(t *testing.T) {
	all := kubernetes(t)
	pod := at(all["Deployment/emenda"], "spec", "template")
	require.NotNil(t, pod)
	require.Equal(t, true, at(pod, "spec", "securityContext", "runAsNonRoot"))
	require.Equal(t, "RuntimeDefault", at(pod, "spec", "securityContext", "seccompProfile", "type"))
	require.EqualValues(t, 2, at(all["Deployment/emenda"], "spec", "replicas"))
	c := at(pod, "spec", "containers", 0)
	require.Equal(t, true, at(c, "securityContext", "readOnlyRootFilesystem"))
	require.Equal(t, false, at(c, "securityContext", "allowPrivilegeEscalation"))
	require.Equal(t, []any{"ALL"}, at(c, "securityContext", "capabilities", "drop"))
	ports := names(at(c, "ports"), "name")
	for probe, path := range map[string]string{"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"} {
		require.Equal(t, path, at(c, probe, "httpGet", "path"), probe)
		require.Equal(t, "admin", at(c, probe, "httpGet", "port"), probe)
	}
	volumes := names(at(pod, "spec", "volumes"), "name")
	mounts := names(at(c, "volumeMounts"), "name")
	slices.Sort(volumes)
	slices.Sort(mounts)
	require.Equal(t, volumes, mounts)
	known := append(settable(t), "GOMEMLIMIT")
	for i, name := range names(at(c, "env"), "name") {
		require.Contains(t, known, name)
		if value := at(c, "env", i, "value").(string); strings.HasSuffix(name, "_FILE") {
			require.Equal(t, "/run/secrets/emenda/"+strings.TrimSuffix(name, "_FILE"), value)
		}
	}
	labels := at(pod, "metadata", "labels")
	require.Equal(t, labels, at(all["Deployment/emenda"], "spec", "selector", "matchLabels"))
	require.Equal(t, labels, at(all["PodDisruptionBudget/emenda"], "spec", "selector", "matchLabels"))
	require.Equal(t, labels, at(all["NetworkPolicy/emenda"], "spec", "podSelector", "matchLabels"))
	for _, service := range []string{"Service/emenda", "Service/emenda-admin"} {
		require.Equal(t, labels, at(all[service], "spec", "selector"), service)
		require.Contains(t, ports, at(all[service], "spec", "ports", 0, "targetPort"), service)
	}
	for i := range 2 {
		require.Contains(t, ports, at(all["NetworkPolicy/emenda"], "spec", "ingress", i, "ports", 0, "port"))
	}
}

// TestCompose: what the services name is there, and the store keeps what it is told.
func TestCompose(t *testing.T) {
	file := documents(t, "compose.yaml")[0]
	for name, s := range at(file, "services").(map[string]any) {
		for _, network := range texts(at(s, "networks")) {
			require.Contains(t, at(file, "networks"), network)
		}
		for _, volume := range texts(at(s, "volumes")) {
			require.Contains(t, at(file, "volumes"), strings.Split(volume, ":")[0])
		}
		require.Equal(t, []any{"ALL"}, at(s, "cap_drop"), name)
	}
	gateway := at(file, "services", "emenda")
	secrets := texts(at(gateway, "secrets"))
	known := settable(t)
	for name, value := range at(gateway, "environment").(map[string]any) {
		require.Contains(t, known, name)
		if secret, ok := strings.CutSuffix(name, "_FILE"); ok {
			require.Contains(t, secrets, secret)
			require.Equal(t, "/run/secrets/"+secret, value)
			require.Equal(t, "./secrets/"+secret, at(file, "secrets", secret, "file"))
		}
	}
	command := strings.Join(texts(at(file, "services", "redis", "command")), " ")
	require.Contains(t, command, "--appendonly yes")
	require.Contains(t, command, "--maxmemory-policy noeviction")
	require.Equal(t, "redis.conf", at(file, "services", "redis", "secrets", 0, "target"))
}

// TestDockerfile: the image is built so that it is the same again, runs as
// nobody in particular, and its gateway.yaml, made as there, checks.
func TestDockerfile(t *testing.T) {
	text, err := os.ReadFile("Dockerfile")
	require.NoError(t, err)
	for _, line := range []string{"FROM scratch", "USER 65532:65532", `CMD ["serve", "--config", "/etc/emenda/gateway.yaml"]`} {
		require.Contains(t, string(text), "\n"+line+"\n")
	}
	for _, flag := range []string{"CGO_ENABLED=0", "-trimpath", "-buildvcs=false", "-buildid=", "ca-certificates.crt"} {
		require.Contains(t, string(text), flag)
	}
	module, err := os.ReadFile("../go.mod")
	require.NoError(t, err)
	wants := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindSubmatch(module)
	require.Contains(t, string(text), "ARG GO_VERSION="+string(wants[1])+".")

	script := regexp.MustCompile(`sed '([^']+)' gateway\.yaml`).FindSubmatch(text)
	require.NotNil(t, script)
	made, err := exec.Command("sed", string(script[1]), "../gateway.yaml").Output()
	require.NoError(t, err)
	require.NotContains(t, string(made), "\n  mappings:")
	path := filepath.Join(t.TempDir(), "gateway.yaml")
	require.NoError(t, os.WriteFile(path, made, 0o600))
	_, list := snapshot.Load(path)
	require.False(t, list.HasErrors(), list.Text())
}
