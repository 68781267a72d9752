package snapshot

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStartWithTheLastGoodOne(t *testing.T) {
	dir := folderOf(t)
	r := begun(t, dir)
	r.runsOnce()
	good := r.served[0].Hash
	r.edit("mappings/reserve.yaml", "${item.price}", "${item.prize}")

	r = begun(t, dir)
	require.Contains(t, r.problems, "mappings/reserve.yaml:12:17: shop.stock.item answers with no field \"prize\"")
	require.Equal(t, good, r.served[0].Hash)
	require.Equal(t, Refused, r.Report().Result)
	require.NotZero(t, r.Report().LastGood)
	require.Equal(t, []string{`{"configuration":"` + good + `","level":"ERROR","problems":1}`}, r.lines("the configuration on disk is refused; serving the last good one"))
	require.Len(t, r.lines("configuration problem"), 1)
	require.Equal(t, "0", r.metric("emenda_config_last_reload_successful"))
	require.NotEmpty(t, r.metric("emenda_config_last_reload_success_timestamp_seconds"))
	r.runsOnce()
	require.Empty(t, r.lines("configuration refused; what served goes on serving"), "it is said once")

	// Again, now that the last good one was not written by this process.
	r = begun(t, dir)
	require.Equal(t, good, r.served[0].Hash)
	require.NoError(t, os.Remove(filepath.Join(dir, "gateway.yaml")))
	r = begun(t, dir)
	require.Equal(t, good, r.served[0].Hash)
	require.Contains(t, r.problems, "gateway.yaml cannot be read")

	// A mended edit goes live.
	put(t, dir, map[string]string{"gateway.yaml": readBase(t)["gateway.yaml"]})
	r.edit("mappings/reserve.yaml", "${item.prize}", "${item.price + 0}")
	result, problems := r.reloaded()
	require.Equal(t, Reloaded, result, problems)
	require.Zero(t, r.Report().LastGood)
	require.Equal(t, "1", r.metric("emenda_config_last_reload_successful"))
	r = begun(t, dir)
	require.Empty(t, r.problems)
	require.Equal(t, Started, r.Report().Result)
}

// A start runs no tests; but files whose tests a reload has seen fail do not
// serve after it either.
func TestStartAfterTestsFailed(t *testing.T) {
	dir := folderOf(t)
	r := begun(t, dir)
	r.runsOnce()
	good := r.served[0].Hash
	r.edit("mappings/reserve.yaml", "number: 3, total", "number: 4, total")
	result, _ := r.reloaded()
	require.Equal(t, Refused, result)

	r = begun(t, dir)
	require.Equal(t, good, r.served[0].Hash)
	require.Equal(t, "these files were refused before, for tests that failed\n      = \"emenda test\" shows them\n", r.problems)
	require.NotZero(t, r.Report().LastGood)
	require.True(t, r.watcher.news(r.watcher.look()), "they are tried again, and their tests told by name")
	r.edit("mappings/reserve.yaml", "number: 4, total", "number: 3, total")
	result, _ = r.reloaded()
	require.Equal(t, Unchanged, result)
	require.Zero(t, r.Report().LastGood)

	// Without a last good one, what is there serves.
	r.edit("mappings/reserve.yaml", "number: 3, total", "number: 4, total")
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "data")))
	r = begun(t, dir)
	require.Empty(t, r.problems)
	require.Equal(t, Started, r.Report().Result)
}

func TestNothingToStartWith(t *testing.T) {
	dir := folderOf(t)
	r := begun(t, dir)
	r.edit("mappings/reserve.yaml", "${item.price}", "${item.prize}")
	require.EqualError(t, r.start(), "there is no last good configuration in "+filepath.Join(dir, "data"))
	require.Contains(t, r.problems, "mappings/reserve.yaml:12:17")

	// Neither do the last good files serve in every environment.
	r.edit("mappings/reserve.yaml", "${item.prize}", "${item.price}")
	require.NoError(t, r.start())
	r.runsOnce()
	r.env["LISTEN"] = "nowhere"
	require.ErrorContains(t, r.start(), "does not check here either: ")
	require.Contains(t, r.problems, "gateway.yaml:3:11: listen: expected address and port")
}

// Where nothing can be written, it is served all the same.
func TestNowhereToKeepIt(t *testing.T) {
	dir := folderOf(t)
	put(t, dir, map[string]string{"data": "a file is in the way"})
	r := begun(t, dir)
	r.runsOnce()
	told := r.lines("the last good configuration cannot be kept: a restart after a bad edit will not serve")
	require.Len(t, told, 1)
	require.Contains(t, told[0], "not a directory")
	r.edit("mappings/reserve.yaml", "no such item", "nothing here")
	result, _ := r.reloaded()
	require.Equal(t, Reloaded, result)
}
