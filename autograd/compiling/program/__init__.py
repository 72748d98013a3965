"""Program: the instructions for all rows, and how they read. It knows no tape and no backend."""
