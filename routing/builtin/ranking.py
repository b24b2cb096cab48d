"""Which pieces of the sources answer a question: rarity-weighted overlap of words, headings and place."""

import math
from collections import Counter
from dataclasses import dataclass

from routing.builtin.language import asks_how, terms
from routing.builtin.units import Unit, units
from routing.vocabulary import Source

HEADING_WEIGHT = 0.6  # a word of the question found only in the heading or title
STEPS_BONUS = 0.35  # for a "how" question
RANK_BONUS = 0.12  # the search put this source first
PLACE_BONUS = 0.05  # early sentences of a passage tell what it is about
LONG_UNIT = 45  # words beyond which a unit is worth less
DIRECT = 0.5  # share of the question's weight a direct answer covers
FOLLOWS = 0.55  # share of the best score a further sentence needs
FOLLOWS_WITH_BODY = (
    0.8  # share of the best coverage that steps and tables of other sections need: they take room
)
SAME = 0.6  # overlap of words above which two pieces say the same
MAX_UNITS = 4
MAX_WORDS = 220


@dataclass(frozen=True, slots=True)
class Scored:
    unit: Unit
    score: float
    coverage: float


@dataclass(frozen=True, slots=True)
class Selection:
    """Chosen pieces in reading order; `direct` false: they are only near the question."""

    units: tuple[Unit, ...]
    direct: bool


def _weights(question: set[str], pieces: list[set[str]]) -> dict[str, float]:
    counts = Counter(term for piece in pieces for term in piece & question)
    total = len(pieces) + 1
    return {term: math.log(1 + total / (1 + counts[term])) for term in question}


def _coverage(question: dict[str, float], body: set[str], around: set[str]) -> float:
    whole = sum(question.values())
    inside = sum(weight for term, weight in question.items() if term in body)
    above = sum(weight for term, weight in question.items() if term in around and term not in body)
    return (inside + HEADING_WEIGHT * above) / whole if whole else 0.0


def _score(unit: Unit, coverage: float, rank: int, length: int, how: bool) -> float:
    words = len(unit.lead.split())
    score = coverage / (1 + max(0, words - LONG_UNIT) / LONG_UNIT)
    score += STEPS_BONUS if how and unit.body and coverage else 0.0
    score += RANK_BONUS / (rank + 1) if coverage else 0.0
    return score + (PLACE_BONUS * (1 - unit.position / max(length, 1)) if coverage else 0.0)


def rank(question: str, sources: tuple[Source, ...]) -> list[Scored]:
    """Every piece of the sources with its score, best first."""
    by_source = [units(source) for source in sources]
    everything = [unit for found in by_source for unit in found]
    bodies = [set(terms(unit.wording)) for unit in everything]
    weights = _weights(set(terms(question)), bodies)
    how = asks_how(question)
    scored, at = [], 0
    for place, found in enumerate(by_source):
        for unit in found:
            coverage = _coverage(weights, bodies[at], set(terms(f"{unit.heading} {unit.source.title}")))
            scored.append(Scored(unit, _score(unit, coverage, place, len(found), how), coverage))
            at += 1
    return sorted(scored, key=lambda entry: -entry.score)


def _overlap(one: set[str], other: set[str]) -> float:
    return len(one & other) / len(one | other) if one | other else 1.0


def _adds(entry: Scored, best: Scored) -> bool:
    same_section = (entry.unit.source, entry.unit.heading) == (best.unit.source, best.unit.heading)
    return same_section or not entry.unit.body or entry.coverage >= FOLLOWS_WITH_BODY * best.coverage


def _further(best: Scored, ranked: list[Scored]) -> list[Scored]:
    chosen, seen = [best], [set(terms(best.unit.text))]
    words = len(best.unit.text.split())
    for entry in ranked[1:]:
        own = set(terms(entry.unit.text))
        words_then = words + len(entry.unit.text.split())
        if entry.score < FOLLOWS * best.score or len(chosen) == MAX_UNITS:
            break
        if words_then > MAX_WORDS or not _adds(entry, best):
            continue
        if all(_overlap(own, other) < SAME for other in seen):
            chosen.append(entry)
            seen.append(own)
            words = words_then
    return chosen


def select(question: str, sources: tuple[Source, ...]) -> Selection | None:
    """The pieces to quote, or None when the sources share nothing with the question."""
    ranked = [entry for entry in rank(question, sources) if entry.coverage > 0]
    if not ranked:
        return None
    best = ranked[0]
    if best.coverage < DIRECT:
        return Selection((best.unit,), direct=False)
    chosen = _further(best, ranked)
    first = best.unit.source.n
    chosen.sort(key=lambda entry: (entry.unit.source.n != first, entry.unit.source.n, entry.unit.position))
    return Selection(tuple(entry.unit for entry in chosen), direct=True)
