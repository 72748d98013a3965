"""Derivatives of functions: by the chain rule, by differences, and one held against the other. Graphs as objects are not needed here."""
