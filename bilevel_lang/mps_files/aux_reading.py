"""An ``.aux`` text, in either dialect, becomes a list of what is the follower's.

Source of both: MibS, "Input File Format". The index dialect has one ``key value`` a line; the named one has ``@`` sections and
is what BOBILib uses. Spellings of ``@`` keywords differ between MibS's program, its manual and BOBILib: all are taken.
"""

from __future__ import annotations

from dataclasses import dataclass

from bilevel_lang.errors import Source
from bilevel_lang.mps_files.cards import SENSES
from bilevel_lang.mps_files.complaints import Complaints, near, number, whole

INDEX_KEYS = ("N", "M", "LC", "LR", "LO", "OS")
VARIABLES, ROWS = "@VARSBEGIN", "@CONSTSBEGIN"
SPELLINGS = {
    **dict.fromkeys(("@NUMCONSTRS", "@NUMCONSTR", "@NUMCONSTS"), "@NUMCONSTRS"),
    **dict.fromkeys(("@CONSTSBEGIN", "@CONSTRSBEGIN", "@CONSTRBEGIN"), ROWS),
    **dict.fromkeys(("@CONSTSEND", "@CONSTRSEND", "@CONSTREND"), "@CONSTSEND"),
    **{key: key for key in ("@NUMVARS", VARIABLES, "@VARSEND", "@NAME", "@MPS", "@LP", "@OBJSENSE")},
}
KEYWORDS = "keywords are @NUMVARS, @NUMCONSTRS, @VARSBEGIN, @VARSEND, @CONSTSBEGIN, @CONSTSEND, @OBJSENSE, @NAME, @MPS"
ENDS = {VARIABLES: "@VARSEND", ROWS: "@CONSTSEND"}
INTERDICTION = "IC and IB describe an interdiction problem whose columns and rows are not in the MPS file"


@dataclass(frozen=True, slots=True)
class Item:
    """A column or row as the file names it: an index from 0 (``index``), or a name."""

    text: str
    line: int
    index: int | None = None


@dataclass(frozen=True, slots=True)
class AuxFile:
    """What the file says: ``costs[k]`` is of ``columns[k]``; ``sense`` +1 min, -1 max; ``mps``: the file it names."""

    columns: tuple[Item, ...]
    costs: tuple[float, ...]
    rows: tuple[Item, ...]
    sense: int
    by_index: bool
    mps: str = ""
    mps_line: int = 0


def read_aux(text: str, name: str = "<aux>") -> tuple[AuxFile, Complaints]:
    """The contents of ``text``, with the complaints to go on with. Raises MpsSyntaxError with all mistakes, RefusedError."""
    complaints = Complaints(Source(name, text))
    lines = [(i, t.split()) for i, t in enumerate(complaints.lines, start=1) if t.strip() and not t.lstrip().startswith("*")]
    named = any(words[0].startswith("@") for _, words in lines)
    found = _Named(complaints, lines).read() if named else _Indexed(complaints, lines).read()
    complaints.raise_errors()
    return found, complaints


class _Indexed:
    """``N 2``, ``LC 0``, ...: counts, indices from 0, and coefficients in the order of the LC lines."""

    def __init__(self, complaints: Complaints, lines: list[tuple[int, list[str]]]) -> None:
        self._complaints, self._lines = complaints, lines
        self._found: dict[str, list[tuple[str, int]]] = {key: [] for key in INDEX_KEYS}

    def read(self) -> AuxFile:
        for line, words in self._lines:
            self._line(line, words)
        columns, rows = self._items("LC", "column"), self._items("LR", "row")
        costs = tuple(self._number(text, line) for text, line in self._found["LO"])
        self._check_count("N", "LC", "columns")
        self._check_count("M", "LR", "rows")
        if len(costs) != len(columns):
            said = f"{len(columns)} LC lines and {len(costs)} LO lines: each column of the follower has one coefficient"
            self._complaints.error(said, (self._found["LO"] or self._found["LC"] or [("", 1)])[-1][1])
        return AuxFile(columns, costs, rows, self._sense(), by_index=True)

    def _line(self, line: int, words: list[str]) -> None:
        key = words[0]
        if key in ("IC", "IB"):
            help = "add them to the MPS file, with a row for the budget, and leave IC and IB out"
            self._complaints.error(f"{INTERDICTION}: not carried out", line, key, help, code="R1")
        elif key not in INDEX_KEYS:
            help = "keys are " + ", ".join(INDEX_KEYS) + "; the other dialect has @NUMVARS, @VARSBEGIN, ..."
            self._complaints.error(f"`{key}` is no key", line, key, help)
        elif len(words) != 2:
            self._complaints.error(f"after {key} comes one value", line, key)
        elif key in ("N", "M", "OS") and self._found[key]:
            self._complaints.error(f"{key} comes a second time", line, key)
        else:
            self._found[key].append((words[1], line))

    def _items(self, key: str, what: str) -> tuple[Item, ...]:
        items, met = [], set()
        for text, line in self._found[key]:
            index = whole(text)
            if index is None or index < 0:
                help = "indices count from 0; the dialect with @VARSBEGIN and @CONSTSBEGIN has names"
                self._complaints.error(f"`{text}` is no index of a {what}", line, text, help)
            elif index in met:
                self._complaints.error(f"{key} {index} comes a second time", line, text)
            else:
                met.add(index)
            items.append(Item(text, line, index))
        return tuple(items)

    def _number(self, text: str, line: int) -> float:
        value = number(text)
        if value is None:
            self._complaints.error(f"`{text}` is not a finite number", line, text)
        return value or 0.0

    def _check_count(self, key: str, of: str, what: str) -> None:
        if not self._found[key]:
            self._complaints.error(f"there is no {key}, the number of the follower's {what}", len(self._complaints.lines) or 1)
            return
        text, line = self._found[key][0]
        _check_count(self._complaints, f"{key} {text}", text, line, len(self._found[of]), f"{of} lines")

    def _sense(self) -> int:
        if not self._found["OS"]:
            help = "`OS 1` minimises, `OS -1` maximises"
            self._complaints.error(
                "there is no OS, the sense of the follower's objective", len(self._complaints.lines) or 1, help=help
            )
            return 1
        text, line = self._found["OS"][0]
        if number(text) not in (1.0, -1.0):
            self._complaints.error(f"`{text}` is no sense", line, text, "1 for min, -1 for max")
        return -1 if text.startswith("-") else 1


