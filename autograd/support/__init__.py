"""Support: plain numbers, nested structures, tables, files, errors, the user's line. Nothing here knows what a derivative is."""
