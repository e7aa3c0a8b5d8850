"""The stochastic file of SMPS: INDEP, BLOCKS and SCENARIOS.

(Birge, Dempster, Gassmann, Gunn, King and Wallace, "A standard input format for multiperiod stochastic linear programs", 1987;
Gassmann and Schweitzer 2001.) What is random is an entry of the core: a coefficient (column, row), a cost (column, objective)
or a right-hand side (RHS, row). Normal laws are given by mean and variance, uniform ones by their ends.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable

from bilevel_lang.errors import Source
from bilevel_lang.mps_files.cards import Card, Cutter, cards
from bilevel_lang.mps_files.complaints import Complaints, number
from bilevel_lang.smps_files.entries import Core, Entry
from bilevel_lang.smps_files.random_entries import Continuous, Joint, Outcome, StochasticData, half_a_digit, rounding
from bilevel_lang.smps_files.timing import Timing
from bilevel_lang.smps_files.words import at_blanks, at_columns
from bilevel_lang.uncertainty.laws import LawError, law

SECTIONS = ("STOCH", "INDEP", "BLOCKS", "SCENARIOS", "ENDATA")

OTHERS = ("NODES", "CHANCE", "ICC", "QUADRATIC", "DISTRIB", "ROBUST", "DIST")
"""Sections of the format that are understood and not carried out."""

MODES: dict[str, Callable[[float, float], float]] = {
    "REPLACE": lambda _, value: value,
    "ADD": lambda base, value: base + value,
    "MULTIPLY": lambda base, value: base * value,
}

LAWS: dict[str, Callable[[float, float], tuple[str, float, float]]] = {
    "UNIFORM": lambda a, b: ("uniform", a, b),
    "NORMAL": lambda mean, variance: ("normal", mean, math.sqrt(variance) if variance > 0 else math.nan),
    "GAMMA": lambda scale, shape: ("gamma", shape, scale),
    "BETA": lambda a, b: ("beta", a, b),
    "LOGNORM": lambda mu, variance: ("lognormal", mu, math.sqrt(variance) if variance > 0 else math.nan),
    "LOGNORMAL": lambda mu, variance: ("lognormal", mu, math.sqrt(variance) if variance > 0 else math.nan),
}
"""Continuous laws of INDEP, as laws of the annotation language."""

NUMBERS = {
    "UNIFORM": "the lower and the upper end",
    "NORMAL": "the mean and the variance",
    "GAMMA": "the scale and the shape",
    "BETA": "the two shapes",
    "LOGNORM": "mean and variance of the logarithm",
    "LOGNORMAL": "mean and variance of the logarithm",
}
"""What the two numbers of a law are."""


def read_stochastic(text: str, name: str, core: Core, timing: Timing) -> StochasticData:
    """What ``text`` says; ``name`` is for messages. Raises MpsSyntaxError with all mistakes, RefusedError for what is not
    carried out."""
    source = Source(name, text)
    complaints = Complaints(source)
    found = _Reader(complaints, core, timing, at_blanks).read()
    if complaints.errors:  # names with blanks: as in cores
        others = Complaints(source)
        again = _Reader(others, core, timing, at_columns).read()
        if not others.errors:
            complaints, found = others, again
    complaints.raise_errors()
    return found


class _Reader:
    def __init__(self, complaints: Complaints, core: Core, timing: Timing, cut: Cutter) -> None:
        self._complaints, self._core, self._timing, self._cut = complaints, core, timing, cut
        self._section, self._law, self._mode = "", "DISCRETE", "REPLACE"
        self._independent: dict[Entry, list[tuple[float, float, int]]] = {}
        self._continuous: list[Continuous] = []
        self._blocks: dict[str, list[tuple[int, Outcome]]] = {}
        self._scenarios: dict[str, tuple[int, Outcome]] = {}
        self._open: dict[Entry, float] | None = None
        self._mentioned: set[Entry] = set()
        self._rounding: dict[int, float] = {}

    def read(self) -> StochasticData:
        for card in cards(self._complaints.lines, self._cut):
            if self._section == "ENDATA":
                self._complaints.error("text after ENDATA", card.line, help="a stochastic file ends there")
                break
            if card.header is not None:
                self._header(card)
            elif card.misfit or not card.fields:
                self._complaints.error(card.misfit or "a line without a word", card.line)
            elif self._section == "INDEP":
                self._single(card)
            elif self._section in ("BLOCKS", "SCENARIOS"):
                self._line(card)
            elif self._section in ("", "STOCH"):
                help = "begin one of them before it"
                self._complaints.error("a data line outside INDEP, BLOCKS and SCENARIOS", card.line, help=help)
        if self._section != "ENDATA":
            last = max(1, len(self._complaints.lines))
            self._complaints.error("there is no section ENDATA", last, help="the file seems to be cut off")
        return self._finished()

    def _header(self, card: Card) -> None:
        header = (card.header or "").upper()
        self._section, self._open = header, None
        if header not in SECTIONS:
            understood = header in OTHERS
            near = [] if understood else difflib.get_close_matches(header, SECTIONS, 1)
            help = f"did you mean {near[0]}?" if near else "sections are " + ", ".join(SECTIONS)
            said = f"section `{card.header}` is not {'carried out' if understood else 'one of a stochastic file'}"
            self._complaints.error(said, card.line, card.header or "", help, code="R1" if understood else "S2")
            return
        if header in ("STOCH", "ENDATA"):
            return
        words = [w.upper() for w in card.fields]
        self._law = words[0] if words else "DISCRETE"
        self._mode = words[1] if len(words) > 1 else "REPLACE"
        known = ("DISCRETE", *LAWS) if header == "INDEP" else ("DISCRETE",)
        if self._law not in known:
            help = "what is read: " + ", ".join(known)
            self._complaints.error(f"{header} {self._law} is not carried out", card.line, card.fields[0], help, code="R1")
        if self._mode not in MODES or (self._mode != "REPLACE" and self._law != "DISCRETE"):
            self._complaints.error(
                f"{header} with {self._mode} is not carried out", card.line, card.fields[1], "REPLACE", code="R1"
            )

    # --- INDEP.

    def _single(self, card: Card) -> None:
        if len(card.fields) not in (4, 5):
            help = "such as `    RHS  demand  3.0  STAGE2  0.3`"
            self._complaints.error(
                "a line of INDEP has a column, a row, a number, perhaps the period, and a number", card.line, help=help
            )
            return
        entry = self._entry(card, 0)
        first, second = self._number(card, card.fields[2]), self._number(card, card.fields[-1])
        if len(card.fields) == 5:
            self._period(card, card.fields[3])
        if entry is None or first is None or second is None:
            return
        if self._law == "DISCRETE":
            self._probability(card, card.fields[-1])
            value = MODES.get(self._mode, MODES["REPLACE"])(self._core.value(entry), first)
            self._independent.setdefault(entry, []).append((second, value, card.line))
        elif self._law in LAWS:
            self._continuous.append(Continuous(entry, self._law_of(card, first, second), card.line))

    def _law_of(self, card: Card, first: float, second: float) -> tuple[str, float, float]:
        found = LAWS[self._law](first, second)
        try:
            law(found[0], found[1:])
        except LawError:
            said = f"{self._law} cannot have the numbers {first:g} and {second:g}"
            self._complaints.error(said, card.line, card.fields[-1], f"{self._law} has {NUMBERS[self._law]}")
        return found

    # --- BLOCKS and SCENARIOS.

    def _line(self, card: Card) -> None:
        word = card.fields[0].upper()
        if word == "BL" and self._section == "BLOCKS":
            self._block(card)
        elif word == "SC" and self._section == "SCENARIOS":
            self._scenario(card)
        elif word in ("BL", "SC") and card.fields[0] not in self._core.columns:
            section = "BLOCKS" if word == "BL" else "SCENARIOS"
            self._open, self._mentioned = {}, set()
            said = f"a line {word} in section {self._section}"
            self._complaints.error(said, card.line, card.fields[0], f"it belongs under a line `{section} DISCRETE`")
        elif len(card.fields) not in (3, 5):
            said = "this line should have a column and one or two pairs of row and number"
            self._complaints.error(said, card.line, help="such as `    RHS  demand  3.0`")
        elif self._open is None:
            word = "BL" if self._section == "BLOCKS" else "SC"
            self._complaints.error(f"an entry before any {word} line", card.line, help=f"a line {word} opens a realisation")
        else:
            for place in range(1, len(card.fields), 2):
                entry, value = self._entry(card, place - 1), self._number(card, card.fields[place + 1])
                if entry in self._mentioned:
                    said = f"{entry} comes a second time in this realisation"
                    self._complaints.error(said, card.line, card.fields[place], "keep one of the two")
                if entry is not None and value is not None:
                    self._mentioned.add(entry)
                    self._open[entry] = MODES.get(self._mode, MODES["REPLACE"])(self._core.value(entry), value)

    def _block(self, card: Card) -> None:
        self._open, self._mentioned = {}, set()
        if len(card.fields) != 4:
            self._complaints.error(
                "a BL line has a name, a period and a probability", card.line, help="such as ` BL B1 STAGE2 0.5`"
            )
            return
        self._period(card, card.fields[2])
        probability = self._probability(card, card.fields[3])
        self._blocks.setdefault(card.fields[1], []).append((card.line, (probability, self._open)))

    def _scenario(self, card: Card) -> None:
        self._open, self._mentioned = {}, set()
        if len(card.fields) != 5:
            said = "an SC line has a name, the scenario it branches from, a probability and a period"
            self._complaints.error(said, card.line, help="such as ` SC S1 ROOT 0.5 STAGE2`")
            return
        _, name, parent, probability, period = card.fields
        # Many writers let what has no parent begin with the first period; its entries are checked to be of the second.
        if parent.upper() != "ROOT" or period != self._timing.periods[0]:
            self._period(card, period)
        if name in self._scenarios:
            said = f"scenario `{name}` comes a second time"
            self._complaints.error(said, card.line, name, "give each scenario its own name")
        if parent.upper() != "ROOT" and parent not in self._scenarios:
            self._complaints.error(f"there is no scenario `{parent}` before this one", card.line, parent, "ROOT, or one above")
        elif parent.upper() != "ROOT":
            self._open.update(self._scenarios[parent][1][1])
        self._scenarios[name] = (card.line, (self._probability(card, probability), self._open))

    # --- Words.

    def _entry(self, card: Card, place: int) -> Entry | None:
        column, row = card.fields[0], card.fields[place + 1]
        entry = self._core.find(column, row, card.line, self._complaints)
        if entry is not None and self._core.is_early(entry, self._timing):
            help = "only what belongs to the second period can be random"
            self._complaints.error(f"({column}, {row}) belongs to the first period", card.line, row, help)
        return entry

    def _number(self, card: Card, text: str) -> float | None:
        value = number(text)
        if value is None:
            self._complaints.error(f"`{text}` is not a finite number", card.line, text, "write it with a point, as 0.5 or 1e-3")
        return value

    def _probability(self, card: Card, text: str) -> float:
        value = self._number(card, text)
        if value is None:
            return 0.0
        self._rounding[card.line] = half_a_digit(text)
        if value < 0:
            self._complaints.error(f"the probability {text} is negative", card.line, text, "probabilities are >= 0 and sum to 1")
        return value

    def _period(self, card: Card, name: str) -> None:
        if name == self._timing.periods[1]:
            return
        help = f"the time file calls the second period `{self._timing.periods[1]}`"
        self._complaints.error(f"`{name}` is not the second period", card.line, name, help)

    # --- The end.

    def _finished(self) -> StochasticData:
        joints = []
        for entry, found in self._independent.items():
            room = self._room(line for _, _, line in found)
            joints.append(Joint((entry,), [(p, (v,)) for p, v, _ in found], found[0][2], room))
        for blocks in self._blocks.values():
            # What a later realisation does not mention is as in the first one.
            first = dict(blocks[0][1][1])
            joints.append(self._joined([(line, (p, {**first, **changed})) for line, (p, changed) in blocks]))
        if self._scenarios:
            joints.append(self._joined(list(self._scenarios.values())))
        data = StochasticData(joints, self._continuous)
        data.check(self._complaints)
        return StochasticData([j for j in joints if j.entries], self._continuous)

    def _joined(self, found: list[tuple[int, Outcome]]) -> Joint:
        entries = tuple(dict.fromkeys(e for _, (_, changed) in found for e in changed))
        outcomes = [(p, tuple(changed.get(e, self._core.value(e)) for e in entries)) for _, (p, changed) in found]
        return Joint(entries, outcomes, found[0][0], self._room(line for line, _ in found))

    def _room(self, lines: Iterable[int]) -> float:
        return rounding([self._rounding.get(line, 0.0) for line in lines])
