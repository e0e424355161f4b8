"""A table of the settings, as a value."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

All = Literal["all"]
Names = tuple[str, ...]
Url = Annotated[str, Field(pattern=r"^https?://[^\s/]+", examples=["https://deploy.example/undo"])]


class Section(BaseModel):
    """A table of the settings: frozen, and a key that it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
