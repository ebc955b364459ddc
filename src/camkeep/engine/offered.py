"""The cameras that a machine finds by itself, as JSON values: for commands and pages alike."""

from __future__ import annotations

from camkeep.cameras.easyn.discovery import Found
from camkeep.cameras.v4l2 import Control, Webcam


def found_values(camera: Found) -> dict[str, object]:
    """A camera of the network; docs/commands.md names the fields."""
    return {"name": camera.name, "id": camera.id, "url": camera.url}


def webcam_values(webcam: Webcam) -> dict[str, object]:
    """A webcam with what it offers; docs/commands.md names the fields."""
    return {
        "number": webcam.number,
        "path": webcam.path,
        "name": webcam.card,
        "driver": webcam.driver,
        "bus": webcam.bus,
        "trouble": webcam.trouble,
        "formats": [
            {
                "code": entry.code,
                "kind": entry.kind,
                "description": entry.description,
                "sizes": [
                    {
                        "size": str(size),
                        "fps": [float(fps) for fps in size.rates.fps],
                        "any_between": size.rates.between,
                    }
                    for size in entry.sizes
                ],
            }
            for entry in webcam.formats
        ],
        "controls": [control_values(control) for control in webcam.controls],
    }


def control_values(control: Control) -> dict[str, object]:
    """One setting of a webcam."""
    return {
        "name": control.name,
        "label": control.label,
        "kind": str(control.kind),
        "range": [control.minimum, control.maximum, control.step],
        "menu": [[number, text] for number, text in control.menu.items()],
        "takes": control.range,
        "default": control.default,
        "value": control.value,
        "writable": control.writable,
        "active": control.active,
    }
