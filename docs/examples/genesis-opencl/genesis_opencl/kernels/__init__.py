"""One module for each primitive: it makes the text of a kernel, keeps it compiled, and runs it."""
