"""The documents, and in `generate` what writes those that are written from the code."""
