"""What `genesis schedulers show` and `plot` do."""
