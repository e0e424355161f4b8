"""What people do besides using apps: speak, edit, react, share files, come and go."""

from __future__ import annotations

from dataclasses import dataclass

from bot.workspace import conversations, events, files, messages
from bot.workspace.compose import linked
from bot.workspace.model import Channel, Message, SlackError, StoredFile, User
from bot.workspace.state import State


@dataclass
class People(State):
    """A workspace whose people can talk. ``user`` is a value, an id, a handle or a full name."""

    # Speaking

    def say(
        self, user: str | User, channel: str, text: str, thread_ts: str | None = None
    ) -> Message:
        """Post a message as a person. ``@Name`` becomes a mention.

        Raises:
            SlackError: not_in_channel, is_archived, no_text, msg_too_long, thread_not_found.
        """
        person, place = self._person(user), self.channel(channel)
        self._may_write(person, place)
        if not text.strip():
            raise SlackError("no_text")
        if len(text) > 40_000:
            raise SlackError("msg_too_long")
        if thread_ts and thread_ts not in place.messages:
            raise SlackError("thread_not_found")
        return messages.post(
            self,
            Message(
                channel=place.id,
                ts=self.new_ts(),
                user=person.id,
                text=linked(self, text),
                thread_ts=thread_ts,
            ),
        )

    def _may_write(self, person: User, channel: Channel) -> None:
        if channel.is_archived:
            raise SlackError("is_archived")
        if person.id not in channel.members:
            raise SlackError("not_in_channel")

    def _person(self, user: str | User) -> User:
        return user if isinstance(user, User) else self.user_named(user)

    def edit_own(self, user: str | User, channel: str, ts: str, text: str) -> Message:
        """Change one's own message.

        Raises:
            SlackError: message_not_found, cant_update_message.
        """
        message = self.message(channel, ts)
        if message.user != self._person(user).id or message.ephemeral_to:
            raise SlackError("cant_update_message")
        return messages.edit(self, message, mark=True, text=linked(self, text))

    def delete_own(self, user: str | User, channel: str, ts: str) -> None:
        """Delete one's own message.

        Raises:
            SlackError: message_not_found, cant_delete_message.
        """
        message = self.message(channel, ts)
        if message.user != self._person(user).id or message.ephemeral_to:
            raise SlackError("cant_delete_message")
        messages.delete(self, message)

    def remove(self, channel: str, ts: str) -> None:
        """Delete anybody's message, as an administrator may.

        Raises:
            SlackError: message_not_found.
        """
        messages.delete(self, self.message(channel, ts))

    def archive(self, channel: str, *, on: bool = True) -> None:
        """Archive a channel, or bring it back, as an administrator."""
        conversations.archive(self, self.channel(channel), on=on)

    def dismiss(self, user: str | User, channel: str, ts: str) -> None:
        """Dismiss an ephemeral message."""
        message = self.message(channel, ts)
        if message.ephemeral_to != self._person(user).id:
            raise SlackError("message_not_found")
        messages.delete(self, message)

    def react(
        self, user: str | User, channel: str, ts: str, name: str, *, remove: bool = False
    ) -> None:
        """Add or take back a reaction, ``name`` without colons."""
        act = messages.unreact if remove else messages.react
        act(self, self.message(channel, ts), self._person(user).id, name.strip(":"))

    def upload(
        self,
        user: str | User,
        channel: str,
        name: str,
        data: bytes,
        thread_ts: str | None = None,
    ) -> Message:
        """Share a file as a person."""
        person, place = self._person(user), self.channel(channel)
        self._may_write(person, place)
        file = self.attach(person, name, data)
        message = Message(channel=place.id, ts=self.new_ts(), user=person.id, thread_ts=thread_ts)
        return files.share(self, [file], message)

    def attach(self, user: str | User, name: str, data: bytes) -> StoredFile:
        """Upload a file without sharing it yet, as for a modal's file input."""
        person = self._person(user)
        file = files.announce(self, name=name, length=len(data), user=person.id, app=None)
        files.receive(self, file, data)
        files.complete(self, file, name)
        return file

    # Conversations

    def join(self, user: str | User, channel: str) -> None:
        """Join a public channel."""
        conversations.join(self, self.channel(channel), self._person(user).id)

    def leave(self, user: str | User, channel: str) -> None:
        """Leave a channel."""
        conversations.leave(self, self.channel(channel), self._person(user).id)

    def invite(self, user: str | User, channel: str, guest: str | User) -> None:
        """Bring somebody, or an app's bot, into a channel."""
        person, place = self._person(user), self.channel(channel)
        if person.id not in place.members:
            raise SlackError("not_in_channel")
        conversations.join(self, place, self._person(guest).id, person.id)

    def direct_message(self, user: str | User, other: str | User) -> Channel:
        """The direct message between two users."""
        pair = [self._person(user).id, self._person(other).id]
        return conversations.direct(self, pair)[0]

    def ask_assistant(self, user: str | User, app_id: str, text: str = "") -> Message:
        """Start a thread with an app's assistant; its first message, or what was asked.

        Sends assistant_thread_started, then the question as a message of the thread.
        """
        person, app = self._person(user), self.app(app_id)
        place = self.direct_message(person, app.user_id)
        opened = messages.as_app(self, app.id, place.id, text="New Assistant Thread")
        opened.subtype = "assistant_app_thread"
        messages.post(self, opened)
        events.assistant_started(self, app, person.id, opened)
        return self.say(person, place.id, text, opened.ts) if text else opened

    def mark_read(self, user: str | User, channel: str) -> None:
        """Mark a channel as read."""
        conversations.mark_read(self, self.channel(channel), self._person(user).id)
