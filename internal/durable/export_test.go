package durable

import "context"

// Forget forgets a configuration that was loaded.
func (v *Orders) Forget(hash string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.loaded, hash)
}

// Under gives the configuration of a hash ready, as orders have it.
func (v *Orders) Under(ctx context.Context, hash string) error {
	e, err := v.Engine()
	if err == nil {
		_, err = v.under(ctx, e, hash)
	}
	return err
}
