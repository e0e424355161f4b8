"""Block Kit checks against the limits and examples of Slack's documentation.

Every limit is tested at its edge: what is just allowed passes, one more is reported at its place.
"""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.models import blocks as models

from handlers.blockkit import problems, problems_of_view


def plain(text="x"):
    """A plain_text object."""
    return {"type": "plain_text", "text": text}


def md(text="x"):
    """A mrkdwn object."""
    return {"type": "mrkdwn", "text": text}


def option(value="v", text="x"):
    """An option."""
    return {"text": plain(text), "value": value}


def button(**more):
    """A button."""
    return {"type": "button", "text": plain(), "action_id": "a", **more}


def actions(*elements):
    """An actions block."""
    return {"type": "actions", "elements": list(elements)}


def section(**more):
    """A section with text."""
    return {"type": "section", "text": md(), **more}


def inputs(element, **more):
    """An input block."""
    return {"type": "input", "label": plain(), "element": element, **more}


def select(**more):
    """A static select."""
    return {"type": "static_select", "action_id": "a", "options": [option()], **more}


def confirm(**more):
    """A confirmation dialog."""
    return {"title": plain(), "text": plain(), "confirm": plain(), "deny": plain(), **more}


def table(rows, columns, **more):
    """A table of that size."""
    row = [{"type": "raw_text", "text": "x"}] * columns
    return {"type": "table", "rows": [row] * rows, **more}


def rich(text="x"):
    """A rich_text block of one sentence."""
    inner = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "elements": [inner]}


def chart(series=1, points=2, **more):
    """A native bar chart."""
    labels = [f"d{number}" for number in range(points)]
    data = [{"label": label, "value": 1} for label in labels]
    body = {
        "type": "bar",
        "series": [{"name": f"s{number}", "data": data} for number in range(series)],
        "axis_config": {"categories": labels},
    }
    return {"type": "data_visualization", "title": "t", "chart": body, **more}


IMAGE = {"type": "image", "image_url": "https://a.example/x.png", "alt_text": "x"}
VIDEO = {
    "type": "video",
    "title": plain(),
    "alt_text": "x",
    "video_url": "https://a.example/v",
    "thumbnail_url": "https://a.example/t",
}

