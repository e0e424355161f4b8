"""The simulated clock, shown and set from the workspace's page."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

if TYPE_CHECKING:
    from bot.demo import Clock

SPEEDS = {"1": 1.0, "60": 60.0, "1440": 1440.0}


def clock_routes(clock: Clock) -> list[BaseRoute]:
    """``GET /demo/clock`` tells the time and what can be done to it; POST does it."""

    async def show(_: Request) -> Response:
        return JSONResponse(
            {
                "now": clock.now().isoformat(),
                "speed": clock.speed,
                "label": f"{clock.now():%a %d %b %Y, %H:%M} UTC"
                + (", where the demo's data end" if clock.ended else ""),
                "controls": [
                    {"label": "real time", "post": "/demo/clock/speed/1"},
                    {"label": "1 h a minute", "post": "/demo/clock/speed/60"},
                    {"label": "1 day a minute", "post": "/demo/clock/speed/1440"},
                    {"label": "+1 h", "post": "/demo/clock/advance/1"},
                ],
            }
        )

    async def speed(request: Request) -> Response:
        wanted = SPEEDS.get(request.path_params["speed"])
        if wanted is None:
            return JSONResponse({"error": f"speeds are {', '.join(SPEEDS)}"}, status_code=400)
        clock.set_speed(wanted)
        return await show(request)

    async def advance(request: Request) -> Response:
        clock.advance(timedelta(hours=min(24, max(0, request.path_params["hours"]))))
        return await show(request)

    return [
        Route("/demo/clock", show),
        Route("/demo/clock/speed/{speed}", speed, methods=["POST"]),
        Route("/demo/clock/advance/{hours:int}", advance, methods=["POST"]),
    ]
