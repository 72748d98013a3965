"""The script that makes the data needs torch, which the tests do without."""

collect_ignore = ["pytorch.py"]
