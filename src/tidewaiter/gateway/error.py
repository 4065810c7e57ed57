"""Why the gateway cannot start, or not go on with a new configuration."""


class StartError(Exception):
    """Something outside of the configuration stands in the way: a folder, an address, a right."""
