"""What does the exit code of a verb say?  The same for every verb, so that scripts can rely on it."""

from enum import IntEnum


class Exit(IntEnum):
    """What the shell sees."""

    GOOD = 0
    """Done, and every promise held."""
    BAD = 1
    """Done, and the answer is bad news: an attack, a difference, a promise that did not hold."""
    USAGE = 2
    """The command line or a file that the user wrote is wrong; one line says how."""
    UNKNOWN = 3
    """Could not tell.  Never to be read as good."""
    OURS = 4
    """A fault of Tidewaiter's own: the line names the file that holds what a developer needs."""


class UsageError(Exception):
    """What the user asked cannot be done as asked; the text is one line in the user's language."""
