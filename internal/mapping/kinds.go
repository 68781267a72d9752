package mapping

var kindNames = [kinds]string{
	Unreadable:      "unreadable",
	NotSignedIn:     "not_signed_in",
	BadSignIn:       "bad_sign_in",
	Forbidden:       "forbidden",
	Limited:         "limited",
	NoRoute:         "no_route",
	BadMethod:       "bad_method",
	TooLarge:        "too_large",
	BadInput:        "bad_input",
	RepeatDiffers:   "repeat_differs",
	KindRefused:     "refused",
	KindFailed:      "failed",
	KindTimeout:     "timeout",
	KindUnavailable: "unavailable",
	StoreDown:       "store_down",
	Internal:        "internal",
}

// String gives the kind as YAML spells it: "not_signed_in".
func (k ErrorKind) String() string {
	if k < kinds {
		return kindNames[k]
	}
	return ""
}

// ErrorKinds gives every kind, in order.
func ErrorKinds() []ErrorKind {
	all := make([]ErrorKind, kinds)
	for i := range all {
		all[i] = ErrorKind(i)
	}
	return all
}

func kindOf(name string) (ErrorKind, bool) {
	for k, n := range kindNames {
		if n == name {
			return ErrorKind(k), true
		}
	}
	return 0, false
}

var readNames = []string{"form", "multipart", "json", "query"}

// Inherits gives the kind whose reply k has when its dialect says nothing of k; ok is
// false for the kinds a dialect must say: not_signed_in, bad_input, refused, failed.
func (k ErrorKind) Inherits() (from ErrorKind, ok bool) {
	switch k {
	case NotSignedIn, BadInput, KindRefused, KindFailed:
		return k, false
	case Unreadable, TooLarge, RepeatDiffers:
		return BadInput, true
	case BadSignIn:
		return NotSignedIn, true
	case Forbidden:
		return BadSignIn, true
	case NoRoute, BadMethod, Limited:
		return KindRefused, true
	case StoreDown:
		return KindUnavailable, true
	default:
		return KindFailed, true
	}
}

// DefaultStatus gives the status a kind is answered with when its reply is
// inherited because the dialect says nothing of it.
func (k ErrorKind) DefaultStatus() int {
	switch k {
	case Unreadable, BadInput:
		return 400
	case NotSignedIn, BadSignIn:
		return 401
	case Forbidden:
		return 403
	case NoRoute:
		return 404
	case BadMethod:
		return 405
	case TooLarge:
		return 413
	case RepeatDiffers, KindRefused:
		return 422
	case Limited:
		return 429
	case KindFailed:
		return 502
	case KindTimeout:
		return 504
	case KindUnavailable, StoreDown:
		return 503
	default:
		return 500
	}
}