GOOD = [
    section(),
    section(fields=[md()] * 10),
    {"type": "section", "fields": [md("x" * 2000)]},
    section(accessory=button(url="https://a.example")),
    section(accessory={**IMAGE}),
    section(text=md("x" * 3000), expand=True),
    {"type": "header", "text": plain("x" * 150)},
    {"type": "divider", "block_id": "b" * 255},
    {"type": "context", "elements": [md(), plain(), IMAGE] * 3 + [md()]},
    actions(*[button(action_id=str(number)) for number in range(25)]),
    actions(button(style="primary", value="x" * 2000, confirm=confirm(style="danger"))),
    actions({"type": "overflow", "options": [{**option(), "url": "https://a.example"}] * 5}),
    actions(select(options=[option(str(number)) for number in range(100)])),
    actions(select(initial_option=option(), placeholder=plain("x" * 150))),
    actions({"type": "external_select", "action_id": "a", "min_query_length": 0}),
    actions({"type": "multi_users_select", "action_id": "a", "max_selected_items": 2}),
    actions({"type": "conversations_select", "filter": {"include": ["im"]}}),
    actions({"type": "datepicker", "initial_date": "2013-12-31"}),
    actions({"type": "timepicker", "initial_time": "23:59", "timezone": "Europe/Paris"}),
    actions({"type": "datetimepicker", "initial_date_time": 1388534399}),
    actions({"type": "checkboxes", "options": [{"text": md("*x*"), "value": "v"}]}),
    actions({"type": "radio_buttons", "options": [option()], "initial_option": option()}),
    actions({"type": "rich_text_input", "action_id": "a", "initial_value": rich()}),
    actions(
        {
            "type": "workflow_button",
            "text": plain(),
            "workflow": {"trigger": {"url": "https://slack.com/shortcuts/x"}},
        }
    ),
    IMAGE,
    {"type": "image", "slack_file": {"id": "F1"}, "alt_text": "x" * 2000, "title": plain()},
    inputs({"type": "plain_text_input", "min_length": 0, "max_length": 3000}, hint=plain()),
    inputs({"type": "number_input", "is_decimal_allowed": False, "min_value": "1"}),
    inputs({"type": "email_text_input", "dispatch_action_config": {}}, optional=True),
    inputs({"type": "url_text_input"}, dispatch_action=True),
    rich(),
    {
        "type": "rich_text",
        "elements": [
            {
                "type": "rich_text_list",
                "style": "bullet",
                "elements": [
                    {
                        "type": "rich_text_section",
                        "elements": [
                            {"type": "user", "user_id": "U1"},
                            {"type": "emoji", "name": "wave"},
                            {"type": "link", "url": "https://a.example", "style": {"bold": True}},
                        ],
                    }
                ],
            },
            {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "x"}]},
        ],
    },
    {"type": "markdown", "text": "x" * 12_000},
    table(100, 20),
    table(2, 2, column_settings=[None, {"align": "right", "is_wrapped": True}]),
    {"type": "table", "rows": [[rich()]]},
    chart(series=12, points=20),
    {"type": "file", "external_id": "e", "source": "remote"},
    VIDEO,
    {
        "type": "context_actions",
        "elements": [
            {
                "type": "feedback_buttons",
                "action_id": "a",
                "positive_button": {"text": plain("👍"), "value": "up"},
                "negative_button": {"text": plain("👎"), "value": "down"},
            },
            {"type": "icon_button", "icon": "trash", "text": plain("Delete"), "action_id": "b"},
        ],
    },
    {"type": "card", "title": md("x" * 150), "body": md("x" * 200), "actions": [button()]},
    {
        "type": "card",
        "title": md(),
        "subtext": md("x" * 200),
        "slack_icon": {"type": "icon", "name": "bot"},
    },
    {"type": "plan", "title": "p", "tasks": []},
    {"type": "plan", "title": "p", "tasks": [{"task_id": "1", "title": "t", "status": "error"}]},
    {
        "type": "data_table",
        "caption": "c",
        "rows": [[{"type": "raw_text", "text": "h"}], [rich()]],
    },
    {"type": "task_card", "task_id": "1", "title": "t", "status": "complete", "output": rich()},
    {"type": "container", "title": plain(), "child_blocks": [section()]},
    {"type": "carousel", "elements": [{"type": "card", "title": md()}]},
]


@pytest.mark.parametrize("block", GOOD, ids=lambda block: block["type"])
def test_what_the_documentation_allows_passes(block):
    """At the edge of every limit."""
    assert problems([block]) == []


