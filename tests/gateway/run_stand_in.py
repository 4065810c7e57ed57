"""The supervisor as `tidewaiter run` starts it, but with stand-in workers."""

import os
import sys
from pathlib import Path

from tidewaiter.config import ConfigError
from tidewaiter.gateway.error import StartError
from tidewaiter.gateway.supervisor import PROGRAMS, Supervisor

if __name__ == "__main__":
    worker = [sys.executable, str(Path(__file__).with_name("stand_in.py"))]
    try:
        supervisor = Supervisor(Path(sys.argv[1]), os.environ, PROGRAMS | {"worker": worker})  # type: ignore[operator]  # dicts
    except (ConfigError, StartError) as error:
        sys.exit(str(error))
    sys.exit(supervisor.run())
