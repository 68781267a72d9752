package contract

var stateNames = []string{"ok", "refused", "failed", "unknown", "skipped"}

// String gives "ok", "refused", "failed", "unknown", "skipped".
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "unknown"
}
