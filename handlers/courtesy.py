"""What people say to a colleague and mean no command by: thanks, a greeting, yes and no."""

from __future__ import annotations

import re

_SAID = {
    "Glad to help.": (
        "thanks, thank, thx, ty, cheers, kudos, nice, great, awesome, perfect, excellent, wow, "
        "brilliant, amazing, danke, merci, gracias, pray, tada, heart, clap, raised_hands, "
        "well done, good bot, good job, good work, that's great, you're great"
    ),
    "Hello! `{called} help` lists what I can do.": (
        "hi, hello, hey, howdy, hiya, ping, hallo, wave, good morning, good afternoon, good evening"
    ),
    "I take an answer by its button alone, so that nothing is decided by a slip: press one under "
    "the step that waits.": "yes, yep, yeah, yup, y, no, nope, nah, n, agreed, correct, right",
    "All right.": (
        "ok, okay, k, kk, fine, alright, sure, understood, roger, bye, goodbye, nvm, sorry, cool, "
        "+1, thumbsup, ok_hand, white_check_mark, got it, will do, no problem, no worries, "
        "never mind, sounds good, good night"
    ),
}
_ANSWERS = {word: sentence for sentence, said in _SAID.items() for word in said.split(", ")}
_BEFORE = {"please", "pls", "so", "and", "now", "then", "hi", "hello", "hey", "ok", "okay"}
_BEFORE |= {"thanks", "thank you", "can you", "could you", "will you", "would you"}
"""Said before a request, of which it is no part."""
_EMOJI = {"\U0001f44d": "thumbsup", "\U0001f64f": "pray", "\U0001f44b": "wave"}


def answer(said: tuple[str, ...], called: str) -> str:
    """What to say to small talk; "" where the words are none. ``called`` is how the bot is
    called there.

    >>> answer(("Thanks", "a", "lot"), "@hawkeye"), answer(("what", "now"), "@hawkeye")
    ('Glad to help.', '')
    """
    found = _ANSWERS.get(_plain(said[:2])) or _ANSWERS.get(_plain(said[:1]), "")
    return found.format(called=called)


def without(said: tuple[str, ...]) -> tuple[str, ...]:
    """A request without the courtesies before it.

    >>> without(("hey", "could", "you", "please", "chart", "temp"))
    ('chart', 'temp')
    """
    for size in (2, 1):
        if said and _plain(said[:size]) in _BEFORE:
            return without(said[size:])
    return said


def _plain(said: tuple[str, ...]) -> str:
    """Words in lower case without punctuation; an emoji by its name."""
    text = " ".join(_EMOJI.get(word[:1], word) for word in said).casefold()
    return re.sub(r":skin-tone-\d:|[^\w+' ]", "", text).strip()
