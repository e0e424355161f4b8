"""Puts the record of an incident into its thread, as a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from handlers import blocks as b
from handlers.conversation import Conversation
from handlers.once import passes, uncertain
from handlers.record.files import FORMATS, File
from handlers.record.material import material
from handlers.uploads import put
from handlers.whispers import Asker, whisper
from state.due import Due

log = structlog.get_logger()
IN_DOUBT = (
    "Slack did not answer when the record of {incident} was shared: it may be here already. If it "
    "is not, ask for it again."
)


@dataclass(frozen=True)
class Exports:
    """``settings`` is the path of the settings file, for the notebook."""

    client: WebClient
    conversation: Conversation
    settings: str

    def send(self, work: Due) -> None:
        """Uploads the files of a due export into the thread; whoever asked is told of a failure.

        Raises SlackApiError when Slack asks to wait, serves nobody or does not take the token,
        OSError when it does not answer: then the files are still owed.
        """
        channel, user, form = (str(work.payload[k]) for k in ("channel", "user", "form"))
        asker = Asker(user, channel, self._thread(work.incident, channel))
        try:
            files = self._files(work.incident, form, channel)
        except Exception as error:
            # Whatever went wrong, the person who waits for the file has to hear of it.
            self._failed(work, asker, error)
            return
        try:
            self._share(work.incident, files, asker)
        except (SlackApiError, OSError) as error:
            if passes(error):
                raise
            self._failed(work, asker, error)

    def _failed(self, work: Due, asker: Asker, error: Exception) -> None:
        code = error.response.get("error") if isinstance(error, SlackApiError) else error
        why = b.escape(b.clip(str(code), 200))
        text = f"The record of {work.incident} could not be exported ({why}). Try again."
        whisper(self.client, asker, text)
        log.error(
            "a record could not be exported",
            incident=work.incident,
            form=work.payload["form"],
            exc_info=error,
        )

    def _files(self, incident: str, form: str, channel: str) -> Sequence[File]:
        talk = self.conversation
        names, link, said = (
            talk.directory.name,
            talk.link(incident),
            talk.said_in(incident, channel),
        )
        m = material(talk.store, incident, talk.tree, names, link, talk.title, said)
        return FORMATS[form](m, self.settings) if m else ()

    def _share(self, incident: str, files: Sequence[File], asker: Asker) -> None:
        put_there: list[dict[str, str | None]] = [
            {"id": put(self.client, f.name, f.data), "title": f.title} for f in files
        ]
        if put_there:
            self._complete(incident, put_there, asker)

    def _complete(self, incident: str, files: list[dict[str, str | None]], asker: Asker) -> None:
        """Where it is not known whether Slack shared them, they are not shared again."""
        try:
            self.client.files_completeUploadExternal(
                files=files,
                channel_id=asker.channel,
                thread_ts=asker.thread or None,
                initial_comment=f"The record of {incident}, asked for by <@{asker.user}>.",
            )
        except (SlackApiError, OSError) as error:
            if isinstance(error, SlackApiError) and not uncertain(error):
                raise
            log.warning("a record may have been shared", incident=incident, error=str(error)[:200])
            whisper(self.client, asker, IN_DOUBT.format(incident=incident))

    def _thread(self, incident: str, channel: str) -> str:
        for place in self.conversation.store.places(incident):
            if place.channel == channel:
                return place.thread or self.conversation.outbox.message(incident, channel, "root")
        return ""
