"""An app that has nothing to do with HawkEye, written as Slack's Bolt documentation shows it.

It knows of no local workspace: a WebClient is all that it is given.
"""

from __future__ import annotations

import re

from slack_bolt import App
from slack_sdk import WebClient


def build(client: WebClient, signing_secret: str) -> App:
    """The sample app around a client."""
    app = App(client=client, signing_secret=signing_secret)

    @app.message("hello")
    def message_hello(message, say):
        say(
            blocks=[
                {
                    "type": "section",
                    "text": {"type": "mrkdwn", "text": f"Hey there <@{message['user']}>!"},
                    "accessory": {
                        "type": "button",
                        "text": {"type": "plain_text", "text": "Click Me"},
                        "action_id": "button_click",
                    },
                }
            ],
            text=f"Hey there <@{message['user']}>!",
        )

    @app.action("button_click")
    def action_button_click(body, ack, say):
        ack()
        say(f"<@{body['user']['id']}> clicked the button")

    @app.event("app_mention")
    def mentioned(event, say):
        say(text=f"You said: {event['text']}", thread_ts=event["ts"])

    @app.command("/echo")
    def repeat_text(ack, respond, command):
        ack()
        respond(command["text"])

    @app.command("/loud")
    def loud(ack, command):
        ack(text=command["text"].upper(), response_type="in_channel")

    @app.command("/ticket")
    def open_modal(ack, body, client):
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=modal(body["channel_id"]))

    @app.view("ticket")
    def handle_submission(ack, body, client, view):
        title = view["state"]["values"]["title"]["value"]["value"]
        if len(title) < 5:
            ack(response_action="errors", errors={"title": "At least five characters, please"})
            return
        ack()
        client.chat_postMessage(
            channel=view["private_metadata"],
            text=f"<@{body['user']['id']}> opened: {title}",
        )

    @app.view_closed("ticket")
    def closed(ack, client, view):
        ack()
        client.chat_postMessage(channel=view["private_metadata"], text="Never mind.")

    @app.event("app_home_opened")
    def update_home_tab(client, event):
        client.views_publish(
            user_id=event["user"],
            view={
                "type": "home",
                "blocks": [
                    {"type": "header", "text": {"type": "plain_text", "text": "Welcome home"}}
                ],
            },
        )

    @app.shortcut("new_ticket")
    def shortcut(ack, shortcut, client):
        ack()
        client.views_open(trigger_id=shortcut["trigger_id"], view=modal(""))

    @app.shortcut("quote")
    def quote(ack, shortcut, respond):
        ack()
        respond(f"> {shortcut['message']['text']}")

    @app.options("assignee")
    def options(ack, body):
        names = [name for name in ("Ana", "Bo", "Cy") if name.startswith(body["value"])]
        ack(
            options=[
                {"text": {"type": "plain_text", "text": name}, "value": name.lower()}
                for name in names
            ]
        )

    @app.command("/poll")
    def poll(ack, respond, command):
        ack()
        names = command["text"].split()
        respond(response_type="in_channel", text="Vote!", blocks=[choices(names), closing()])

    @app.action(re.compile("vote_.*"))
    def vote(ack, respond, action, body):
        ack()
        names = [one["text"]["text"] for one in body["message"]["blocks"][0]["elements"]]
        text = f"{body['user']['username']} voted {action['value']}"
        respond(replace_original=True, text=text, blocks=[choices(names), closing()])

    @app.action("close_poll")
    def close_poll(ack, respond):
        ack()
        respond(delete_original=True)

    @app.shortcut("wizard")
    def wizard(ack, shortcut, client):
        ack()
        client.views_open(trigger_id=shortcut["trigger_id"], view=step("first", "Loading…"))

    @app.action("more")
    def more(ack, body, client):
        ack()
        shown = body["view"]
        view = step(shown["callback_id"], "More of it")
        client.views_update(view_id=shown["id"], hash=shown["hash"], view=view)

    @app.view("first")
    def first(ack):
        ack(response_action="push", view=step("second", "Nearly done"))

    @app.view("second")
    def second(ack):
        ack(response_action="clear")

    @app.event("reaction_added")
    def reacted(event, client):
        item = event["item"]
        text = f"{event['reaction']} counts, <@{event['user']}>"
        client.chat_postEphemeral(channel=item["channel"], user=event["user"], text=text)

    @app.event("member_joined_channel")
    def welcome(event, client):
        opened = client.conversations_open(users=event["user"])
        client.chat_postMessage(channel=opened["channel"]["id"], text="Welcome!")

    @app.message(re.compile("report of (\\w+)"))
    def report(context, message, client):
        name = context["matches"][0]
        client.files_upload_v2(
            channel=message["channel"],
            thread_ts=message["ts"],
            filename=f"{name}.csv",
            content="a,b",
            initial_comment="Here it is",
        )

    @app.event("message")
    def other_messages():
        pass

    return app


def modal(channel: str) -> dict:
    """The ticket modal."""
    return {
        "type": "modal",
        "callback_id": "ticket",
        "private_metadata": channel,
        "notify_on_close": True,
        "title": {"type": "plain_text", "text": "New ticket"},
        "submit": {"type": "plain_text", "text": "Open"},
        "blocks": [
            {
                "type": "input",
                "block_id": "title",
                "label": {"type": "plain_text", "text": "Title"},
                "element": {"type": "plain_text_input", "action_id": "value"},
            },
            {
                "type": "input",
                "block_id": "who",
                "optional": True,
                "label": {"type": "plain_text", "text": "Assignee"},
                "element": {"type": "external_select", "action_id": "assignee"},
            },
        ],
    }


def choices(names: list[str]) -> dict:
    """A button for each name."""
    return {
        "type": "actions",
        "elements": [
            {
                "type": "button",
                "action_id": f"vote_{name}",
                "text": {"type": "plain_text", "text": name},
                "value": name,
            }
            for name in names
        ],
    }


def closing() -> dict:
    """The button that takes a poll away."""
    button = {"type": "button", "action_id": "close_poll", "style": "danger"}
    return {
        "type": "section",
        "text": {"type": "mrkdwn", "text": "That is all."},
        "accessory": {**button, "text": {"type": "plain_text", "text": "Close"}},
    }


def step(name: str, text: str) -> dict:
    """One step of the wizard."""
    return {
        "type": "modal",
        "callback_id": name,
        "title": {"type": "plain_text", "text": "Wizard"},
        "submit": {"type": "plain_text", "text": "Next"},
        "blocks": [
            {
                "type": "section",
                "block_id": "text",
                "text": {"type": "mrkdwn", "text": text},
                "accessory": {
                    "type": "button",
                    "action_id": "more",
                    "text": {"type": "plain_text", "text": "More"},
                },
            }
        ],
    }
