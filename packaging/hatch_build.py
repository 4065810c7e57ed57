"""Which files does a wheel hold that git does not?  The catalogues of messages, compiled."""

from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CatalogueHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling's base is not typed
    """Compiles each `.po` beside itself, for the wheel and for an editable install alike."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Run before the files of the wheel are gathered."""
        del version, build_data  # the same for every kind of build
        for source in Path(self.root, "src/tidewaiter/i18n").rglob("*.po"):
            with source.open("rb") as text, source.with_suffix(".mo").open("wb") as compiled:
                write_mo(compiled, read_po(text))
