"""Our next runs against cronsim's and croniter's, over one mix, in one process.

The questions: a sequence of runs without a zone, the same in Europe/Berlin, both again with our
runs asked for one by one (the peers know no other way), parsing with the first run. Each peer is
measured over the whole mix, by the thread's processor time; the order of the peers rotates from
round to round and the median of the rounds counts. Expressions are distinct texts; our field memo
(four thousand field texts) is as it is in service, and warm.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from croniter import croniter
from cronsim import CronSim

from billclock.cron import CronError, Expression

ROUNDS = 5
RUNS = 100
PARSINGS = 10
START = datetime(2026, 1, 15, 10, 7, 23)
BARS = {
    "sequence": (25, 60),
    "one by one": (25, 60),
    "zone": (8, None),
    "zone, one by one": (8, None),
    "parse": (4, 18),
}

ARTICLE = """\
23 0-23/2 * * *|0 1 * * *|0 3 * * *|* * * * *|25 2 1 * *|0 6,18 * * *|0 2,14 * * *|1 0 * * *
15 2 * * *|2 * * * *|15 0 * * *|30 0 * * *|40 */3 * * *|20 * * * *|5 18 * * *|*/10 * * * *
30 */4 * * *|54 * * * *|10 3 1 * *|0 12 * * *|30 */12 * * *|* 5 4-10 1-4 *|0 5 4-10 1-4 *"""
EVERYDAY = """\
*/5 * * * *|*/15 * * * *|0 * * * *|*/30 * * * *|0 0 * * *|0 2 * * *|0 4 * * *|30 3 * * *|0 9 * * 1-5
0 18 * * mon-fri|0 0 * * 0|0 0 * * sun|0 0 1 * *|0 0 1 1 *|0 0 1,15 * *|0 */2 * * *|0 */6 * * *
15 */4 * * *|5 4 * * sun|0 22 * * 1-5|23 0-20/2 * * *|0 8-18 * * *|*/10 9-17 * * 1-5|0 0 1 */3 *
0 0 1 1,4,7,10 *|17 * * * *|25 6 * * *|47 6 * * 7|52 6 1 * *|0 7 * * 1|0 12 1 * *|10 0 * * *
45 23 * * 6|*/2 * * * *|*/3 * * * *|0,30 * * * *|15,45 * * * *|0 6-22/2 * * *|59 23 * * *
0 3 * * 2,4|30 1 * * sat|0 20 * * fri|*/20 * * * *|5 0 * 8 *|0 10 * jan-mar mon"""
NASTY = """\
0 0 29 2 *|0 0 29 2 1|0 0 */28 2 1|0 0 31 * *|0 0 31 12 5|0 0 13 * 5|0 0 */2 * sun|* * 29 2 *
59 23 31 12 *|0 0 30 4,6,9,11 *|*/7 */5 */3 */2 *|*/59 * * * *|0 0 * * */2|1-59/2 1-23/2 * * *
0 12 8-14 * 2|0 0 1-7 * 0|*,5 4 * * *|5,* 2 * * *|30 2 * * *|0-59 2 * * *|0 0 28-31 * *
0 0 */10,31 * *|0 0 * 2 6|7 7 7 7 7|0 0 1 1 0|*/13 */7 1-31/5 * *|0 0 31 1,3,5 *"""
GENERATED = 135
SEED = 20260115

Peer = Callable[[str, datetime], Iterator[Any]]
PEERS: dict[str, Peer] = {
    "billclock": lambda text, start: Expression.parse(text).upcoming(start),
    "cronsim": CronSim,
    "croniter": lambda text, start: croniter(text, start, ret_type=datetime),
}
FIRST: dict[str, Callable[[str, datetime], Any]] = {
    "billclock": lambda text, start: Expression.parse(text).next(start),
    "cronsim": lambda text, start: next(CronSim(text, start)),
    "croniter": lambda text, start: croniter(text, start).get_next(datetime),
}


def main() -> None:
    """Measure, print a table, or with --json the figures as one object."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", action="store_true")
    arguments = options.parse_args()
    texts = mix()
    zoned = START.replace(tzinfo=ZoneInfo("Europe/Berlin"))
    figures = {
        "sequence": measured(lambda peer: sequence(peer, texts, START)),
        "one by one": measured(lambda peer: one_by_one(peer, texts, START)),
        "zone": measured(lambda peer: sequence(peer, texts, zoned)),
        "zone, one by one": measured(lambda peer: one_by_one(peer, texts, zoned)),
        "parse": measured(lambda peer: parsing(peer, texts)),
    }
    result = {"expressions": len(texts), "runs": RUNS, "rounds": ROUNDS} | {
        question: verdict(question, seconds) for question, seconds in figures.items()
    }
    print(json.dumps(result, indent=2) if arguments.json else table(result))


