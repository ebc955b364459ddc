"""The secrets of cameras, told to the redactor by whoever gets to read their settings."""

from __future__ import annotations

from camkeep.cameras.address import parse_address, path_secrets, redact_query
from camkeep.errors import UsageError
from camkeep.server.camerasettings import CameraSettings
from camkeep.server.redact import Redactor, redactor


def learn(settings: CameraSettings, redact: Redactor = redactor) -> None:
    """What is secret about the camera shows up in no log, event or answer from now on."""
    for url in filter(None, (settings.url, settings.sub_url)):
        try:
            address, login = parse_address(url)
        except UsageError:
            continue
        if login is not None:
            redact.learn(login.password, login.user)
        for name, value in address.options.items():
            if redact_query(f"{name}=x") != f"{name}=x":  # its name says that it is one
                redact.learn(value)
        for value in path_secrets(address.path):
            redact.learn(value)
