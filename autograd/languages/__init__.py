"""Languages: graphs as text. Expressions are read; SymPy, LaTeX and source are written. Nothing here compiles."""
