"""nginx as the proxy in front of the service, with TLS, as a process of its own."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from camkeep.server.web.options import Certificate

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
needs_nginx = pytest.mark.skipif(NGINX is None, reason="needs nginx (tools/system-packages)")

CONFIG = """\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr error;
{user}
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl;
        server_name {name};
        ssl_certificate {certificate.chain};
        ssl_certificate_key {certificate.key};
{location}
    }}
}}
"""
ENDS_WITHIN_S = 10.0


@asynccontextmanager
async def nginx(
    folder: Path, name: str, certificate: Certificate, location: str
) -> AsyncIterator[int]:
    """Run it for the host `name`, with these `location` blocks; its port on 127.0.0.1."""
    assert NGINX is not None
    folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        config = folder / "nginx.conf"
        config.write_text(
            CONFIG.format(
                folder=folder,
                port=port,
                name=name,
                certificate=certificate,
                location=location,
                user="user root;" if os.geteuid() == 0 else "",  # to reach the test's folder
            )
        )
        # It takes over a socket that it inherits, as from the nginx that it is to replace: so
        # nobody else can have the port meanwhile, and whoever connects early waits in the queue.
        process = await asyncio.create_subprocess_exec(
            *(NGINX, "-p", str(folder), "-c", str(config)),
            env={**os.environ, "NGINX": f"{listening.fileno()};"},
            pass_fds=(listening.fileno(),),
            stdin=asyncio.subprocess.DEVNULL,
        )
    try:
        yield port
        assert process.returncode is None, "nginx ended"
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), ENDS_WITHIN_S)
