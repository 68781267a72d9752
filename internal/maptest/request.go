package maptest

import (
	"fmt"
	"mime/multipart"
	"net/textproto"
	"net/url"
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/intake"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// buildRequest makes the request a test describes, as the HTTP layer would hand it on.
func buildRequest(route *mapping.Route, t *mapping.TestRequest) (*intake.Request, error) {
	r := &intake.Request{ID: "test", Method: t.Method, Path: t.Path}
	if r.Method == "" {
		r.Method = route.Methods[0]
	}
	pattern := strings.TrimSuffix(route.Dialect.Prefixes[0], "/") + "/" + route.Path
	if r.Path == "" {
		r.Path = pattern
	}
	params, err := pathParams(route, r.Path)
	if err != nil {
		return nil, err
	}
	r.Params = params
	header := map[string]string{}
	for name, value := range t.Header {
		header[textproto.CanonicalMIMEHeaderKey(name)] = value
	}
	query := url.Values{}
	for name, value := range t.Query {
		query.Set(name, value)
	}
	r.Query = query.Encode()
	switch {
	case t.Form != nil:
		r.Body, r.Type = formBody(t.Form), "application/x-www-form-urlencoded"
	case t.Multipart != nil:
		if r.Body, r.Type, err = multipartBody(t.Multipart); err != nil {
			return nil, err
		}
	case t.JSON != nil:
		r.Body, r.Type = string(mapping.ConstantJSON(t.JSON)), "application/json"
	case t.Body != nil:
		r.Body = *t.Body
	}
	if given, ok := header["Content-Type"]; ok {
		r.Type = given
	} else if r.Type != "" {
		header["Content-Type"] = r.Type
	}
	r.Header = func(name string) string { return header[textproto.CanonicalMIMEHeaderKey(name)] }
	r.Headers = func(yield func(name, value string)) {
		names := make([]string, 0, len(header))
		for name := range header {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			yield(name, header[name])
		}
	}
	return r, nil
}

// pathParams reads the route's {names} from a path below any of the dialect's prefixes.
func pathParams(route *mapping.Route, path string) ([]intake.Param, error) {
	for _, prefix := range route.Dialect.Prefixes {
		rest, ok := strings.CutPrefix(path, strings.TrimSuffix(prefix, "/")+"/")
		if !ok {
			continue
		}
		if params, ok := matchPath(strings.Trim(route.Path, "/"), strings.Trim(rest, "/")); ok {
			return params, nil
		}
	}
	return nil, fmt.Errorf("the path of the request is not the route's (%s)", route.Path)
}

func matchPath(pattern, path string) ([]intake.Param, bool) {
	want, have := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(have) {
		return nil, false
	}
	var params []intake.Param
	for i, w := range want {
		if !strings.HasPrefix(w, "{") {
			if w != have[i] {
				return nil, false
			}
			continue
		}
		value, err := url.PathUnescape(have[i])
		if err != nil {
			return nil, false
		}
		params = append(params, intake.Param{Name: strings.Trim(w, "{}"), Value: value})
	}
	return params, true
}

// fieldText is how a form spells a YAML value; a list is a repeated key.
func fieldTexts(n *yamldoc.Node) []string {
	switch n.Kind {
	case yamldoc.List:
		var all []string
		for _, item := range n.Items {
			all = append(all, fieldTexts(item)...)
		}
		return all
	case yamldoc.Map:
		return []string{string(mapping.ConstantJSON(n))}
	case yamldoc.Null:
		return []string{""}
	default:
		return []string{n.Text}
	}
}

func formBody(n *yamldoc.Node) string {
	var parts []string
	for _, e := range n.Entries {
		for _, value := range fieldTexts(e.Value) {
			parts = append(parts, url.QueryEscape(e.Key.Text)+"="+url.QueryEscape(value))
		}
	}
	return strings.Join(parts, "&")
}

func multipartBody(n *yamldoc.Node) (body, contentType string, err error) {
	var b strings.Builder
	w := multipart.NewWriter(&b)
	if err := w.SetBoundary("emenda-test-boundary"); err != nil {
		return "", "", err
	}
	for _, e := range n.Entries {
		for _, value := range fieldTexts(e.Value) {
			if err := w.WriteField(e.Key.Text, value); err != nil {
				return "", "", err
			}
		}
	}
	if err := w.Close(); err != nil {
		return "", "", err
	}
	return b.String(), w.FormDataContentType(), nil
}
