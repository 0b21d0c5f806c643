"""What `python -m gallery` does, one function for each command; each returns the exit status."""

from __future__ import annotations

import argparse
import json
import logging
import socket
import sys

from gallery import catalog


def run(options: argparse.Namespace) -> int:
    try:
        listening = listen(options.host, options.port)
    except OSError as error:
        print(why_not(options.host, options.port, error), file=sys.stderr)
        return 2
    from gallery.server import create_app
    from gallery.serving import serve
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        app = create_app(only=options.only, engine=options.engine, base=options.base)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    base = options.base.rstrip("/")
    serve(app, listening, base, f"The gallery is open at http://{shown(options.host)}:{options.port}{base}")
    return 0


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to the address. Raises OSError when it is taken or not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    if sys.platform != "win32":         # there it would let two programs share one port
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(512)
    except (OSError, OverflowError) as error:
        listening.close()
        raise OSError(getattr(error, "errno", None), str(error)) from error
    return listening


def why_not(host: str, port: int, error: OSError) -> str:
    import errno
    if not 0 < port < 65536:
        return f"Port {port} is no port: choose one from 1 to 65535 with --port."
    if error.errno in (errno.EADDRINUSE, 10048):
        return (f"Port {port} is taken by another program, perhaps another gallery: "
                f"choose one with make run PORT={port + 1}, or python -m gallery run --port {port + 1}.")
    if error.errno in (errno.EACCES, errno.EPERM, 10013):
        return f"This user may not open port {port}: choose one above 1023 with --port."
    return f"The address {host} port {port} cannot be opened ({error.strerror or error}): choose others with --host and --port."


def shown(host: str) -> str:
    """The address to type into a browser."""
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)


def list(options: argparse.Namespace) -> int:
    entries = catalog.entries()
    if options.json:
        print(json.dumps([{"slug": entry.slug, "title": entry.title, "works": entry.works, "faults": entry.faults}
                          for entry in entries]))
        return 0
    for entry in entries:
        print(f"{entry.slug:28} {entry.title}")
    return 0