AT = "[json-pointer:/blocks/0"
BAD = [
    (section(text=md("x" * 3001)), f"must be less than 3001 characters {AT}/text/text]"),
    (section(text=md("")), f"must be more than 0 characters {AT}/text/text]"),
    (section(text="plain"), f"must be an object {AT}/text]"),
    (section(text={"type": "html", "text": "x"}), f"unsupported type: html {AT}/text/type]"),
    ({"type": "section"}, f"must define either `text` or `fields` {AT}]"),
    (section(fields=[md()] * 11), f"no more than 10 items allowed {AT}/fields]"),
    (section(fields=[md("x" * 2001)]), f"must be less than 2001 characters {AT}/fields/0/text]"),
    (section(colour="red"), f"invalid additional property: colour {AT}]"),
    (section(accessory=actions()), f"unsupported type: actions {AT}/accessory/type]"),
    (section(block_id="b" * 256), f"must be less than 256 characters {AT}/block_id]"),
    ({"type": "header", "text": plain("x" * 151)}, f"less than 151 characters {AT}/text/text]"),
    ({"type": "header", "text": md()}, f"unsupported type: mrkdwn {AT}/text/type]"),
    ({"type": "header"}, f"missing required field: text {AT}]"),
    ({"type": "context", "elements": [md()] * 11}, f"no more than 10 items allowed {AT}/elements]"),
    ({"type": "context", "elements": []}, f"no less than 1 items allowed {AT}/elements]"),
    (
        actions(*[button(action_id=str(n)) for n in range(26)]),
        f"no more than 25 items allowed {AT}/elements]",
    ),
    (actions(button(text=plain("x" * 76))), f"less than 76 characters {AT}/elements/0/text/text]"),
    (actions(button(text=md())), f"unsupported type: mrkdwn {AT}/elements/0/text/type]"),
    (actions(button(value="x" * 2001)), f"less than 2001 characters {AT}/elements/0/value]"),
    (actions(button(url="x" * 3001)), f"less than 3001 characters {AT}/elements/0/url]"),
    (actions(button(style="success")), f"must be a valid enum value {AT}/elements/0/style]"),
    (actions(button(disabled=True)), f"invalid additional property: disabled {AT}/elements/0]"),
    (actions(button(action_id="a" * 256)), f"less than 256 characters {AT}/elements/0/action_id]"),
    (
        actions(button(accessibility_label="x" * 76)),
        f"less than 76 characters {AT}/elements/0/accessibility_label]",
    ),
    (actions(button(), button()), f"action_id `a` must be unique within the block {AT}/elements/1"),
    (
        actions(button(confirm=confirm(title=plain("x" * 101)))),
        f"less than 101 characters {AT}/elements/0/confirm/title/text]",
    ),
    (
        actions(button(confirm=confirm(text=plain("x" * 301)))),
        f"less than 301 characters {AT}/elements/0/confirm/text/text]",
    ),
    (
        actions(button(confirm=confirm(deny=plain("x" * 31)))),
        f"less than 31 characters {AT}/elements/0/confirm/deny/text]",
    ),
    (
        actions({"type": "overflow", "options": [option(str(n)) for n in range(6)]}),
        f"no more than 5 items allowed {AT}/elements/0/options]",
    ),
    (
        actions({"type": "overflow", "options": []}),
        f"no less than 1 items allowed {AT}/elements/0/options]",
    ),
    (
        actions(select(options=[option(str(n)) for n in range(101)])),
        f"no more than 100 items allowed {AT}/elements/0/options]",
    ),
    (actions(select(options=None)), "must define either `options` or `option_groups`"),
    (
        actions(select(option_groups=[{"label": plain(), "options": [option()]}])),
        f"must define either `options` or `option_groups`, and not both {AT}/elements/0]",
    ),
    (
        actions(select(options=[option(text="x" * 76)])),
        f"less than 76 characters {AT}/elements/0/options/0/text/text]",
    ),
    (
        actions(select(options=[option(value="x" * 151)])),
        f"less than 151 characters {AT}/elements/0/options/0/value]",
    ),
    (
        actions(select(options=[{**option(), "url": "https://a.example"}])),
        f"invalid additional property: url {AT}/elements/0/options/0]",
    ),
    (
        actions(select(initial_option=option("other"))),
        f"initial option must exactly match one of the options {AT}/elements/0]",
    ),
    (
        actions(select(placeholder=plain("x" * 151))),
        f"less than 151 characters {AT}/elements/0/placeholder/text]",
    ),
    (
        actions({"type": "radio_buttons", "options": [option(str(n)) for n in range(11)]}),
        f"no more than 10 items allowed {AT}/elements/0/options]",
    ),
    (
        actions({"type": "datepicker", "initial_date": "31.12.2013"}),
        f"does not match the required format {AT}/elements/0/initial_date]",
    ),
    (
        actions({"type": "timepicker", "initial_time": "24:00"}),
        f"does not match the required format {AT}/elements/0/initial_time]",
    ),
    (
        actions({"type": "datetimepicker", "initial_date_time": 5}),
        f"must be greater than or equal to 1000000000 {AT}/elements/0/initial_date_time]",
    ),
    (
        actions({"type": "plain_text_input", "action_id": "a"}),
        f"unsupported type: plain_text_input {AT}/elements/0/type]",
    ),
    (
        actions({"type": "multi_users_select", "max_selected_items": 0}),
        f"must be greater than or equal to 1 {AT}/elements/0/max_selected_items]",
    ),
    ({"type": "image", "image_url": "https://a.example/x.png"}, "missing required field: alt_text"),
    ({"type": "image", "alt_text": "x"}, "must define either `image_url` or `slack_file`"),
    ({**IMAGE, "slack_file": {"id": "F1"}}, "and not both"),
    ({**IMAGE, "alt_text": "x" * 2001}, f"must be less than 2001 characters {AT}/alt_text]"),
    ({"type": "image", "alt_text": "x", "slack_file": {}}, "must define either `id` or `url`"),
    (inputs(button()), f"unsupported type: button {AT}/element/type]"),
    (inputs({"type": "plain_text_input"}, label=plain("x" * 2001)), "must be less than 2001"),
    (inputs({"type": "number_input"}), "missing required field: is_decimal_allowed"),
    (
        inputs({"type": "plain_text_input", "max_length": 3001}),
        f"must be less than or equal to 3000 {AT}/element/max_length]",
    ),
    (
        inputs({"type": "plain_text_input", "min_length": 5, "max_length": 4}),
        f"min_length cannot be greater than max_length {AT}/element]",
    ),
    (inputs({"type": "file_input"}), f"unsupported type: file_input {AT}/element/type]"),
    ({"type": "markdown", "text": "x" * 12_001}, f"less than 12001 characters {AT}/text]"),
    (table(101, 1), f"no more than 100 items allowed {AT}/rows]"),
    (table(1, 21), f"no more than 20 items allowed {AT}/rows/0]"),
    (table(1, 1, column_settings=[{"align": "middle"}]), "must be a valid enum value"),
    (
        {"type": "table", "rows": [[{"type": "raw_number", "value": 1}]]},
        f"unsupported type: raw_number {AT}/rows/0/0/type]",
    ),
    (
        {"type": "table", "rows": [[{"type": "raw_text", "text": ""}]]},
        f"must be more than 0 characters {AT}/rows/0/0/text]",
    ),
    (chart(series=13), f"no more than 12 items allowed {AT}/chart/series]"),
    (chart(points=21), f"no more than 20 items allowed {AT}/chart/series/0/data]"),
    (chart(title="x" * 51), f"must be less than 51 characters {AT}/title]"),
    (chart(chart={"type": "donut"}), f"unsupported type: donut {AT}/chart/type]"),
    ({"type": "rich_text", "elements": [{"type": "text", "text": "x"}]}, "unsupported type: text"),
    ({**VIDEO, "title": plain("x" * 200)}, f"must be less than 200 characters {AT}/title/text]"),
    ({**VIDEO, "video_url": "http://a.example"}, "does not match the required format"),
    ({"type": "card"}, "must define either `hero_image` or `title` or `actions` or `body`"),
    (
        {"type": "card", "actions": [button(action_id=str(n)) for n in range(4)]},
        f"no more than 3 items allowed {AT}/actions]",
    ),
    (
        {"type": "card", "title": md(), "icon": IMAGE, "slack_icon": {"type": "icon", "name": "x"}},
        f"must define either `icon` or `slack_icon`, and not both {AT}]",
    ),
    (
        {"type": "data_table", "caption": "c", "rows": [[rich()], [rich()]]},
        f"unsupported type: rich_text {AT}/rows/0/0/type]",
    ),
    (
        chart(chart={"type": "pie", "segments": [{"label": "a", "value": 0}]}),
        f"must be greater than 0 {AT}/chart/segments/0/value]",
    ),
    ({"type": "sparkle"}, f"unsupported type: sparkle {AT}/type]"),
    ({"text": md()}, f"missing required field: type {AT}]"),
    ("text", f"must be an object {AT}]"),
]


