"""The commands under `genesis plugins`."""
