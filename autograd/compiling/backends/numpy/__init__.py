"""The NumPy backend: a program is written as source of NumPy calls. Imported where NumPy is there, and only then."""
