"""Programs that run inside a peer's own environment, never in ours."""
