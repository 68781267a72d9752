package token

import (
	"encoding/base64"
	"strings"
	"time"

	"github.com/tidwall/gjson"
)

// milliseconds is where numbers of seconds would lie three thousand years
// ahead: JWTs should say seconds (RFC 7519), some say milliseconds.
const milliseconds = 1e11

// longest bounds a life: some tokens end in the year 9999, and a moment that
// far away does not fit into nanoseconds. Renewing them monthly does no harm.
const longest = 30 * 24 * time.Hour

// largest bounds a token's text: nobody takes a header field that is larger.
const largest = 16 << 10

// Life reads off a JWT how long it lives, as seen at now, at most 30 days; 0
// when it cannot be told. It does not check the signature: that is for those who accept tokens.
// With iat the life is exp less iat, so that clocks that differ do no harm.
func Life(value string, now time.Time) time.Duration {
	parts := strings.SplitN(value, ".", 4)
	if len(parts) != 3 || len(value) > largest {
		return 0
	}
	claims, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil || !gjson.ValidBytes(claims) {
		return 0
	}
	exp, ok := instant(gjson.GetBytes(claims, "exp"))
	if !ok {
		return 0
	}
	if iat, ok := instant(gjson.GetBytes(claims, "iat")); ok && iat.Before(exp) {
		return min(exp.Sub(iat), longest)
	}
	return min(max(exp.Sub(now), 0), longest)
}

func instant(v gjson.Result) (time.Time, bool) {
	if v.Type != gjson.Number || v.Num <= 0 || v.Num > 1e15 {
		return time.Time{}, false
	}
	if v.Num >= milliseconds {
		return time.UnixMilli(int64(v.Num)), true
	}
	return time.UnixMilli(int64(v.Num * 1000)), true
}
