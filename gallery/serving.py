"""uvicorn, made to say when the gallery is open and to end without a trace of complaint."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import FrameType

import uvicorn
from fastapi import FastAPI

from engines import runtime
from gallery import limits


class Server(uvicorn.Server):
    """Prints one sentence when it is open."""

    def __init__(self, config: uvicorn.Config, sentence: str) -> None:
        super().__init__(config)
        self.sentence = sentence

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """At the first signal end all runs, so that open streams close by themselves and the engine is not missed."""
        if not self.should_exit:
            threading.Thread(target=runtime.stop, name="stop the engine").start()
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            print(self.sentence, flush=True)


def serve(app: FastAPI, listening: socket.socket, base: str, sentence: str) -> None:
    """Serve until Ctrl-C or SIGTERM; the application's lifespan then ends the engine."""
    config = uvicorn.Config(app, log_level="warning", log_config=None, access_log=False, root_path=base, server_header=False,
                            timeout_graceful_shutdown=limits.SHUTDOWN_SECONDS)
    with contextlib.suppress(KeyboardInterrupt):        # raised anew once all is closed: there is nothing left to do
        Server(config, sentence).run(sockets=[listening])
