package store

import (
	_ "embed"

	"github.com/redis/go-redis/v9"
)

// The steps that have to be whole are scripts: Redis runs each without
// anything between its commands.
var (
	//go:embed lua/begin.lua
	beginText string
	//go:embed lua/admit.lua
	admitText string
	//go:embed lua/settle.lua
	settleText string
	//go:embed lua/end.lua
	endText string
	//go:embed lua/give_up.lua
	giveUpText string
	//go:embed lua/restore.lua
	restoreText string
	//go:embed lua/lock.lua
	lockText string
	//go:embed lua/unlock.lua
	unlockText string
	//go:embed lua/take.lua
	takeText string

	beginScript   = redis.NewScript(beginText)
	admitScript   = redis.NewScript(admitText)
	settleScript  = redis.NewScript(settleText)
	endScript     = redis.NewScript(endText)
	giveUpScript  = redis.NewScript(giveUpText)
	restoreScript = redis.NewScript(restoreText)
	lockScript    = redis.NewScript(lockText)
	unlockScript  = redis.NewScript(unlockText)
	takeScript    = redis.NewScript(takeText)
)
