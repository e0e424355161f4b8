"""Puts the record of an incident into its thread, as a file."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from handlers.conversation import Conversation
from handlers.record.files import FORMATS
from handlers.record.material import material
from handlers.uploads import put
from state.due import Due

log = structlog.get_logger()


@dataclass(frozen=True)
class Exports:
    """``settings`` is the path of the settings file, for the notebook."""

    client: WebClient
    conversation: Conversation
    settings: str

    def send(self, work: Due) -> None:
        """Uploads the files of a due export into the thread; whoever asked is told of a failure."""
        channel, user, form = (str(work.payload[k]) for k in ("channel", "user", "form"))
        thread = self._thread(work.incident, channel)
        try:
            self._share(work.incident, form, channel, thread, user)
        except Exception as error:
            # Whatever went wrong, the person who waits for the file has to hear of it.
            code = error.response.get("error") if isinstance(error, SlackApiError) else error
            text = f"The record of {work.incident} could not be exported ({code}). Try again."
            self.client.chat_postEphemeral(
                channel=channel, user=user, text=text, thread_ts=thread or None
            )
            log.exception("a record could not be exported", incident=work.incident, form=form)

    def _share(self, incident: str, form: str, channel: str, thread: str, user: str) -> None:
        talk = self.conversation
        names, link, said = (
            talk.directory.name,
            talk.link(incident),
            talk.said_in(incident, channel),
        )
        m = material(talk.store, incident, talk.tree, names, link, talk.title, said)
        if m is None:
            return
        files = FORMATS[form](m, self.settings)
        put_there: list[dict[str, str | None]] = [
            {"id": put(self.client, f.name, f.data), "title": f.title} for f in files
        ]
        self.client.files_completeUploadExternal(
            files=put_there,
            channel_id=channel,
            thread_ts=thread or None,
            initial_comment=f"The record of {incident}, asked for by <@{user}>.",
        )

    def _thread(self, incident: str, channel: str) -> str:
        for place in self.conversation.store.places(incident):
            if place.channel == channel:
                return place.thread or self.conversation.outbox.message(incident, channel, "root")
        return ""
