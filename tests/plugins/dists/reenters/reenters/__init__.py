"""Asks for a name while it declares its own."""
