"""A learning-rate schedule for Genesis, `genesis.optim.Sawtooth`."""
