"""The layers and losses, one file a family."""
