"""What a red agent does, in sentences."""

from __future__ import annotations

from cageflow.analysis.red_playbook import RedPlaybook

SELDOM = 0.02
"""Shares below it are not told."""
MUCH_MORE = 1.5
"""How many times as high a share is that is worth telling."""


def red_sentences(book: RedPlaybook) -> tuple[tuple[str, str], ...]:
    """What is to be said of a red agent: headings with a sentence or two each."""
    said = (
        ("What it costs", _cost(book)),
        ("Where it goes", _where(book)),
        ("What it does", _what(book)),
        ("What it waits for", _waits(book)),
        ("When it is thrown out", _thrown_out(book)),
        ("What it is after", _after(book)),
    )
    return tuple((heading, words) for heading, words in said if words)


def _cost(book: RedPlaybook) -> str:
    return (
        f"In {book.episodes:,} episodes of {book.max_steps} steps blue loses {-book.mean:z.1f} on average, "
        f"{-book.worst:z.1f} in the worst."
    )


def _where(book: RedPlaybook) -> str:
    reached = sorted(book.reached.items(), key=lambda item: -item[1])
    named = [
        f"{name} {share:.0%} (first in step {book.first_held[name]:.0f})" for name, share in reached if share >= SELDOM
    ]
    if not named:
        return "It gets no session beyond its first host."
    words = f"It gets a session on {_listed(named)} of the episodes."
    routes = [(route, share) for route, share in book.routes if route and share >= SELDOM]
    if routes:
        ways = [f"{' > '.join(route)} ({share:.0%})" for route, share in routes]
        words += f" Its commonest {'way is' if len(ways) == 1 else 'ways are'} {_listed(ways)}."
    return words


def _what(book: RedPlaybook) -> str:
    shares = sorted(book.choices.items(), key=lambda item: -item[1])
    named = []
    for kind, share in shares:
        if share >= SELDOM:
            success = f" ({book.success[kind]:.0%} succeed)" if kind in book.success else ""
            named.append(f"{kind} {share:.0%}{success}")
    return f"Of its choices: {_listed(named)}."


def _waits(book: RedPlaybook) -> str:
    if book.choices["rest"] < SELDOM:
        return "For nothing: it hardly ever rests."
    inside, outside = book.sleep_inside
    words = f"It rests in {inside:.0%} of its choices while it holds a host beyond its first, and in {outside:.0%} else"
    if inside > MUCH_MORE * outside:
        words += ": it sits on what it has."
    elif outside > MUCH_MORE * inside:
        words += ": it waits outside, and is quick once it is in."
    else:
        words += "."
    early, late = book.sleep_by_phase[0], book.sleep_by_phase[-1]
    if early > MUCH_MORE * late and early >= SELDOM:
        words += f" It rests early: {early:.0%} of its choices in the first part of an episode, {late:.0%} in the last."
    elif late > MUCH_MORE * early and late >= SELDOM:
        words += f" It rests late: {late:.0%} of its choices in the last part of an episode, {early:.0%} in the first."
    return words


def _thrown_out(book: RedPlaybook) -> str:
    if book.evictions < SELDOM:
        return "Blue hardly ever takes a host back."
    return (
        f"Blue takes a host back {book.evictions:.1f} times an episode; red's next choice is the same host in "
        f"{book.back_at_once:.0%} of these, and its next exploit comes {book.wait_after_eviction:.1f} steps later."
    )


def _after(book: RedPlaybook) -> str:
    lost = sorted(book.lost.items(), key=lambda item: -item[1])
    total = sum(book.lost.values())
    named = [f"{name} {points:.1f}" for name, points in lost if points >= SELDOM * total][:5]
    words = f"Points an episode, by host: {_listed(named)}." if named else ""
    restoring = -book.mean - total
    if restoring >= SELDOM * -book.mean > 0.0:
        words += f" {restoring:.1f} more are what blue's own Restores cost."
    if book.first_impact is not None and book.impacted >= SELDOM:
        words += f" It stops a service in {book.impacted:.0%} of the episodes, first in step {book.first_impact:.0f}."
    elif total:
        words += " It stops no service."
    return words.strip()


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
