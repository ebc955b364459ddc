"""The recorder service: all its parts, put up in order and taken down in reverse.

Up: the settings, the accounts, the cameras, the page. Down: the page lets
its viewers go while the cameras are still recorded, then the cameras are sealed, and what was
told until then is written down. The archive is opened before and closed after all that, by
whoever calls `serve`, because both may block.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from ipaddress import ip_address

from camkeep.archive.retention import Policy
from camkeep.archive.store import Archive
from camkeep.clock import Clock
from camkeep.engine.events import Bus
from camkeep.engine.service import Service
from camkeep.model import CameraId
from camkeep.server.accounts.accounts import Accounts
from camkeep.server.camerabook import CameraBook
from camkeep.server.caretaker import Caretaker
from camkeep.server.database import Database
from camkeep.server.demo import add_demo
from camkeep.server.desk import Desk
from camkeep.server.journal import Journal, last_event_id
from camkeep.server.logs import Ring
from camkeep.server.monitor import Monitor
from camkeep.server.notify import Notifier, feed_watchdog
from camkeep.server.options import ServeOptions
from camkeep.server.shelf import close_shelf
from camkeep.server.vitals import vitals_of
from camkeep.server.web.app import make_app
from camkeep.server.web.connections import Bounds
from camkeep.server.web.listening import bind
from camkeep.server.web.server import WebServer

log = logging.getLogger("camkeep")


@dataclass(frozen=True, slots=True)
class Told:
    """What a person at the console is to know once it runs."""

    urls: list[str]
    """Where the page is."""
    cameras: int
    """How many are set up."""
    account_wanted: bool
    """Whether the first account must be made before anybody gets in from elsewhere."""


async def serve(
    archive: Archive,
    database: Database,
    options: ServeOptions,
    clock: Clock,
    ring: Ring,
    *,
    demo: bool = False,
    notifier: Notifier | None = None,
    ready: Callable[[Told], object] = lambda _: None,
    show_code: Callable[[str], object] = lambda _: None,
) -> None:
    """Run until SIGINT, SIGTERM or SIGHUP; a second one ends the process at once.

    `ready` is told when all is up, `show_code` is given the code for the first account, which is
    for the console alone. Raises UsageError where it cannot listen, StorageError.
    """
    notifier = notifier or Notifier(None)
    async with AsyncExitStack() as stack:
        desk, caretaker = await _put_up(stack, archive, database, options, clock, ring)
        _on_signals(desk.service.stop)
        page = await _page(stack, desk, options)
        desk.monitor.lag.start()
        stack.callback(desk.monitor.lag.stop)
        await stack.enter_async_context(desk.service)
        _beside(stack, desk.journal.run())
        if demo:
            await add_demo(desk.cameras)
        await caretaker.sync()
        await desk.service.begin([])
        _beside(stack, caretaker.run())
        await stack.enter_async_context(page)
        told = Told(page.urls, len(await desk.cameras.list()), _account_wanted(desk, page))
        if told.account_wanted:
            desk.first_account.offer(show_code)
        ready(told)
        notifier.ready(f"at {page.urls[0]}")
        _beside(stack, feed_watchdog(notifier, desk.monitor.vitals.ailing))
        try:
            await desk.service.until_stopped()
        finally:
            notifier.stopping()
            log.info("ending")


async def _put_up(
    stack: AsyncExitStack,
    archive: Archive,
    database: Database,
    options: ServeOptions,
    clock: Clock,
    ring: Ring,
) -> tuple[Desk, Caretaker]:
    """What is needed before cameras are watched."""
    bus = Bus(clock, await asyncio.to_thread(last_event_id, database))
    names: dict[CameraId, str] = {}
    journal = Journal(database, bus, lambda camera: _name(service, camera, names))
    stack.push_async_callback(journal.close)
    policy = _policy_of(options, archive)
    service = Service(archive, policy, clock, bus)
    accounts = await Accounts.open(database, clock)
    stack.callback(accounts.close)
    stack.push_async_callback(accounts.tidy)
    _beside(stack, accounts.run())
    book = CameraBook(database, clock, options.cameras)
    caretaker = Caretaker(service, book, database, policy)
    vitals = vitals_of(archive, database, clock)
    _beside(stack, vitals.run())
    monitor = Monitor(vitals=vitals, log=ring)
    desk = Desk(
        service,
        archive,
        database,
        accounts,
        book,
        journal,
        clock,
        options.web,
        monitor,
        caretaker.sync,
        caretaker.failed,
    )
    return desk, caretaker


async def _page(stack: AsyncExitStack, desk: Desk, options: ServeOptions) -> WebServer:
    """The page, still to be opened. To make it takes a while: it comes before the cameras, as do
    addresses that are taken."""
    app = make_app(desk)
    app.openapi()  # is remembered
    gc.collect()
    gc.freeze()  # what lives as long as the process need not be looked through, frames waiting
    stack.callback(close_shelf, app)
    sockets = await asyncio.to_thread(bind, options.web.listen)
    for each in sockets:
        stack.callback(each.close)
    return WebServer(
        app,
        sockets,
        desk.closers,
        certificate=options.web.certificate,
        bounds=Bounds(connections=options.web.connections),
    )


def _beside(stack: AsyncExitStack, work: Coroutine[None, None, None]) -> None:
    """Have `work` done until it is unwound. Whatever ends it before is a fault of ours, and no
    reason to stop recording."""

    async def watched() -> None:
        try:
            await work
        except Exception:
            log.exception("a part of the service ended in an unforeseen way")

    task = asyncio.create_task(watched())

    async def end() -> None:
        task.cancel()
        await asyncio.wait([task])

    stack.push_async_callback(end)


def _on_signals(stop: Callable[[], object]) -> None:
    loop = asyncio.get_running_loop()

    def first(number: signal.Signals) -> None:
        loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_DFL)
        stop()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup and shells mean it
            loop.add_signal_handler(number, first, number)


def _account_wanted(desk: Desk, web: WebServer) -> bool:
    """Whether others may reach it, and there is nobody yet who may."""
    elsewhere = [host for host, _ in web.addresses if not ip_address(host).is_loopback]
    reached = elsewhere or desk.web.public_url or desk.web.trusted_proxies
    return bool(reached) and not desk.accounts.any_account()


def _policy_of(options: ServeOptions, archive: Archive) -> Policy:
    total = archive.root.room().total
    return Policy(options.keep.limits, options.keep.keep_free.of(total))


def _name(service: Service, camera: CameraId, names: dict[CameraId, str]) -> str:
    """What a camera is called, or was when it was there."""
    watched = service.cameras.get(camera)
    if watched is not None:
        names[camera] = watched.camera.name
    return names.get(camera, str(camera))
