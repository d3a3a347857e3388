"""Its hook has a name that Genesis does not know."""
