package mapping

import (
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// table compiles a table file.
func (l *loader) table(d *document) {
	n := d.root.Get("table")
	if n == nil || n.Text == "" {
		return
	}
	if first := l.tables[n.Text]; first != nil {
		l.list.Errorf(n.Span, "double", "table %s is already in %s", n.Text, first.root.Get("table").Span)
		return
	}
	l.tables[n.Text] = d
	t := &expr.Table{Name: n.Text, Rows: map[string]jsonx.Value{}}
	var row *expr.Type
	if rows := d.root.Get("rows"); rows != nil {
		for i := range rows.Entries {
			e := &rows.Entries[i]
			v := constantValue(e.Value, &l.list)
			row = l.joinRow(row, v, e.Value, n.Text)
			t.Rows[e.Key.Text] = v
		}
	}
	switch u := d.root.Get("unknown"); {
	case u == nil || u.Kind == yamldoc.Text && u.Text == "error":
		t.Fails = true
	case u.Kind == yamldoc.Text && u.Text == "none":
	case u.Kind == yamldoc.Map:
		t.Unknown = constantValue(u, &l.list)
		row = l.joinRow(row, t.Unknown, u, n.Text)
	case u.Kind == yamldoc.Text:
		d := l.list.Errorf(u.Span, "wrong-value", "unknown must be error, none or a row")
		d.Help = suggest(u.Text, []string{"error", "none"})
	}
	if row != nil {
		labelled := *row
		labelled.Label = "table " + n.Text
		row = &labelled
	}
	t.Row = row
	l.set.Tables[n.Text] = t
}

// joinRow joins the type of one more row; columns keep one kind, for a mapping
// that reads one could not be checked otherwise.
func (l *loader) joinRow(all *expr.Type, v jsonx.Value, at *yamldoc.Node, table string) *expr.Type {
	t := typeOfValue(v)
	joined := join(all, t)
	if all == nil {
		return joined
	}
	if all.Kind != expr.AnyType && joined.Kind == expr.AnyType {
		l.list.Errorf(at.Span, "wrong-type", "this row of table %s is %s, and a row above is %s", table, a(t), a(all))
		return all
	}
	for _, f := range fieldOrder(t) {
		before, after := all.Fields[f], joined.Fields[f]
		if before != nil && before.Type.Kind != expr.AnyType && after.Type.Kind == expr.AnyType {
			l.list.Errorf(at.Get(f).Span, "wrong-type", "column %s of table %s is %s here, and %s above", f, table, a(t.Fields[f].Type), a(before.Type))
			after.Type = before.Type
		}
	}
	return joined
}
