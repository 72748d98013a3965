"""Fitting: training a module on rows, and what is measured on the way."""
