"""Who may know what of an incident, and where it is shown."""

from __future__ import annotations

from datetime import tzinfo

from handlers.directory import Directory
from handlers.reading import to_people
from state.outbox import Outbox, Resting
from state.said import Said, Sayings
from state.store import Store


class Readers:
    """What Slack's directory says of those who may read an incident's places."""

    store: Store
    outbox: Outbox
    sayings: Sayings
    directory: Directory

    def link(self, incident_id: str) -> str:
        """A permalink to the incident's thread; "" while Slack does not have it."""
        return str(self.store.settings(f"link:{incident_id}") or "")

    def resting(self, incident_id: str = "") -> list[Resting]:
        """Messages that could not be sent, of one incident or of all."""
        return self.outbox.resting(incident_id)

    def said(self, incident_id: str, user: str) -> list[Said]:
        """What people told each other in those of its threads that this person can read."""
        found = self._told(incident_id)
        return [s for s in found if self.directory.may_read(s.channel, user)]

    def said_in(self, incident_id: str, channel: str) -> list[Said]:
        """What may be shown to everybody in a channel: what was written there, or in public."""
        public = self.directory.is_public
        found = self._told(incident_id)
        return [s for s in found if s.channel == channel or public(s.channel)]

    def _told(self, incident_id: str) -> list[Said]:
        return to_people(self.sayings.of(incident_id), self.directory.me()["user_id"])

    def may_read(self, channel: str, user: str) -> bool:
        """Whether a person can read a channel."""
        return self.directory.may_read(channel, user)

    def may_see(self, incident_id: str, user: str) -> bool:
        """Whether somebody may know of an incident: it is theirs, or shown where they can read."""
        incident = self.store.load(incident_id)
        if incident is None:
            return False
        concerned = {incident.owner, incident.alert.by, *(h.to for h in incident.handoffs)}
        return user in concerned or any(
            self.directory.may_read(place.channel, user) for place in self.store.places(incident_id)
        )

    def may_tell(self, incident_id: str, thread_of: str, channel: str) -> bool:
        """Whether an incident may be spoken of in the thread of another one: whoever reads that
        can read one of its own channels as well."""
        there = self._place_of(thread_of, channel)
        own = [place.channel for place in self.store.places(incident_id)]
        return there in own or any(map(self.directory.is_public, own))

    def _place_of(self, incident_id: str, channel: str) -> str:
        """Where an answer goes: where it was asked, if the incident is shown there."""
        places = [place.channel for place in self.store.places(incident_id)]
        return channel if channel in places else places[0]

    def present(self, channel: str) -> bool:
        """Whether the bot can post in that channel."""
        return self.directory.present(channel)

    def open_to_all(self, channel: str) -> bool:
        """Whether the bot can join that channel by itself."""
        return self.directory.open_to_all(channel)

    def zone(self, user: str) -> tzinfo:
        """The zone in which that person reads clocks."""
        return self.directory.zone(user)
