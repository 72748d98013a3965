"""Record: what a function did with numbers, on a tape; the structure of what it takes; the tape gone through again."""
