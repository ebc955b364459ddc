"""Drivers of the virtual machine that come and go."""

from __future__ import annotations

import subprocess
from pathlib import Path

MODULES = Path("/run/webcam-vm")


def load(module: str, *parameters: str) -> None:
    subprocess.run(["busybox", "insmod", str(MODULES / f"{module}.ko"), *parameters], check=True)


def unload(module: str) -> None:
    subprocess.run(["busybox", "rmmod", module], check=True)
