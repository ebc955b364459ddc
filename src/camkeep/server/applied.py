"""From what people decided about a camera to what the engine is asked for. Pure: opens nothing.

Where nothing about a connection changed, its source stays the same object, and the engine leaves
the connection alone: a new name or schedule costs no frame.
"""

from __future__ import annotations

from dataclasses import dataclass

from camkeep.archive.retention import Limits
from camkeep.cameras.address import Credentials, parse_address
from camkeep.cameras.source import Source, SourceOptions, parse_trust
from camkeep.engine.keeper import KeepOptions
from camkeep.engine.sources import make_source
from camkeep.engine.wanted import Wanted
from camkeep.errors import UsageError
from camkeep.server.camerasettings import CameraSettings
from camkeep.server.cameraurl import same_place
from camkeep.server.urlpolicy import UrlPolicy


@dataclass(frozen=True, slots=True)
class Applied:
    """Settings, and what they came to."""

    settings: CameraSettings
    policy: UrlPolicy
    wanted: Wanted


def applied(
    settings: CameraSettings, policy: UrlPolicy, previous: Applied | None = None
) -> Applied:
    """What to ask the engine for. `previous` is what it was asked for before, for this camera.

    Raises UsageError where the camera cannot be reached that way.
    """
    main, sub = _main(settings, policy), _sub(settings, policy)
    if previous is not None and previous.policy == policy:
        if _connection(previous.settings) == _connection(settings):
            main = previous.wanted.source
        if _sub_connection(previous.settings) == _sub_connection(settings):
            sub = previous.wanted.sub
    wanted = Wanted(
        name=settings.name,
        source=main,
        sub=sub,
        id=settings.id,
        mode=settings.mode,
        schedule=settings.schedule,
        options=KeepOptions(
            segment_s=settings.segment_s,
            sync_s=settings.flush_s,
            audio=settings.audio,
            pre_roll_s=settings.pre_roll_s,
        ),
        limits=Limits(settings.max_bytes, settings.max_age_s),
    )
    return Applied(settings, policy, wanted)


def check_addresses(settings: CameraSettings, policy: UrlPolicy) -> None:
    """Raise UsageError where a camera may not be there, or not be asked like that."""
    _main(settings, policy)
    _sub(settings, policy)


def same_connection(one: CameraSettings, other: CameraSettings) -> bool:
    """Whether the camera is reached in the same way, and asked for the same."""
    return _sub_connection(one) == _sub_connection(other)


def source_of(settings: CameraSettings, policy: UrlPolicy) -> Source:
    """The camera's main stream, for a test of it. Raises UsageError."""
    return _main(settings, policy)


def _main(settings: CameraSettings, policy: UrlPolicy) -> Source:
    if not settings.url:
        raise UsageError(
            f"the address of {settings.name} was lost with the key that sealed it: set it anew"
        )
    address, login = parse_address(settings.url)
    policy.check(address)
    return make_source(address, _options(settings, policy, login))


def _sub(settings: CameraSettings, policy: UrlPolicy) -> Source | None:
    if not settings.sub_url:
        return None
    address, login = parse_address(settings.sub_url)
    policy.check(address)
    main, known = parse_address(settings.url)
    if login is None and same_place(address, main):
        login = known
    return make_source(address, _options(settings, policy, login))


def _options(
    settings: CameraSettings, policy: UrlPolicy, login: Credentials | None
) -> SourceOptions:
    return SourceOptions(
        credentials=login,
        trust=parse_trust(settings.trust),
        transport=settings.transport,
        audio=settings.audio,
        connect_timeout_s=settings.timeout_s,
        stall_s=settings.timeout_s,
        may_reach=policy.check_ip,
    )


def _connection(of: CameraSettings) -> tuple[object, ...]:
    return (of.url, of.transport, of.trust, of.audio, of.timeout_s)


def _sub_connection(of: CameraSettings) -> tuple[object, ...]:
    return (of.sub_url, *_connection(of))
