"""Modules: what holds parameters and computes a row from a row. Nothing here trains."""