@pytest.mark.parametrize(("block", "problem"), BAD, ids=lambda value: str(value)[:60])
def test_what_is_beyond_a_limit_is_reported_at_its_place(block, problem):
    """In Slack's own words, with the pointer."""
    found = problems([block])
    assert any(problem in text for text in found), found
    assert all(text.startswith("[ERROR] ") and text.endswith("]") for text in found)


@pytest.mark.parametrize(("surface", "most"), [("message", 50), ("modal", 100), ("home", 100)])
def test_a_surface_holds_so_many_blocks(surface, most):
    """50 in a message, 100 in a modal or a Home tab."""
    assert problems([{"type": "divider"}] * most, surface) == []
    assert problems([{"type": "divider"}] * (most + 1), surface) == [
        f"[ERROR] no more than {most} items allowed [json-pointer:/blocks]"
    ]


@pytest.mark.parametrize(
    ("block", "surfaces"),
    [
        ({"type": "markdown", "text": "x"}, {"message"}),
        (table(1, 1), {"message"}),
        (chart(), {"message"}),
        ({"type": "alert", "text": md(), "level": "warning"}, {"modal"}),
        (section(), {"message", "modal", "home"}),
        (inputs({"type": "plain_text_input"}), {"message", "modal", "home"}),
        (inputs({"type": "file_input", "max_files": 10}), {"modal"}),
    ],
    ids=lambda value: str(sorted(value))[:30] if isinstance(value, set) else str(value)[:30],
)
def test_a_block_stands_where_slack_shows_it(block, surfaces):
    """Each block only on its surfaces."""
    found = {name for name in ("message", "modal", "home") if problems([block], name) == []}
    assert found == surfaces


