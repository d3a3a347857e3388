"""A schedule that warms up, stays and decays."""
