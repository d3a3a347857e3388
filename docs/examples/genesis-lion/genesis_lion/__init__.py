"""The optimizer Lion for Genesis, `genesis-lion:Lion`."""
