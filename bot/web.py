"""An HTTP server in a thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import uvicorn
    from starlette.routing import BaseRoute


@dataclass
class Web:
    """Serves ``routes``. Port 0 takes a free one; ``url`` tells which."""

    routes: Sequence[BaseRoute]
    host: str
    port: int
    _server: uvicorn.Server = field(init=False)
    _thread: threading.Thread | None = None

    def __post_init__(self) -> None:
        import uvicorn
        from starlette.applications import Starlette

        config = uvicorn.Config(
            Starlette(routes=list(self.routes)),
            host=self.host,
            port=self.port,
            log_level="warning",
            lifespan="off",
        )
        self._server = uvicorn.Server(config)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self.host}:{self.port}"

    def start(self) -> None:
        """Listen; returns when it does. Raises OSError when the port is taken."""
        self._thread = threading.Thread(target=self._server.run, name="hawkeye-web", daemon=True)
        self._thread.start()
        for _ in range(200):
            if self._server.started:
                break
            if not self._thread.is_alive():
                raise OSError(
                    f"Nothing can listen on {self.host}:{self.port}; is another bot running? "
                    "Choose another `[slack] port`."
                )
            time.sleep(0.05)
        sockets = [s for server in self._server.servers for s in server.sockets]
        self.port = sockets[0].getsockname()[1] if sockets else self.port

    def stop(self) -> None:
        """Stop listening."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(timeout=10)
