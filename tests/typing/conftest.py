"""The script and the mistakes are read by type checkers."""

collect_ignore = ["script.py", "mistakes.py"]
