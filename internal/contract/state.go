package contract

var stateNames = []string{"ok", "refused", "failed", "unknown", "skipped"}

// String gives "ok", "refused", "failed", "unknown", "skipped".
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "unknown"
}

// StateNames gives the names in order of the constants.
func StateNames() []string { return append([]string(nil), stateNames...) }
