"""Run by the system's Python, which has GStreamer: an RTSP server as the JSON on stdin wants it.

Prints "port N" when it listens, and ends when stdin is closed.
"""

import json
import os
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gio, GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402


def main():
    wanted = json.loads(sys.stdin.readline())
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")
    if wanted["login"] or wanted["certificate"]:
        server.set_auth(authentication(wanted))
    if wanted["session_timeout_s"]:
        limit = wanted["session_timeout_s"]
        server.connect(
            "client-connected",
            lambda _, client: client.connect("new-session", lambda _, s: s.set_timeout(limit)),
        )
    for path, launch in wanted["mounts"].items():
        server.get_mount_points().add_factory(path, factory(launch, bool(wanted["login"])))
    server.attach(None)
    print("port", server.get_bound_port(), flush=True)
    GLib.unix_fd_add_full(0, 0, GLib.IOCondition.IN | GLib.IOCondition.HUP, lambda *_: os._exit(0))
    GLib.timeout_add_seconds(2, expire, server)
    GLib.MainLoop().run()


def expire(server):
    server.get_session_pool().cleanup()
    return True


def authentication(wanted):
    auth = GstRtspServer.RTSPAuth()
    if wanted["certificate"]:
        auth.set_tls_certificate(Gio.TlsCertificate.new_from_file(wanted["certificate"]))
    if wanted["login"]:
        scheme, user, password = wanted["login"]
        token = GstRtspServer.RTSPToken()
        token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, "user")
        if scheme == "basic":
            auth.set_supported_methods(GstRtsp.RTSPAuthMethod.BASIC)
            auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
        else:
            auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
            auth.add_digest(user, password, token)
    else:
        anybody = GstRtspServer.RTSPToken()
        anybody.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, "user")
        auth.set_default_token(anybody)
    return auth


def factory(launch, guarded):
    made = GstRtspServer.RTSPMediaFactory()
    made.set_launch(launch)
    role = Gst.Structure.new_from_string(
        "user, media.factory.access=(boolean)true, media.factory.construct=(boolean)true"
    )
    made.add_role_from_structure(role)
    return made


main()
