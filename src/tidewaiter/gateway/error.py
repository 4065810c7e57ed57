"""Why the gateway cannot start, or not go on with a new configuration."""

from tidewaiter.model.sentence import SentenceError


class StartError(SentenceError):
    """Something outside of the configuration stands in the way: a folder, an address, a right."""
