"""A14: what the service stands on is not known to have holes."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from camkeep.errors import UsageError
from camkeep.server.gates import OPENSSL, PACKAGES, SQLITE, check_versions, parsed

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())


def test_what_is_installed_passes() -> None:
    check_versions()


@pytest.mark.parametrize("name", PACKAGES)
def test_one_version_too_old_is_refused_and_the_least_is_not(name: str) -> None:
    least = PACKAGES[name][0]
    before = (*least[:-1], least[-1] - 1, 99) if least[-1] else (least[0] - 1, 99)

    def of(found: tuple[int, ...]) -> None:
        def installed(asked: str) -> str:
            if asked != name:
                raise PackageNotFoundError(asked)
            return ".".join(map(str, found))

        check_versions(installed)

    of(least)
    with pytest.raises(UsageError, match=f"pip install --upgrade '{name}>="):
        of(before)


def test_libraries_that_come_with_python() -> None:
    with pytest.raises(UsageError, match="SQLite is too old"):
        check_versions(sqlite=(SQLITE[0], SQLITE[1] - 1, 5))
    with pytest.raises(UsageError, match="OpenSSL is too old"):
        check_versions(openssl=(OPENSSL[0] - 1, 1, 1))


def test_an_installation_asks_for_no_less_than_the_gates() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    wanted = {}
    for line in [*extras["server"], *extras["video"]]:
        found = re.fullmatch(r"([\w-]+)>=([\d.]+)", line)
        if found:
            wanted[found[1]] = parsed(found[2])
    for name, (least, _) in PACKAGES.items():
        if name != "h11":  # uvicorn's, and not used: httptools reads requests
            assert wanted[name] >= least, name


def test_versions_are_read_up_to_their_first_letter() -> None:
    assert parsed("1.2.3rc1") == (1, 2, 3)
    assert parsed("18.1.0") > parsed("18.1")
    assert parsed("nonsense") == ()
