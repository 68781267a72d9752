package mappings_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/pgtest"
	"github.com/emenda-gateway/emenda/sandbox"
)

// post sends JSON as who has a key, with an id for the request and further header fields, name and value.
func (w *sellerWorld) post(path, key, id string, body []byte, header ...string) (status int, answer map[string]any) {
	w.t.Helper()
	r, err := http.NewRequest(http.MethodPost, w.url+path, bytes.NewReader(body))
	require.NoError(w.t, err)
	r.Header = http.Header{"Authorization": {"Bearer key-of-the-" + key}, "Content-Type": {"application/json"}, "X-Request-Id": {id}}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	require.NoError(w.t, err)
	defer func() { _ = res.Body.Close() }()
	require.NoError(w.t, json.NewDecoder(res.Body).Decode(&answer))
	return res.StatusCode, answer
}

// sold sends a sale of who has a key, has it installed, and gives the order's id.
func (w *sellerWorld) sold(key, id string, body []byte, header ...string) string {
	w.t.Helper()
	status, said := w.post("/v1/vendas", key, id, body, header...)
	require.Equal(w.t, http.StatusAccepted, status, said)
	order := said["id"].(string)
	status, said = w.post("/v1/vendas/"+order+"/instalada", "installer", id+"-installed", []byte("{}"))
	require.Equal(w.t, http.StatusAccepted, status, said)
	return order
}

// sells sends a sale, has it installed, and waits for its end.
func (w *sellerWorld) sells(id string, body []byte, state string) {
	w.t.Helper()
	order := w.sold("partner", id, body)
	require.Eventually(w.t, func() bool {
		d, err := w.orders.Get(context.Background(), order)
		return err == nil && d.State == state
	}, 60*time.Second, 20*time.Millisecond, "%s is not %s", id, state)
}

// page gives a page of the admin listener.
func (w *sellerWorld) page(path string) string {
	answer := httptest.NewRecorder()
	w.admin.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
	return answer.Body.String()
}

// rows gives everything that stands in a database, column by column.
func rows(t *testing.T, database string) string {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, database)
	require.NoError(t, err)
	defer func() { _ = conn.Close(ctx) }()
	found, err := conn.Query(ctx, `SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`)
	require.NoError(t, err)
	tables, err := pgx.CollectRows(found, pgx.RowTo[string])
	require.NoError(t, err)
	require.Contains(t, tables, "emenda_orders.orders")
	var all strings.Builder
	for _, table := range tables {
		rows, err := conn.Query(ctx, "SELECT * FROM "+table)
		require.NoError(t, err)
		for rows.Next() {
			values, err := rows.Values()
			require.NoError(t, err)
			for _, v := range values {
				if b, is := v.([]byte); is {
					v = string(b)
				}
				fmt.Fprintln(&all, v)
			}
		}
		require.NoError(t, rows.Err())
	}
	return all.String()
}

// What a sale tells of people stands in no log line, metric, trace, list or error
// of the gateway, and in no database in clear, whichever way the sale ends.
func TestNothingOfPeopleIsWritten(t *testing.T) {
	text, err := os.ReadFile("sale/testdata/documento_reparado.json")
	require.NoError(t, err)
	// What the shipped files do not hold themselves, for they are kept beside.
	body := strings.NewReplacer(
		`"Name"`, `"Zqxnome"`, `"lastname"`, `"lastname"`, "testtest@email.com", "zqx@example.com", "35317901K", "17000001B",
		"611111111", "683141592", "21000418450200051332", "21000418450200051332", "Alcala", "Zqxruas", "612123123", "672718281", "8934042419120320860", "8934000057721566497",
		"911111111", "916180339", "1971-01-22", "1961-07-09",
	).Replace(string(text))
	personal := []string{
		"zqxnome", "zqxruas", "zqxvendedor", "zqx@example", "17000001", "683141592", "0200051332", "es9121000418450200051332", "672718281", "8934000057721566497", "916180339", "1961-07-09", "09-07-1961",
		"71428793860", "key-of-the-partner",
	}
	require.Contains(t, strings.ToLower(body), "zqxruas")
	server := pgtest.Start(t)
	for name, database := range map[string]string{"SQLite": "", "PostgreSQL": server.URL()} {
		t.Run(name, func(t *testing.T) {
			w := startSales(t, database)
			w.sells("sale-done", []byte(body), "done")
			w.box.Fault(sandbox.Fault{Operation: "comercial.prospectos.cadastrar", Kind: sandbox.KindBusiness, Body: `{"error":"Zqxnome ja existe, CPF 71428793860"}`})
			w.sells("sale-undone", []byte(strings.Replace(body, `"Madrid"`, `"Getafe"`, 1)), "undone")
			status, _ := w.post("/v1/vendas", "partner", "sale-wrong", []byte(strings.Replace(body, `"C00000"`, `"Zqxvendedor"`, 1)))
			require.Equal(t, http.StatusUnprocessableEntity, status)
			status, _ = w.post("/v1/vendas", "partner", "sale-broken", []byte(body[:len(body)/2]))
			require.Equal(t, http.StatusBadRequest, status)

			written := map[string]string{"log": w.lines.String()}
			for _, path := range []string{"/metrics", "/-/orders", "/-/unknowns", "/-/requests/sale-done", "/-/requests/sale-undone", "/-/requests/sale-wrong", "/-/requests/sale-broken"} {
				written[path] = w.page(path)
			}
			require.Contains(t, written["/-/requests/sale-undone"], `"path":"/v1/vendas"`)
			require.Contains(t, written["/metrics"], "emenda_orders")
			require.Contains(t, written["/-/orders"], "undone")
			if database != "" {
				written["database"] = rows(t, database)
			}
			require.NoError(t, filepath.WalkDir(w.data, func(path string, d fs.DirEntry, err error) error {
				if err != nil || !d.Type().IsRegular() || d.Name() == "last-good.json" { // the configuration, with its tests
					return err
				}
				b, err := os.ReadFile(path)
				written[d.Name()] = string(b)
				return err
			}))
			for where, text := range written {
				for _, p := range personal {
					if strings.Contains(strings.ToLower(text), p) {
						t.Errorf("%s holds %s", where, p)
					}
				}
			}
			var received []byte
			for _, c := range w.box.Calls() {
				received = append(received, c.Body...)
			}
			for _, p := range []string{"Zqxruas", "17000001B", "0200051332", "8934000057721566497"} {
				require.Contains(t, string(received), p, "what is searched for was sent")
			}
		})
	}
}
