"""Numbers: the kinds of number that primitives meet, Value and Dual first, and the backward pass. No pictures, no files."""
