"""What `python -m gallery` does, one function for each command; each returns the exit status."""

from __future__ import annotations

import argparse
import errno
import json
import logging
import os
import socket
import sys

from engines.runtime import VisitorError, hub
from gallery import catalog


# --- run ---------------------------------------------------------------------------------------------------------

def run(options: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM. 2 when the address cannot be opened or there is no such demo."""
    base = "/" + options.base.strip("/") if options.base.strip("/") else ""
    try:
        listening = listen(options.host, options.port)
    except OSError as error:
        print(why_not(options.host, options.port, error), file=sys.stderr)
        return 2
    if not local(options.host):         # strangers may take what the rooms offer; the host may say otherwise
        os.environ.setdefault(hub.POLICY, "curated")
    from gallery.server import create_app
    from gallery.serving import serve
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        hub.policy()
        app = create_app(only=options.only, engine=options.engine, base=base)
    except (ValueError, VisitorError) as error:
        listening.close()
        print(error, file=sys.stderr)
        return 2
    serve(app, listening, base, f"The gallery is open at http://{shown(options.host)}:{options.port}{base}")
    return 0


def local(host: str) -> bool:
    """Whether nobody but this machine can reach an address."""
    return host in ("localhost", "::1") or host.startswith("127.")


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to the address. Raises OSError when it is taken or not ours to open."""
    if not 0 < port < 65536:
        raise OSError(errno.EINVAL, "no such port")
    # Named TCP: asyncio sends small answers at once (TCP_NODELAY) only on what says that it is, else after 40 ms.
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if sys.platform != "win32":         # there it would let two programs share one port
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(512)
    except OSError:
        listening.close()
        raise
    return listening


def why_not(host: str, port: int, error: OSError) -> str:
    """One sentence: what is wrong with the address, and what to do. The 10,000s are Windows' numbers."""
    if not 0 < port < 65536:
        return f"{port} is no port: choose one from 1 to 65535 with --port."
    if error.errno in (errno.EADDRINUSE, 10048):
        free = port + 1 if port < 65535 else 7860
        return (f"Port {port} is taken by another program, perhaps another gallery: choose another with "
                f"`make run PORT={free}` or `python -m gallery run --port {free}`.")
    if error.errno in (errno.EACCES, errno.EPERM, 10013):
        return f"This user may not open port {port}: choose one above 1023 with --port."
    return (f"The address {host}, port {port}, cannot be opened ({error.strerror or error}): "
            "choose another with --host and --port.")


def shown(host: str) -> str:
    """The host to type into a browser on this machine."""
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)


# --- list, check, doctor -----------------------------------------------------------------------------------------

def list_demos(options: argparse.Namespace) -> int:
    entries = catalog.entries()
    if options.json:
        print(json.dumps([_described(entry) for entry in entries], ensure_ascii=False, indent=2))
        return 0
    for entry in entries:
        year = next((str(door.milestone.year) for door in catalog.hang(entries)[0] if door.entry is entry), "    ")
        print(f"{year}  {entry.slug:26}  {entry.title}" + ("" if entry.works else "  (closed: " + entry.faults[0] + ")"))
    return 0


def _described(entry: catalog.Entry) -> dict[str, object]:
    demo = entry.demo
    described: dict[str, object] = {"slug": entry.slug, "title": entry.title, "works": entry.works,
                                    "faults": list(entry.faults), "address": f"/demo/{entry.slug}/"}
    if demo:
        described |= {"milestone": demo.milestone, "sentence": demo.sentence, "framework": demo.framework,
                      "tags": list(demo.tags), "models": list(demo.models),
                      "scenes": [{"title": scene.title, "look": scene.look, "address": f"/demo/{entry.slug}/{scene.url()}"}
                                 for scene in demo.scenes]}
    return described


def check(options: argparse.Namespace) -> int:
    """One fault on a line. 1 when there is any."""
    slugs = options.demo or [entry.slug for entry in catalog.entries()]
    found = 0
    for slug in slugs:
        faults = catalog.check(slug)
        found += len(faults)
        for fault in faults:
            print(f"{slug}: {fault}")
    print(f"{len(slugs)} demo{'s' * (len(slugs) != 1)} checked, {found or 'no'} fault{'s' * (found != 1)}.")
    return 1 if found else 0


def doctor(options: argparse.Namespace) -> int:
    """One finding on a line, each with what to do. 1 when something keeps the gallery from working."""
    from gallery.doctor import examine
    findings = examine()
    for finding in findings:
        print(f"{finding.mark}  {finding.what:14} {finding.found}" + (f"\n   {'':14} -> {finding.remedy}" if finding.remedy else ""))
    return 1 if any(finding.mark == "NO" for finding in findings) else 0
