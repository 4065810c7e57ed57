"""Frozen values that every other package speaks in; it imports nothing of ours."""