def mix() -> list[str]:
    """Return the distinct expressions of the mix that every peer accepts."""
    written = f"{ARTICLE}|{EVERYDAY}|{NASTY}".replace("\n", "|").split("|")
    chance = random.Random(SEED)
    made = [generated(chance) for _ in range(GENERATED)]
    return [text for text in dict.fromkeys(written + made) if accepted(text)]


def generated(chance: random.Random) -> str:
    """Return an expression whose fields are stars, steps, numbers, ranges and lists by chance."""
    bounds = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
    return " ".join(field(chance, low, high) for low, high in bounds)


def field(chance: random.Random, low: int, high: int) -> str:
    """Return one field: a star for dates twice as often as the other kinds."""
    first, last = sorted(chance.sample(range(low, high + 1), 2))
    step = chance.randint(2, 9)
    kinds = ["*", f"*/{step}", str(first), f"{first}-{last}", f"{first}-{last}/{step}"]
    weights = [4 if high < 32 else 1, 2, 3, 1, 1]
    return ",".join([*chance.choices(kinds, weights), *[str(last)] * (chance.random() < 0.2)])


def accepted(text: str) -> bool:
    """Tell whether every peer has a first run for an expression."""
    try:
        return all(first(text, START) for first in FIRST.values())
    except (CronError, ValueError):
        return False


def measured(work: Callable[[str], float]) -> dict[str, float]:
    """Return each peer's microseconds for one answer, the median of the rounds."""
    names = list(PEERS)
    rounds: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(ROUNDS):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            rounds[name].append(work(name) * 1e6)
    return {name: statistics.median(times) for name, times in rounds.items()}


def sequence(peer: str, texts: list[str], start: datetime) -> float:
    """Return the seconds a run takes when a peer gives many in a row; parsing is not counted."""
    iterators = [PEERS[peer](text, start) for text in texts]
    begin = time.thread_time()
    for iterator in iterators:
        deque(islice(iterator, RUNS), maxlen=0)
    return (time.thread_time() - begin) / len(texts) / RUNS


def one_by_one(peer: str, texts: list[str], start: datetime) -> float:
    """Return the seconds a run takes when each is asked for alone; parsing is not counted."""
    questions = [question(peer, text, start) for text in texts]
    begin = time.thread_time()
    for ask in questions:
        moment = start
        for _ in range(RUNS):
            moment = ask(moment)
    return (time.thread_time() - begin) / len(texts) / RUNS


def question(peer: str, text: str, start: datetime) -> Callable[[datetime], Any]:
    """Return what gives a peer's run after another; the others only know where they are."""
    if peer == "billclock":
        return Expression.parse(text).next
    iterator = PEERS[peer](text, start)
    return lambda _: next(iterator)


def parsing(peer: str, texts: list[str]) -> float:
    """Return the seconds a peer takes to read an expression and to give its first run."""
    first = FIRST[peer]
    begin = time.thread_time()
    for _ in range(PARSINGS):
        for text in texts:
            first(text, START)
    return (time.thread_time() - begin) / len(texts) / PARSINGS


def verdict(question: str, micros: dict[str, float]) -> dict[str, Any]:
    """Return the microseconds, how many times faster than each peer we are, and the bars."""
    ours = micros["billclock"]
    rivals = ("cronsim", "croniter")
    return {
        "microseconds": {name: round(value, 3) for name, value in micros.items()},
        "times_faster": {name: round(micros[name] / ours, 1) for name in rivals},
        "bars": dict(zip(rivals, BARS[question], strict=True)),
        "reached": all(
            bar is None or micros[name] / ours >= bar
            for name, bar in zip(rivals, BARS[question], strict=True)
        ),
    }


def table(result: dict[str, Any]) -> str:
    """Return the figures as a text table."""
    head = f"{'microseconds':18}{'billclock':>11}{'cronsim':>10}{'croniter':>10}"
    lines = [f"{result['expressions']} expressions", f"{head}   times faster (bar)"]
    for question in BARS:
        row = result[question]
        cells = row["microseconds"]
        times = ", ".join(
            f"{name} {row['times_faster'][name]} ({bar or '-'})"
            for name, bar in row["bars"].items()
        )
        lines.append(
            f"{question:18}{cells['billclock']:11.3f}{cells['cronsim']:10.2f}"
            f"{cells['croniter']:10.2f}   {times}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
