"""Compiling: a scalar function of one row is recorded, its loops are recovered, and it runs over all rows. No pictures, no steps."""
