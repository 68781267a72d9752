package snapshot

import (
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// folderWorld is a backend whose contract is a folder.
var folderWorld = map[string]string{
	"gateway.yaml": "emenda: 1\ngateway: { mappings: ./mappings }\nbackends: { club: { contract: club, url: http://127.0.0.1:1 } }\ncallers: {}\n",
	"mappings/contracts/club/a_section.yaml": `x-emenda-section: Rooms
paths:
  /rooms:
    get: { operationId: rooms.list, x-emenda-changes: false, responses: { "204": { description: None. } } }
`,
	"mappings/contracts/club/club.yaml": `openapi: 3.1.0
x-emenda: 1
info: { title: Club, version: "1" }
`,
}

// TestContractFolder: the files of a folder below contracts are one contract,
// named as the folder; what is wrong is told of the file it stands in.
func TestContractFolder(t *testing.T) {
	with := func(name, text string) map[string]string {
		texts := maps.Clone(folderWorld)
		texts[name] = text
		return texts
	}
	loaded, list := loadTexts(folderWorld)
	require.Empty(t, list.Text())
	require.Len(t, loaded.Contracts["club"].Operations, 1)
	require.Equal(t, "mappings/contracts/club/club.yaml", loaded.Contracts["club"].File.Name)

	_, list = loadTexts(with("mappings/contracts/club/more/halls.yaml", strings.ReplaceAll(folderWorld["mappings/contracts/club/a_section.yaml"], "rooms", "halls")))
	require.Empty(t, list.Text(), "folders in it are of it, too")

	for _, c := range []struct{ name, file, text, want string }{
		{"a section", "mappings/contracts/club/a_section.yaml", "x-emenda-section: Rooms\npath: {}\n", "mappings/contracts/club/a_section.yaml:2:1: unknown key"},
		{"a file beside the folder", "mappings/contracts/club.yaml", folderWorld["mappings/contracts/club/club.yaml"], "mappings/contracts/club/club.yaml:1:1: contract club begins in club.yaml already"},
		{"no section", "mappings/contracts/club/a_section.yaml", "emenda: 1\n", "mappings/contracts/club/a_section.yaml:1:1: "},
		{"a section alone", "mappings/contracts/lonely.yaml", "x-emenda-section: Rooms\n", "mappings/contracts/lonely.yaml:1:1: no file of contract lonely begins with openapi"},
	} {
		t.Run(c.name, func(t *testing.T) {
			loaded, list := loadTexts(with(c.file, c.text))
			require.Nil(t, loaded)
			require.Contains(t, list.Text(), c.want)
		})
	}
}
