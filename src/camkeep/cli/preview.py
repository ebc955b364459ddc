"""``camkeep record --preview``: the picture in the browser of this machine meanwhile."""

from __future__ import annotations

import os
import sys
import threading
import webbrowser
from contextlib import suppress

from camkeep.cli.common import say
from camkeep.cli.keys import Keys
from camkeep.cli.meter import Meter
from camkeep.engine.feed import Feed
from camkeep.engine.plan import Progress, Summary
from camkeep.engine.record import Recording


async def previewed(
    recording: Recording, feed: Feed, show: Meter | None, *, opens: bool
) -> Summary:
    """Run `recording`, which hands on to `feed` what it keeps, beside a page that shows it. The
    extra of the service must be there. Raises UsageError where nothing can be listened on."""
    from camkeep.server.preview import Told, open_preview

    def stop() -> None:
        recording.stop("stopped by a person")

    plan = recording.plan
    plan.check_writable()
    told = Told(recording.camera, str(plan.file(1)))
    async with open_preview(feed, told, recording.clock, stop) as preview:
        if opens and there_is_a_screen():
            open_browser(preview.url)
        say(f"the picture is at {preview.url}")

        def progress(now: Progress) -> None:
            preview.progress(now)
            if show is not None:
                show(now)

        with Keys({"q": stop, "Q": stop}) as keys:
            if keys.heard:
                say("q ends the recording")
            summary = await recording.run(progress)
        preview.ended(summary)
    return summary


def there_is_a_screen() -> bool:
    """Whether a browser would have a window. In a terminal it would take that of the recording."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def open_browser(url: str) -> None:
    """Have the browser show `url`. Some only return when they are closed: nobody waits for that."""

    def opening() -> None:
        with suppress(webbrowser.Error, OSError):  # the address stands in the terminal
            webbrowser.open(url)

    threading.Thread(target=opening, daemon=True).start()
