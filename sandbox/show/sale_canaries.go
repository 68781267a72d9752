package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// canaries are values about people that stand nowhere else: where one shows, a
// person's data show.
type canaries struct {
	n      int
	values map[string]string // what stands in a sale, and its other forms -> the field it stood in
}

func newCanaries() *canaries { return &canaries{values: map[string]string{}} }

// put notes a value and gives it.
func (c *canaries) put(field, value string, forms ...string) string {
	for _, v := range append(forms, value) {
		if len(v) >= 7 { // what is shorter stands everywhere
			c.values[strings.ToLower(v)] = field
		}
	}
	return value
}

// fill replaces what is about people everywhere in a sale.
func (c *canaries) fill(v any) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			c.fill(e)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if text, is := v[name].(string); is {
				v[name] = c.personal(name, text)
			} else {
				c.fill(v[name])
			}
		}
	}
}

// personal gives another value in the place of what is about a person.
func (c *canaries) personal(field, was string) string {
	c.n++
	n := c.n
	switch field {
	case "name", "middlename", "lastname", "supplement", "locality", "serial_number":
		return c.put(field, fmt.Sprintf("Zqx%s%d", field, n))
	case "street_name":
		return c.put(field, fmt.Sprintf("Calle Zqxrua%d", n), fmt.Sprintf("Zqxrua%d", n))
	case "email", "registration_email":
		return c.put(field, fmt.Sprintf("zqx%d@example.com", n))
	case "document_value":
		return c.put(field, nif(7_000_000+n), fmt.Sprint(17_000_000+n))
	case "contact_phone", "phone":
		return c.put(field, fmt.Sprintf("68%07d", 3_141_500+n))
	case "msisdn":
		return c.put(field, fmt.Sprintf("67%07d", 2_718_200+n))
	case "number_associated", "number":
		if len(was) != 9 {
			return was // a door's
		}
		return c.put(field, fmt.Sprintf("91%07d", 6_180_300+n))
	case "iccid":
		if was == "" {
			return was
		}
		return c.put(field, checkDigit(fmt.Sprintf("8934%014d", 57_721_500+n)))
	case "imei":
		if was == "" {
			return was
		}
		return c.put(field, checkDigit(fmt.Sprintf("%014d", 49_015_400_000_000+n)))
	case "birthdate":
		day := fmt.Sprintf("%02d", 1+n%28)
		return c.put(field, "1961-07-"+day, day+"-07-1961", day+"/07/1961")
	case "bank_account":
		account := accountOf(n)
		return c.put(field, account, account[10:], ibanOf(account))
	case "gescal":
		return c.put(field, was[:4]+fmt.Sprintf("%07d", 1_618_033+n)+was[11:])
	}
	return was
}

// accountOf gives an account of twenty digits whose control digits are right.
func accountOf(n int) string {
	bank, number := "21000418", fmt.Sprintf("07%08d", 66_260_700+n)
	return bank + controls(bank, number) + number
}

// controls gives the control digits of an account.
func controls(bank, number string) (digits string) {
	for _, part := range []string{"00" + bank, number} {
		sum := 0
		for i, w := range []int{1, 2, 4, 8, 5, 10, 9, 7, 3, 6} {
			sum += w * int(part[i]-'0')
		}
		switch d := 11 - sum%11; d {
		case 10:
			digits += "1"
		case 11:
			digits += "0"
		default:
			digits += fmt.Sprint(d)
		}
	}
	return digits
}

// ibanOf gives the account as an IBAN.
func ibanOf(account string) string {
	rest := 0
	for _, d := range account + "142800" { // ES00
		rest = (rest*10 + int(d-'0')) % 97
	}
	return fmt.Sprintf("ES%02d%s", 98-rest, account)
}

// sale makes a sale in which every person is a canary. The customer's own document
// and lines stay those of s.
func (c *canaries) sale(all *sellers, kind string, n int, change func(doc map[string]any)) (*sold, error) {
	return all.of(kind, n, func(doc map[string]any) {
		c.fill(doc)
		client := inside(doc, "clients", "attributes", 0)
		client["document_value"] = c.put("document_value", nif(n), fmt.Sprint(10_000_000+n))
		if change != nil {
			change(doc)
		}
	})
}

var hexBytes = regexp.MustCompile(`\\x([0-9a-fA-F]{8,})`)

// find gives the fields whose values stand in a text or in bytes, also where
// PostgreSQL writes bytes in hexadecimal digits.
func (c *canaries) find(text []byte) []string {
	all := [][]byte{bytes.ToLower(text)}
	for _, m := range hexBytes.FindAllSubmatch(text, -1) {
		if raw, err := hex.DecodeString(string(m[1][:len(m[1])&^1])); err == nil {
			all = append(all, bytes.ToLower(raw))
		}
	}
	one := bytes.Join(all, []byte{0})
	found := map[string]bool{}
	for value, field := range c.values {
		for _, form := range forms(value) {
			if bytes.Contains(one, []byte(form)) {
				found[fmt.Sprintf("%s (%s)", field, value)] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// forms are a value as it is, as JSON writes it, and as an address does.
func forms(value string) []string {
	quoted, _ := json.Marshal(value) // a text is always JSON
	return []string{value, strings.Trim(string(quoted), `"`), strings.ReplaceAll(value, " ", "+"), strings.ReplaceAll(value, " ", "%20"), strings.ReplaceAll(value, "@", "%40")}
}
