"""compile: a scalar function of one row is recorded, its loops are recovered, and it runs over all rows.

The steps, each in its room: record -> passes -> program -> backends.
"""
