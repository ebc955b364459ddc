"""``camkeep simulate easyn|mjpeg``."""

from __future__ import annotations

import argparse
import asyncio
import re
import signal
import time
from pathlib import Path

from camkeep.cameras.simulate import Kind, Simulator, SimulatorOptions, parse_fault
from camkeep.cameras.simulate.options import LOGINS
from camkeep.cli.common import first_line, frames_a_second, say
from camkeep.errors import UsageError

_MEASURES = {
    "every": "on every frame, or with :N on one frame in N",
    "after": "with :N after N frames",
    "seconds": "with :N for N seconds",
    "none": "from the beginning",
}


class _ListFaults(argparse.Action):
    """``--list-faults`` prints them and ends, as ``--help`` does."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        for measure, meaning in _MEASURES.items():
            say(f"{meaning}:")
            for kind in Kind:
                if kind.measure == measure:
                    say(f"  {kind.code:22} {kind.what}")
        parser.exit()


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "simulate",
        help="be a camera, to try things on",
        description="Be a camera: a real HTTP server that sends a moving test card, and does "
        "wrong what cameras do wrong. It ends with Ctrl-C.",
    )
    parser.add_argument("kind", choices=("easyn", "mjpeg"), help="what kind of camera to be")
    parser.add_argument("--port", type=int, default=8081, help="where to listen (8081; 0: any)")
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="which address to listen on (127.0.0.1: this machine only; 0.0.0.0: all networks)",
    )
    picture = parser.add_argument_group("the picture")
    picture.add_argument(
        "--size", metavar="WxH", type=_size, default=(640, 480), help="its size (640x480)"
    )
    picture.add_argument(
        "--fps", metavar="RATE", type=frames_a_second, default=25.0, help="frames a second (25)"
    )
    picture.add_argument(
        "--jitter", metavar="LOW-HIGH", type=_span, help="let the rate wander, as 3-30"
    )
    picture.add_argument(
        "--deliver",
        metavar="PART",
        type=float,
        default=1.0,
        help="send only this part of the rate that was promised, as 0.5",
    )
    login = parser.add_argument_group("login")
    login.add_argument("--user", metavar="NAME", default="", help="who may log in (everybody)")
    login.add_argument(
        "--password-file", metavar="FILE", type=Path, help="its first line is the password"
    )
    login.add_argument("--login", choices=LOGINS, help="how the camera wants the login")
    model = parser.add_argument_group("the model")
    model.add_argument(
        "--dialect",
        choices=("A", "B"),
        default="A",
        help="of EasyN: A is Netwave (A), B later clones",
    )
    model.add_argument(
        "--certificate", metavar="FILE", type=Path, help="PEM with certificate and key: TLS"
    )
    model.add_argument(
        "--discovery",
        metavar="PORT",
        type=int,
        help="answer the search for EasyN cameras on this UDP port (they use 10000)",
    )
    wrong = parser.add_argument_group("what it does wrong")
    wrong.add_argument(
        "--fault",
        metavar="NAME[:N]",
        action="append",
        default=[],
        help="do something wrong; may be given more than once",
    )
    wrong.add_argument(
        "--list-faults", action=_ListFaults, nargs=0, help="show what can go wrong, and end"
    )
    wrong.add_argument("--seed", type=int, default=1, help="of everything random (1)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Be the camera until somebody ends it."""
    for port in (args.port, args.discovery or 0):
        if not 0 <= port <= 65535:
            raise UsageError("a port is a number from 0 to 65535")
    options = SimulatorOptions(
        width=args.size[0],
        height=args.size[1],
        fps=args.fps,
        deliver=args.deliver,
        jitter=args.jitter,
        user=args.user,
        password=_password(args),
        login=args.login,
        dialect=args.dialect,
        certificate=args.certificate,
        faults=frozenset(parse_fault(text) for text in args.fault),
        discovery_port=args.discovery,
        seed=args.seed,
    )
    asyncio.run(_serve(Simulator(args.kind, options, args.host, args.port, _say)))
    return 0


async def _serve(simulator: Simulator) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with simulator:
        _introduce(simulator)
        await ended.wait()
    say("\nended")


def _introduce(simulator: Simulator) -> None:
    options = simulator.options
    rate = f"{options.fps:g} fps"
    if options.jitter is not None:
        rate = f"{options.jitter[0]:g} to {options.jitter[1]:g} fps"
    elif options.deliver < 1:
        rate = f"{options.fps * options.deliver:g} fps, promising {options.fps:g}"
    kind = f"EasyN camera (dialect {options.dialect})"
    if simulator.kind == "mjpeg":
        kind = "MJPEG camera"
    say(f"{kind}, {options.width}x{options.height}, {rate}")
    say(f"  stream    {simulator.stream_url}")
    say(f"  snapshot  {simulator.snapshot_url}")
    for fault in sorted(options.faults, key=lambda fault: fault.kind.code):
        say(f"  fault     {fault}")
    say("try it:")
    login = f" --user {options.user}" if options.user else ""
    say(f"  camkeep record {simulator.url} birds.mp4 --duration 10s{login}")
    say("Ctrl-C ends it.")


def _say(line: str) -> None:
    say(f"{time.strftime('%H:%M:%S')}  {line}")


def _password(args: argparse.Namespace) -> str:
    if args.password_file is None:
        return ""
    if not args.user:
        raise UsageError("--password-file needs a --user")
    return first_line(args.password_file)


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text, re.ASCII)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no size: write 640x480")
    return int(found[1]), int(found[2])


def _span(text: str) -> tuple[float, float]:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)", text, re.ASCII)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no span of rates: write 3-30")
    return float(found[1]), float(found[2])
