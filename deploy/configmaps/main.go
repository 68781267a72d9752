// Command configmaps prints gateway.yaml and a folder of mappings as Kubernetes
// ConfigMaps, one for each folder in it and below, as deploy/kubernetes mounts them:
//
//	go run ./deploy/configmaps | kubectl apply -f -
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	config := flag.String("config", "gateway.yaml", "the settings")
	mappings := flag.String("mappings", "mappings", "the folder of mappings")
	flag.Parse()
	if err := write(os.Stdout, *config, *mappings); err != nil {
		fmt.Fprintln(os.Stderr, "configmaps:", err)
		os.Exit(1)
	}
}

// The line that names the folder of mappings, here and where the ConfigMaps are mounted.
const (
	mappingsHere  = "\n  mappings: ./mappings\n"
	mappingsThere = "\n  mappings: ../mappings\n"
)

// most is how large a ConfigMap may be, less some room for its name.
const most = 1<<20 - 4<<10

type configMap struct {
	APIVersion string            `json:"apiVersion"`
	Kind       string            `json:"kind"`
	Metadata   metadata          `json:"metadata"`
	Data       map[string]string `json:"data"`
}

type metadata struct {
	Name   string            `json:"name"`
	Labels map[string]string `json:"labels"`
}

type list struct {
	APIVersion string      `json:"apiVersion"`
	Kind       string      `json:"kind"`
	Items      []configMap `json:"items"`
}

func newMap(name string) configMap {
	return configMap{"v1", "ConfigMap", metadata{name, map[string]string{"app.kubernetes.io/name": "emenda"}}, map[string]string{}}
}

// write writes the ConfigMaps as one list, in JSON, which is YAML too.
func write(out io.Writer, config, mappings string) error {
	text, err := os.ReadFile(config)
	if err != nil {
		return err
	}
	if strings.Count(string(text), mappingsHere) != 1 {
		return fmt.Errorf("%s should have the line%s", config, strings.TrimSuffix(mappingsHere, "\n"))
	}
	settings := newMap("emenda-config")
	settings.Data["gateway.yaml"] = strings.Replace(string(text), mappingsHere, mappingsThere, 1)
	all := list{"v1", "List", []configMap{settings}}
	folders, err := os.ReadDir(mappings)
	if err != nil {
		return err
	}
	for _, folder := range folders {
		if !folder.IsDir() || folder.Name() == "testdata" {
			continue
		}
		maps, err := folderMaps(filepath.Join(mappings, folder.Name()), folder.Name())
		if err != nil {
			return err
		}
		all.Items = append(all.Items, maps...)
	}
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(all)
}

// folderMaps gives the ConfigMap of a folder that has files, and those of the folders in it.
func folderMaps(folder, name string) (all []configMap, err error) {
	m := newMap("emenda-mappings-" + strings.ReplaceAll(name, "_", "-"))
	size := 0
	files, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		path := filepath.Join(folder, file.Name())
		if file.IsDir() {
			inside, err := folderMaps(path, name+"-"+file.Name())
			if err != nil {
				return nil, err
			}
			all = append(all, inside...)
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		m.Data[file.Name()] = string(text)
		size += len(text)
	}
	if size > most {
		return nil, errors.New(folder + ": more than a ConfigMap may hold (1 MiB); split the folder")
	}
	if len(m.Data) > 0 {
		all = append([]configMap{m}, all...)
	}
	return all, nil
}
