package main

import (
	"context"
	"fmt"
	"time"

	"github.com/emenda-gateway/emenda/sandbox"
)

type sandboxCommand struct {
	Listen    string        `default:"127.0.0.1:8090" help:"The stand-in ERP's address, loopback only; ${default} without it." placeholder:"ADDRESS"`
	User      string        `default:"sandbox" help:"What HTTP Basic must carry."`
	Password  string        `default:"sandbox" help:"What HTTP Basic must carry."`
	TokenLife time.Duration `default:"1h" help:"How long a fetched token lives."`

	RenewRevokes bool `help:"Renewing a token ends the old one at once."`

	MvnoRotateEvery int           `help:"Each so many answers of the MVNO platform one carries a new token; 0 for never."`
	MvnoGrace       time.Duration `help:"How long the old one still holds then."`
}

// Help shows examples.
func (sandboxCommand) Help() string {
	return `Starts stateful stand-ins of the ERP, of an SGP installation with the same invented customers, of an MVNO platform, of an OZmap and of a sales partner who is called back, for trying and rehearsing. SGP takes token=` + sandbox.SGPToken + `, app=` + sandbox.SGPApp + `. The platform, at ` + sandbox.MVNOPath + `, takes token ` + sandbox.MVNOToken + ` first, and of autenticar the user ` + sandbox.MVNOUser + ` and the password ` + sandbox.MVNOPassword + `. OZmap, below ` + sandbox.OzmapPath + `, takes Authorization: ` + sandbox.OzmapToken + `. The partner, at ` + sandbox.PartnerPath + `, verifies callbacks with the key ` + sandbox.PartnerKey + `. Faults on demand: POST /_sandbox/faults.

Examples:

  emenda sandbox
  emenda sandbox --listen 127.0.0.1:9000 --token-life 30s
  curl -d '{"operation":"comercial.cliente.dados","kind":"latency","delay":"2s"}' http://127.0.0.1:8090/_sandbox/faults`
}

// Run serves until a signal ends it.
func (c *sandboxCommand) Run(ctx context.Context, s *streams) error {
	box, err := sandbox.Start(sandbox.Options{Listen: c.Listen, User: c.User, Password: c.Password, TokenLife: c.TokenLife, RenewRevokes: c.RenewRevokes,
		MVNO: sandbox.MVNOOptions{RotateEvery: c.MvnoRotateEvery, Grace: c.MvnoGrace}})
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "the stand-in ERP listens on %s\n", box.URL())
	fmt.Fprintf(s.out, "the stand-in MVNO platform listens on %s\n", box.URL()+sandbox.MVNOPath)
	<-ctx.Done()
	end, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return box.Close(end)
}
