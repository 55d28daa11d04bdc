"""How long after the bare interpreter does a command answer that needs nothing but its words?"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

from _print import show

BAR = 20.0
ROOT = Path(__file__).resolve().parent.parent
CALLS = {
    "billclock --help": ("billclock", "['--help']"),
    "billclock runs -n none": ("billclock", "['runs', '-n', 'none']"),
    "mgrctl -o none": ("mgrctl", "['-o', 'none']"),
    "billmaintain": ("billmaintain", "[]"),
}
SCRIPT = (
    "import sys; sys.path.insert(0, {root!r}); "
    "from billclock.commands.{name} import main; main({words})"
)


def main() -> None:
    """Time each call in turn with the bare interpreter, and print the least of each."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=30)
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    programs = {"bare interpreter": "pass"}
    for call, (name, words) in CALLS.items():
        programs[call] = SCRIPT.format(root=str(ROOT), name=name, words=words)
    least = dict.fromkeys(programs, 1e9)
    for _ in range(chosen.rounds):
        for call, program in programs.items():
            began = time.perf_counter()
            subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, check=False)
            least[call] = min(least[call], 1000 * (time.perf_counter() - began))
    bare = least["bare interpreter"]
    rows = [
        {"command": call, "ms": took, "above the interpreter ms": took - bare, "bar ms": BAR}
        for call, took in least.items()
    ]
    show("Answers that need only the arguments", rows, as_json=chosen.json)


if __name__ == "__main__":
    main()
