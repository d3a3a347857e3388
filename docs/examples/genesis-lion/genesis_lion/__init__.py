"""The optimizer Lion for Genesis, `genesis.optim.Lion`."""
