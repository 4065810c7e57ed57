"""What does a user see of our own faults?  One line with an id, and where the traceback lies."""

import os
import sys
import tempfile
import traceback
import uuid
from pathlib import Path

from tidewaiter.i18n import _


def report(error: BaseException) -> None:
    """Write the traceback where only this user can read it, and say so in one line.

    It may hold addresses or parts of a message, so it is not shown, and not readable for others.
    """
    fault = uuid.uuid4().hex[:12]
    handle, name = tempfile.mkstemp(prefix=f"tidewaiter-{fault}-", suffix=".txt")
    with os.fdopen(handle, "w") as file:
        traceback.print_exception(error, file=file)
    line = _("tidewaiter: a fault of ours, {fault}; what a developer needs is in {path}")
    print(line.format(fault=fault, path=Path(name)), file=sys.stderr)
