"""Support: rows, targets, settings and states checked and written down. Nothing here knows a module."""
