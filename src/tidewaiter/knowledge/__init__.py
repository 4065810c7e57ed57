"""Data: how each program reads and writes, and the bytes that tell whether it does so safely; one loader."""
