"""Runs a command in a process of its own, however the plugin was loaded: ``python -P launch.py controller …``.

Started by path, it makes its own folder importable as ``bodyworn``, as a host's loader does, and calls the command
line. It ends when its standard input is closed, so that nothing outlives a host that was killed. Only the standard
library is used before the folder is mounted.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
import threading
from pathlib import Path

_NAME = "bodyworn"


def mount() -> None:
    """Make this file's folder importable as ``bodyworn``; ``-P`` kept the folder itself off the path."""
    folder = Path(__file__).resolve().parent
    spec = importlib.util.spec_from_file_location(
        _NAME, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"{folder} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[_NAME] = module
    spec.loader.exec_module(module)


def end_with_parent() -> None:
    """Ask this process to stop, as a service manager would, once whoever started it is gone."""

    def wait() -> None:
        while os.read(0, 4096):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="parent", daemon=True).start()


def main() -> None:
    """Run the command that the arguments name."""
    mount()
    end_with_parent()
    importlib.import_module(f"{_NAME}.cli").main(prog_name=_NAME)


if __name__ == "__main__":
    main()
