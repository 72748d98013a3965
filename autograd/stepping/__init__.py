"""Stepping: a graph step by step, as data, a table, a page, an animation."""
