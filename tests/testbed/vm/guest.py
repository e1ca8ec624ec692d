"""The guest's part: runs the steps one after the other, and tells the host what came of each."""

from __future__ import annotations

import json
import logging
import os
import time
import traceback
from contextlib import ExitStack
from pathlib import Path

import conftest  # noqa: F401 - mounts the plugin's folder
from testbed.vm.bench import SHARE, Bench
from testbed.vm.link import Link
from testbed.vm.steps import steps

UP = Path("/run/machine-is-up")


def main() -> None:
    """Stop at the first step that fails: the others begin where it should have ended."""
    link = Link()
    plan = json.loads((SHARE / "plan.json").read_text())
    logging.basicConfig(level=logging.INFO, format="%(relativeCreated)d %(name)s: %(message)s")
    with ExitStack() as stack:
        bench = Bench(stack, link, plan["port"])
        bench.learn(on=True)
        wait_until_up()
        stack.enter_context(bench.running())
        bench.wait(bench.heartbeat, "a first sign of life")
        link.tell(step="ready", wrong="", up_seconds=up_seconds())
        for name, step in steps(plan["moments"], plan["only"]).items():
            begin = time.monotonic()
            try:
                facts, wrong = step(bench), ""
            except BaseException:
                facts, wrong = {}, traceback.format_exc()
            link.tell(step=name, wrong=wrong, took_seconds=round(time.monotonic() - begin, 2), facts=facts)
            if wrong:
                break
        link.tell(
            step="end",
            wrong="",
            facts={
                "written": sorted(bench.written),
                "arrived": sorted(bench.arrived() & bench.written.keys()),
                "breaks": len(bench.station.breaks()),
                "parts": len(bench.station.parts()),
            },
            up_seconds=up_seconds(),
        )


def wait_until_up() -> None:
    """Wait for what ``guest.sh`` does meanwhile: udev, and the kernel's modules."""
    while not UP.exists():
        time.sleep(0.1)


def up_seconds() -> float:
    """Tell how long the machine has been running, by its own clock."""
    return float(Path("/proc/uptime").read_text().split()[0])


if __name__ == "__main__":
    try:
        main()
    except BaseException:
        traceback.print_exc()
    os._exit(0)
