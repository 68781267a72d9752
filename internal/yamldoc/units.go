package yamldoc

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

var durationUnits = map[string]time.Duration{
	"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour,
}

// ParseDuration reads a duration of one unit: 200ms, 4s, 2m, 1h, 7d. It must
// be a whole number above zero; a day is 24 hours.
func ParseDuration(text string) (time.Duration, error) {
	n, rest := digits(text)
	unit, ok := durationUnits[rest]
	if n == 0 || !ok {
		return 0, fmt.Errorf("%q is no duration", shorten(text))
	}
	v, err := strconv.ParseInt(text[:n], 10, 64)
	if err != nil || v > int64(math.MaxInt64/unit) {
		return 0, fmt.Errorf("%q is too long", shorten(text))
	}
	if v == 0 {
		return 0, errors.New("a duration must be above zero")
	}
	return time.Duration(v) * unit, nil
}

var sizeUnits = map[string]int64{"": 1, "B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}

// ParseSize reads a number of bytes: 512, 64KB, 30MB, 1GB. It must be a whole
// number above zero; a KB is 1024 bytes.
func ParseSize(text string) (int64, error) {
	n, rest := digits(text)
	unit, ok := sizeUnits[strings.TrimSpace(rest)]
	if n == 0 || !ok {
		return 0, fmt.Errorf("%q is no size", shorten(text))
	}
	v, err := strconv.ParseInt(text[:n], 10, 64)
	if err != nil || v > math.MaxInt64/unit {
		return 0, fmt.Errorf("%q is too large", shorten(text))
	}
	if v == 0 {
		return 0, errors.New("a size must be above zero")
	}
	return v * unit, nil
}
