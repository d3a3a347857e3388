"""The device's primitives, a file each."""
