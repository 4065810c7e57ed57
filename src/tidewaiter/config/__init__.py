"""Configuration: TOML bytes in, frozen `Settings` or a `ConfigError` with file, line and key out.

`parse` reads a file's bytes; `write` says settings as TOML again; `reference` writes the docs page.
It opens no file: the bytes come in, and what needs the disk is checked by `tidewaiter config check`.
"""

from tidewaiter.config.error import ConfigError, Mistake
from tidewaiter.config.parsing import locate, parse
from tidewaiter.config.settings import Settings

__all__ = ["ConfigError", "Mistake", "Settings", "locate", "parse"]