def test_an_alert_is_short():
    """200 characters at most, in a modal."""
    assert problems([{"type": "alert", "text": md("x" * 200)}], "modal") == []
    assert problems([{"type": "alert", "text": md("x" * 201)}], "modal") != []


def test_ids_are_unique():
    """block_id in the message, action_id in its block; the same action_id elsewhere is fine."""
    twice = problems([{"type": "divider", "block_id": "b"}] * 2)
    apart = problems([actions(button()), actions(button())])
    assert [text.split(" [")[0] for text in twice] == ["[ERROR] block_id `b` must be unique"] * 2
    assert apart == []


def test_some_limits_count_over_the_whole_message():
    """One table, 10,000 characters in cells, two charts, 12,000 characters of markdown."""
    half = {"type": "markdown", "text": "x" * 6000}
    assert problems([half, half]) == []
    assert "all markdown blocks together" in problems([half, half, half])[0]
    assert problems([table(1, 1), table(1, 1)]) == [
        "[ERROR] only_one_table_allowed [json-pointer:/blocks]"
    ]
    full = {"type": "table", "rows": [[{"type": "raw_text", "text": "x" * 4000}, rich("x" * 6000)]]}
    assert problems([full]) == []
    full["rows"][0].append({"type": "raw_text", "text": "x"})
    assert "all table cells together must be less than 10001 characters" in problems([full])[0]
    assert problems([chart(), chart()]) == []
    assert "no more than 2 data_visualization" in problems([chart(), chart(), chart()])[0]


def test_a_chart_has_one_point_for_each_category():
    """And every series a name of its own."""
    uneven = chart()
    uneven["chart"]["series"][0]["data"] = uneven["chart"]["series"][0]["data"][:1]
    same = copy.deepcopy(chart(series=2))
    same["chart"]["series"][1]["name"] = "s0"
    assert "data must cover each category once" in problems([uneven])[0]
    assert "series names must be unique" in problems([same])[0]


def modal(**more):
    """A modal with one section."""
    return {"type": "modal", "title": plain(), "blocks": [section()], **more}