class _Named:
    """``@NUMVARS`` ... ``@VARSBEGIN`` ``name coefficient`` ... ``@VARSEND`` ...."""

    def __init__(self, complaints: Complaints, lines: list[tuple[int, list[str]]]) -> None:
        self._complaints, self._lines = complaints, lines
        self._values: dict[str, tuple[str, int]] = {}
        self._columns: dict[str, tuple[Item, float]] = {}
        self._rows: dict[str, Item] = {}
        self._met: set[str] = set()

    def read(self) -> AuxFile:
        section, awaited, opened = "", "", 0
        for line, words in self._lines:
            if awaited and not words[0].startswith("@"):
                self._values[awaited], awaited = (" ".join(words), line), ""
            elif words[0].startswith("@"):
                self._check_value(awaited, line)
                section, awaited, opened = self._keyword(words, line, section, opened)
            elif section:
                self._member(section, words, line)
            else:
                self._complaints.error("a line outside any section", line, words[0])
        last = len(self._complaints.lines) or 1
        self._check_value(awaited, last)
        if section:
            self._complaints.error(f"{section} has no {ENDS[section]}", opened, help="the file seems to be cut off")
        self._check_sections(last)
        mps, mps_line = self._values.get("@MPS", ("", 0))
        columns, costs = [item for item, _ in self._columns.values()], [cost for _, cost in self._columns.values()]
        return AuxFile(tuple(columns), tuple(costs), tuple(self._rows.values()), self._sense(), False, mps, mps_line)

    def _keyword(self, words: list[str], line: int, section: str, opened: int) -> tuple[str, str, int]:
        """The section that is open after a keyword, the keyword whose value comes next, and where the section began."""
        key = SPELLINGS.get(words[0], "")
        if not key:
            self._complaints.error(f"`{words[0]}` is no keyword", line, words[0], near(words[0], SPELLINGS) or KEYWORDS)
        elif len(words) > 1:
            self._complaints.error(f"text behind {words[0]}", line, words[1], "its value stands on the next line")
        elif section and key != ENDS[section]:
            self._complaints.error(f"{section} is still open", line, words[0], f"end it with {ENDS[section]}")
        elif not section and key in ENDS.values():
            self._complaints.error(f"{words[0]} ends nothing", line, words[0])
        elif section:
            return "", "", 0
        elif key in self._met:
            self._complaints.error(f"{words[0]} comes a second time", line, words[0])
        if key == "@LP":
            help = "convert the problem to MPS, with the same names"
            self._complaints.error("problems in LP files are not read", line, words[0], help, code="R1")
        self._met.add(key)
        if key in ENDS:
            return key, "", line
        return section, ("" if key in ENDS.values() else key), opened

    def _check_value(self, awaited: str, line: int) -> None:
        if awaited:
            self._complaints.error(f"{awaited} has no value", line, help="it stands on the line after the keyword")

    def _member(self, section: str, words: list[str], line: int) -> None:
        names = self._columns if section == VARIABLES else self._rows
        if words[0] in names:
            self._complaints.error(f"`{words[0]}` comes a second time", line, words[0])
        elif section == ROWS and len(words) == 1:
            self._rows[words[0]] = Item(words[0], line)
        elif section == ROWS:
            self._complaints.error("a line here is the name of one row", line, words[1])
        elif len(words) != 2:
            self._complaints.error("a line here is a column and its coefficient in the follower's objective", line, words[0])
        else:
            value = number(words[1])
            if value is None:
                self._complaints.error(f"`{words[1]}` is not a finite number", line, words[1])
            self._columns[words[0]] = Item(words[0], line), value or 0.0

    def _check_sections(self, last: int) -> None:
        for key, count in (("@NUMVARS", len(self._columns)), ("@NUMCONSTRS", len(self._rows))):
            section = VARIABLES if key == "@NUMVARS" else ROWS
            if key not in self._met:
                self._complaints.error(f"there is no {key}", last)
            elif key in self._values and section in self._met:
                text, line = self._values[key]
                _check_count(self._complaints, f"{key} {text}", text, line, count, f"lines after {section}")
            if section not in self._met:
                self._complaints.error(f"there is no {section}", last)

    def _sense(self) -> int:
        word, line = self._values.get("@OBJSENSE", ("MIN", 0))
        if word.upper() not in SENSES:
            self._complaints.error(f"`{word}` is no sense", line, help="MIN or MAX")
        return SENSES.get(word.upper(), 1)


def _check_count(complaints: Complaints, said: str, text: str, line: int, count: int, what: str) -> None:
    declared = whole(text)
    if declared is None or declared < 0:
        complaints.error(f"`{text}` is no count", line, text, "a whole number >= 0")
    elif declared != count:
        complaints.error(f"{said}, but there are {count} {what}", line, text)
