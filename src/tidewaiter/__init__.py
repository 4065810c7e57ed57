"""Tidewaiter: a mail gateway through which nothing can be smuggled, and the proof."""
