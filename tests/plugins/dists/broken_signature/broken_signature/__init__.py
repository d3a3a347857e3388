"""Its hook wants an argument that Genesis does not offer."""
