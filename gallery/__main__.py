"""The command line: python -m gallery [run | list | check | doctor]."""

from __future__ import annotations

import argparse
import sys

from gallery import VERSION

EXAMPLES = """\
examples:
  python -m gallery                      open the gallery on http://127.0.0.1:7860
  python -m gallery run --port 8000      the same on another port
  python -m gallery run --host 0.0.0.0   let other machines in the same network visit
  python -m gallery list                 the demos there are
  python -m gallery check                does every demo keep its promises?
  python -m gallery doctor               is this machine ready, and what to do if not
"""


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m gallery", epilog=EXAMPLES,
                                  description="Generative AI, hands on: ten milestones, each one a model you can move.",
                                  formatter_class=argparse.RawDescriptionHelpFormatter)
    top.add_argument("--version", action="version", version=f"gallery {VERSION}")
    commands = top.add_subparsers(dest="command", metavar="command")
    run = commands.add_parser("run", help="show the gallery in a browser (what happens without a command)")
    run.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s, this machine only)")
    run.add_argument("--port", type=int, default=7860, help="port to listen on (default: %(default)s)")
    run.add_argument("--base", default="", metavar="PATH",
                     help="path prefix under which a proxy shows the gallery, for example /gallery")
    run.add_argument("--only", metavar="DEMO", help="show this one demo and nothing else")
    run.add_argument("--engine", choices=("process", "thread"), default="process",
                     help="where the models live: a process of their own (default), or a thread of this one")
    listing = commands.add_parser("list", help="list the demos")
    listing.add_argument("--json", action="store_true", help="as JSON")
    check = commands.add_parser("check", help="check every demo against the contract, one fault on a line")
    check.add_argument("demo", nargs="*", help="only these")
    commands.add_parser("doctor", help="look at Python, torch, device, memory, disk and models, and say what to do")
    return top


def main(arguments: list[str] | None = None) -> int:
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0].startswith("-") and given[0] not in ("-h", "--help", "--version"):
        given.insert(0, "run")
    options = parser().parse_args(given)
    from gallery import commands
    return getattr(commands, {"list": "list_demos"}.get(options.command, options.command))(options)


if __name__ == "__main__":
    sys.exit(main())
