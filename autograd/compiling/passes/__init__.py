"""Passes: from the tape to the program and to its adjoint. No pass knows what runs the program."""
