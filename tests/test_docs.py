"""Docs under test: generated pages are fresh, links lead somewhere, named commands exist."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import main
from bot.documents import pages

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("name", ["tree.md", "headless.md"])
def test_a_generated_page_is_what_the_code_says(name):
    """Write them anew with `python -m bot.documents`."""
    assert (ROOT / "docs" / name).read_text() == pages()[name]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_link_within_the_project_leads_to_a_file(page):
    """A link that goes nowhere costs a newcomer's trust."""
    targets = re.findall(r"\]\(([^)#\s]+)", page.read_text())
    missing = [t for t in targets if "://" not in t and not (page.parent / t).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_command_that_a_page_names_exists(page):
    """`hawkeye …` in a code span or block is a command of the command line."""
    code = re.findall(r"`([^`\n]+)`|^([^`\n]*hawkeye [^`\n]*)$", page.read_text(), re.M)
    said = [a or b for a, b in code]
    named = {
        match[1]
        for text in said
        for match in [re.match(r"\s*\$?\s*(?:\.venv/bin/)?hawkeye ([a-z]+)\b", text)]
        if match
    }
    assert named <= set(main.commands), named - set(main.commands)


def test_the_readme_says_how_to_begin():
    """The two commands, and that each needs nothing but Python and make."""
    text = (ROOT / "README.md").read_text()
    assert "make demo" in text
    assert "make test" in text


def test_the_manifest_command_prints_the_manifest():
    """What the README tells people to paste."""
    result = CliRunner().invoke(main, ["manifest"])
    assert result.exit_code == 0
    assert json.loads(result.output)["features"]["bot_user"]["display_name"] == "hawkeye"


def test_tree_prints_the_diagram_of_the_docs():
    """The picture and the page are one."""
    result = CliRunner().invoke(main, ["tree"])
    assert result.output.strip() in (ROOT / "docs" / "tree.md").read_text()
