"""Supplies a name that collides-a supplies too."""
