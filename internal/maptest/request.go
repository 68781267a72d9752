package maptest

import (
	"errors"
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
	if r.Path == "" {
		r.Path = intake.Spellings(route)[0]
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

// pathParams reads the route's {names} from a path.
func pathParams(route *mapping.Route, path string) ([]intake.Param, error) {
	params, found, problem := intake.PathOf(route, path)
	switch {
	case !found:
		return nil, fmt.Errorf("the path of the request is not the route's (%s)", route.Path)
	case problem != nil:
		return nil, errors.New(problem.Message)
	}
	return params, nil
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
