"""Graphs: what has been recorded, as an object: its parts, groups, file and faults. Nothing here computes a derivative or draws."""
