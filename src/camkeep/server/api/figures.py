"""The page of /metrics, from what the service knows at the moment. Milliseconds for a thousand
cameras; does not wait."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from camkeep.engine.health import Health, word_of
from camkeep.engine.supervisor import Supervisor
from camkeep.model import CameraId
from camkeep.server.desk import Desk
from camkeep.server.exposition import Exposition
from camkeep.server.looplag import BOUNDS_S
from camkeep.server.process import Process, versions

STATES = ("connecting", "live", "waiting", "refused", "idle", "off")

Figure = Callable[[Health], float | None]

CAMERA_FIGURES: tuple[tuple[str, str, str, Figure], ...] = (
    ("up", "gauge", "1 where pictures come from the camera.", lambda h: word_of(h.state) == "live"),
    ("recording", "gauge", "1 where pictures are being kept.", lambda h: h.recording),
    ("frames_total", "counter", "Frames that were kept.", lambda h: h.frames),
    ("bytes_total", "counter", "Bytes that were kept.", lambda h: h.bytes),
    ("dropped_total", "counter", "Frames that could not be kept.", lambda h: h.drops),
    ("reconnects_total", "counter", "Connections after the first.", lambda h: h.reconnects),
    ("last_frame_age_seconds", "gauge", "How long ago the last frame came.", lambda h: h.age_s),
    ("fps", "gauge", "Frames a second over the last seconds.", lambda h: h.fps),
    ("bits_per_second", "gauge", "Bit rate over the last seconds.", lambda h: h.bits_per_s),
    ("viewers", "gauge", "Viewers at this moment.", lambda h: h.viewers),
    ("clock_offset_seconds", "gauge", "The camera's clock minus ours.", lambda h: h.clock_offset_s),
)


def figures(desk: Desk, process: Process, kept: Mapping[CameraId, int]) -> str:
    """The page. `kept` is how many bytes there are of each camera."""
    page = Exposition()
    _of_cameras(page, list(desk.service.cameras.values()), kept)
    _of_storage(page, desk)
    _of_service(page, desk, process)
    return page.text()


def backlog(desk: Desk) -> int:
    """Bytes of footage that wait for the disk."""
    return sum(camera.keeper.waiting_bytes for camera in desk.service.cameras.values())


def _of_cameras(page: Exposition, cameras: list[Supervisor], kept: Mapping[CameraId, int]) -> None:
    looked = [(_labels(camera), camera.health()) for camera in cameras]
    for name, kind, told, figure in CAMERA_FIGURES:
        page.family(f"camkeep_camera_{name}", kind, told)
        for labels, health in looked:
            value = figure(health)
            page.add(None if value is None else +value, **labels)
    page.family("camkeep_camera_state", "gauge", "1 for the state that the camera is in.")
    for labels, health in looked:
        for state in STATES:
            page.add(int(health.word == state), **labels, state=state)
    page.family("camkeep_camera_stored_bytes", "gauge", "What is kept of the camera.")
    for camera, (labels, _) in zip(cameras, looked, strict=True):
        page.add(kept.get(camera.camera.id), **labels)


def _labels(camera: Supervisor) -> dict[str, str]:
    return {"camera": camera.camera.id, "name": camera.camera.name}


def _of_storage(page: Exposition, desk: Desk) -> None:
    room = desk.monitor.vitals.room
    free, total = (room.free, room.total) if room is not None else (None, None)
    page.one("camkeep_disk_free_bytes", "gauge", "Room on the archive's disk.", free)
    page.one("camkeep_disk_size_bytes", "gauge", "Size of the archive's disk.", total)
    page.one("camkeep_backlog_bytes", "gauge", "Footage that waits for the disk.", backlog(desk))
    deleted = desk.service.janitor.deleted
    page.one("camkeep_deleted_segments_total", "counter", "Segments deleted for room.", deleted)
    unwell = len(desk.monitor.vitals.unwell())
    page.one("camkeep_parts_unwell", "gauge", "Parts that do not answer or work.", unwell)


def _of_service(page: Exposition, desk: Desk, process: Process) -> None:
    monitor, one = desk.monitor, page.one
    page.family("camkeep_build_info", "gauge", "Versions, in the labels.")
    page.add(1, **versions())
    one("camkeep_uptime_seconds", "gauge", "How long it has been running.", monitor.uptime_s)
    one("process_resident_memory_bytes", "gauge", "Memory.", process.memory_bytes)
    one("process_open_fds", "gauge", "Open files and sockets.", process.descriptors)
    one("process_cpu_seconds_total", "counter", "Time of the CPU.", process.cpu_s)
    one("camkeep_threads", "gauge", "Threads.", process.threads)
    page.family("camkeep_loop_lag_seconds", "histogram", "Pauses of the event loop.")
    page.histogram(BOUNDS_S, monitor.lag.counts, monitor.lag.sum_s)
    longest = monitor.lag.longest_s
    one("camkeep_loop_longest_pause_seconds", "gauge", "Of the last minute.", longest)
    page.family("camkeep_http_requests_total", "counter", "Requests that were answered.")
    for (route, method, status), count in sorted(monitor.web.requests.items()):
        page.add(count, route=route, method=method, status=status)
    one("camkeep_http_open", "gauge", "Requests that are being answered.", monitor.web.open)
    viewers = desk.live.viewers
    one("camkeep_viewers", "gauge", "Viewers of live pictures at this moment.", len(viewers))
    page.family("camkeep_viewers_total", "counter", "Viewers that came.")
    for kind, came in sorted(viewers.began.items()):
        page.add(came, kind=kind)
    sent, skipped = viewers.total_bytes(), viewers.total_skipped()
    one("camkeep_viewer_bytes_total", "counter", "Sent to viewers.", sent)
    told = "Frames that viewers were too slow for."
    one("camkeep_viewer_skipped_frames_total", "counter", told, skipped)
    decoders = desk.live.pictures.workers
    one("camkeep_picture_decoders", "gauge", "Child processes that decode pictures.", decoders)
    refused = monitor.web.refused_logins
    one("camkeep_login_failures_total", "counter", "Logins that were refused.", refused)
    journal = desk.journal
    one("camkeep_events_dropped_total", "counter", "Events not written down.", journal.dropped)