@pytest.mark.parametrize(
    ("view", "problem"),
    [
        (modal(title=plain("x" * 25)), "must be less than 25 characters [json-pointer:/view/title"),
        (modal(submit=plain("x" * 25)), "must be less than 25 characters [json-pointer:/view/sub"),
        (modal(close=plain("x" * 25)), "must be less than 25 characters [json-pointer:/view/close"),
        (modal(private_metadata="x" * 3001), "must be less than 3001 characters"),
        (modal(callback_id="x" * 256), "must be less than 256 characters"),
        (modal(external_id="x" * 256), "must be less than 256 characters"),
        (modal(colour="red"), "invalid additional property: colour [json-pointer:/view]"),
        (modal(type="popup"), "must be a valid enum value [json-pointer:/view/type]"),
        ({"type": "modal", "blocks": []}, "missing required field: title [json-pointer:/view]"),
        ({"title": plain(), "blocks": []}, "missing required field: type [json-pointer:/view]"),
        (modal(blocks=[section()] * 101), "no more than 100 items allowed [json-pointer:/view/blo"),
        (modal(blocks=[inputs({"type": "plain_text_input"})]), "submit is required"),
        (
            modal(
                blocks=[
                    inputs({"type": "plain_text_input", "focus_on_load": True}),
                    inputs({"type": "datepicker", "focus_on_load": True}),
                ],
                submit=plain(),
            ),
            "only one element can have focus_on_load",
        ),
        ({"type": "home", "title": plain(), "blocks": []}, "invalid additional property: title"),
        ("view", "must be an object [json-pointer:/view]"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_view_beyond_its_limits_is_reported(view, problem):
    """Titles, buttons, metadata, blocks."""
    found = problems_of_view(view)
    assert any(problem in text for text in found), found


def test_views_at_their_limits_pass():
    """24 characters, 3,000 of metadata, 100 blocks; a Home tab needs no title."""
    full = modal(
        title=plain("x" * 24),
        submit=plain("x" * 24),
        close=plain("x" * 24),
        private_metadata="x" * 3000,
        callback_id="x" * 255,
        blocks=[section()] * 100,
        notify_on_close=True,
        clear_on_close=False,
    )
    assert problems_of_view(full) == []
    assert problems_of_view({"type": "home", "blocks": [section()] * 100}) == []


def test_a_response_url_is_offered_only_by_inputs_of_modals():
    """Elsewhere response_url_enabled is refused."""
    element = {"type": "conversations_select", "action_id": "a", "response_url_enabled": True}
    assert problems([inputs(element)], "modal") == []
    assert problems([inputs(element)], "message") != []
    assert problems([actions(element)], "modal") != []


def test_what_slacks_own_models_build_passes():
    """Blocks made with slack_sdk's classes, as their documentation shows."""
    made = [
        models.SectionBlock(
            text=models.MarkdownTextObject(text="*x*"),
            accessory=models.ButtonElement(text="Go", action_id="go", style="danger"),
        ),
        models.ActionsBlock(
            elements=[
                models.StaticSelectElement(
                    action_id="s", options=[models.Option(text="A", value="a")]
                ),
                models.OverflowMenuElement(
                    action_id="o",
                    options=[
                        models.Option(text="A", value="a"),
                        models.Option(text="B", value="b"),
                    ],
                ),
                models.DatePickerElement(action_id="d", initial_date="2013-07-01"),
            ]
        ),
        models.ContextBlock(elements=[models.MarkdownTextObject(text="x")]),
        models.HeaderBlock(text="Header"),
        models.ImageBlock(image_url="https://a.example/x.png", alt_text="x"),
        models.DividerBlock(),
        models.InputBlock(label="L", element=models.PlainTextInputElement(action_id="i")),
    ]
    assert problems([block.to_dict() for block in made]) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "text", "elements", "accessory", "element", "block_id", "action_id"]
            ),
            inner | st.sampled_from(["section", "actions", "button", "input", "table", "markdown"]),
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_no_payload_breaks_the_check(payload):
    """Whatever JSON comes, the answer is a list of sentences."""
    for found in (problems(payload), problems([payload]), problems_of_view(payload)):
        assert all(isinstance(text, str) for text in found)
