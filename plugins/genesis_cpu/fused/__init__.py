"""Operations that one pass over memory does faster than their composites, a file each."""
