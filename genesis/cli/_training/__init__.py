"""What `genesis train` does."""
