"""Backends: what runs a program, or writes it as source. Each has params, rows, one, rebuilt, values, value_and_grad and input_grads."""
