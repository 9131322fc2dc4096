"""`./dev torture`: run the torture program plain and under each sanitizer, or its negative controls."""

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

if __package__ in (None, ""):  # as a script
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from torture.breaks import BREAKS
from torture.build import SANITIZERS, TortureError, build, compiler_for

PATIENCE = 270  # seconds beyond those asked for, until a run counts as hung
CAUGHT, HUNG = 3, 4

OPTIONS = {
    "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=0",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
}


@dataclass(frozen=True)
class Setting:
    """One way to run: sanitizer, form (of the barrier: `membarrier`, `fence`; of the code heap: `dense`, `sealed`),
    scenario (`storm`, `few`, `tight`; `heap`)."""

    sanitizer: str
    form: str
    scenario: str

    @property
    def unit(self) -> str:
        return "heap" if self.scenario == "heap" else "epoch"


@dataclass(frozen=True)
class Outcome:
    """What one run said. `caught`: by what and what it found, empty when nothing; `report`: its counters."""

    setting: Setting
    seed: int
    seconds: float
    caught: str
    report: dict[str, object]
    output: str


# ThreadSanitizer knows nothing of membarrier, and does not mind.
SETTINGS = {
    sanitizer: [
        *(
            Setting(sanitizer, barrier, scenario)
            for barrier in (("fence",) if sanitizer == "thread" else ("membarrier", "fence"))
            for scenario in ("storm", "few", "tight")
        ),
        *(Setting(sanitizer, form, "heap") for form in ("dense", "sealed")),
    ]
    for sanitizer in SANITIZERS
}

# Where a control shows soonest; what is not here is run in TRIALS. Each entry is tried in turn.
TRIALS = [Setting("none", "fence", scenario) for scenario in ("tight", "few", "storm")] + [
    Setting("address", "fence", scenario) for scenario in ("few", "storm")
]
_RACE = [Setting("thread", "fence", scenario) for scenario in ("storm", "few", "tight")]
TRIALS_OF = {
    "reader_fence": [Setting("none", "fence", "tight")],
    "driver_fence": [Setting("none", "membarrier", "tight")],
    **dict.fromkeys(
        ("pin_acquire", "pin_release", "publish_release", "record_release", "leave_release", "stamp_order"), _RACE
    ),
    **dict.fromkeys(("check_acquire", "scan_acquire", "retire_release", "driving_release"), _RACE),
    **dict.fromkeys(("records_release", "taken_release"), _RACE),
    "chunk_release": _RACE[:1],  # only there readers go deep
}
# x86 does not reorder what these leave free and ThreadSanitizer does not look at it: weaker machines do.
# torture/README.md says for each why it cannot show here.
MODEL_ONLY = {"pin_acquire", "pin_release", "stamp_order", "check_acquire"}


# What shows only while records are new: many short runs.
SHORT = {"chunk_release", "records_release"}


def _what_was_found(status: int, output: str) -> str:
    """By what a run was ended, and the line that says so; empty for a good end."""
    if status == 0:
        return ""
    lines = output.splitlines()
    for line in lines:
        if line.startswith("torture: caught: "):
            return ("canary: " if status == CAUGHT else "watchdog: ") + line.removeprefix("torture: caught: ")
        for mark in (
            "SUMMARY: AddressSanitizer: ",
            "SUMMARY: ThreadSanitizer: ",
            "SUMMARY: UndefinedBehaviorSanitizer: ",
        ):
            if line.startswith(mark):
                return mark.split()[1] + " " + line.removeprefix(mark).split(" in ")[0].replace(os.getcwd() + "/", "")
    return f"killed by signal {-status}" if status < 0 else f"exit status {status}: {(lines or ['no output'])[-1]}"


def run_once(setting: Setting, seconds: float, seed: int, program: Path) -> Outcome:
    """Run the program for so long, and say what was found."""
    command = [str(program), "--seconds", str(seconds), "--seed", str(seed)]
    if setting.scenario in ("few", "tight"):
        command.append(f"--{setting.scenario}")
    if setting.form == "sealed":
        command.append("--sealed")
    environ = {**OPTIONS, **os.environ, "FTJIT_BARRIER": "fence" if setting.form == "fence" else ""}
    begin = time.monotonic()
    try:
        answer = subprocess.run(
            command, env=environ, capture_output=True, text=True, errors="replace", timeout=seconds + PATIENCE
        )
        status, output, out = answer.returncode, answer.stderr, answer.stdout
    except subprocess.TimeoutExpired:
        status, output, out = HUNG, "torture: caught: a hang\n", ""
    report = json.loads(out.splitlines()[-1]) if status == 0 and out else {}
    return Outcome(setting, seed, time.monotonic() - begin, _what_was_found(status, output), report, output)


def torture(sanitizers: list[str], seconds: float, seed: int, tag: str = "") -> list[Outcome]:
    """Every setting of these sanitizers, `seconds` for each sanitizer; one line for each as it ends."""
    print(f"{'sanitizer':10} {'form':11} {'scenario':8} {'entered':>10} {'swaps':>9} {'freed':>9} {'forks':>5}  found")
    outcomes = []
    for sanitizer in sanitizers:
        settings = [setting for setting in SETTINGS[sanitizer] if not tag or setting.unit == "epoch"]
        programs = {setting.unit: build(sanitizer, tag, setting.unit) for setting in settings}
        share = seconds / len(settings)
        for number, setting in enumerate(settings):
            outcome = run_once(setting, share, seed + number, programs[setting.unit])
            outcomes.append(outcome)
            report = outcome.report
            counts = [report.get(key, "-") for key in ("entered", "swaps", "freed", "forks")]
            print(
                f"{setting.sanitizer:10} {setting.form:11} {setting.scenario:8} {counts[0]:>10} {counts[1]:>9} "
                f"{counts[2]:>9} {counts[3]:>5}  {outcome.caught or 'nothing'}",
                flush=True,
            )
            if outcome.caught and not tag:
                print(f"seed {outcome.seed}:\n{outcome.output.strip()}", flush=True)
    return outcomes


@dataclass(frozen=True)
class Control:
    """One broken build: what caught it (empty: nothing within the limit) and after how many seconds of running."""

    tag: str
    caught: str
    setting: Setting | None
    seconds: float


def control(tag: str, limit: float, seed: int) -> Control:
    """Run the build that breaks `tag` in its settings, for longer and longer, until something is found."""
    spent, share, attempt = 0.0, 1.0, 0
    trials = TRIALS_OF.get(tag, TRIALS)
    programs = {setting.sanitizer: build(setting.sanitizer, tag) for setting in trials}
    while spent < limit:
        for setting in trials:
            outcome = run_once(
                setting, min(share, max(limit - spent, 0.5)), seed + attempt, programs[setting.sanitizer]
            )
            attempt += 1
            spent += outcome.seconds
            if outcome.caught:
                return Control(tag, outcome.caught, setting, spent)
        share = min(share * 2, 10.0 if tag not in SHORT else 2.0)
    return Control(tag, "", None, spent)


def controls(tags: list[str], limit: float, seed: int) -> list[Control]:
    """All these controls; one line for each as it ends."""
    print(f"{'control':18} {'after':>8}  caught by")
    results = []
    for tag in tags:
        result = control(tag, limit if tag not in MODEL_ONLY else min(limit, 4.0), seed)
        results.append(result)
        where = (
            f" [{result.setting.sanitizer}, {result.setting.form}, {result.setting.scenario}]" if result.setting else ""
        )
        silent = "nothing here, as expected: the model's" if tag in MODEL_ONLY else "NOTHING"
        print(f"{tag:18} {result.seconds:7.1f}s  {result.caught or silent}{where}", flush=True)
    return results


def at_hand() -> list[str]:
    """The sanitizers for which there is a compiler; says which are left out."""
    found = []
    for sanitizer in SANITIZERS:
        try:
            compiler_for(sanitizer)
            found.append(sanitizer)
        except TortureError as error:
            print(f"torture: without {sanitizer}: {error}", file=sys.stderr)
    if not found:
        raise TortureError("nothing to run")
    return found


def cost() -> None:
    """What a round of reclamation costs, in both forms of the barrier."""
    for barrier in ("", "fence"):
        environ = {**os.environ, "FTJIT_BARRIER": barrier}
        subprocess.run([str(build("none")), "--cost"], env=environ, check=True, timeout=120)


def main(arguments: list[str]) -> int:
    """The exit status: 0 when nothing was found (controls: when every one was caught), 1 otherwise, 2 misuse."""
    parser = argparse.ArgumentParser(prog="dev torture", description="Torture the reclamation core, without Python.")
    parser.add_argument("--seconds", type=float, default=10.0, help="for each sanitizer, or limit of each control")
    parser.add_argument("--sanitizer", choices=[*SANITIZERS, "all"], default="all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--break", dest="tag", default="", metavar="TAG", help="run the build that breaks TAG")
    parser.add_argument("--controls", nargs="*", metavar="TAG", help="run these controls, or all, until caught")
    parser.add_argument("--cost", action="store_true", help="measure a round of reclamation instead")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")
    chosen = parser.parse_args(arguments)
    wanted = [chosen.tag] if chosen.tag else chosen.controls or []
    for tag in wanted:
        if tag not in BREAKS:
            parser.error(f"there is no control {tag!r}: {', '.join(BREAKS)}")
    try:
        if chosen.cost:
            cost()
            return 0
        if chosen.controls is not None:
            found = controls(wanted or list(BREAKS), chosen.seconds, chosen.seed)
            good = all(bool(each.caught) != (each.tag in MODEL_ONLY) for each in found)
            results = [asdict(each) for each in found]
        else:
            sanitizers = at_hand() if chosen.sanitizer == "all" else [chosen.sanitizer]
            outcomes = torture(sanitizers, chosen.seconds, chosen.seed, chosen.tag)
            good = not any(outcome.caught for outcome in outcomes)
            results = [asdict(outcome) for outcome in outcomes]
    except TortureError as error:
        print(f"torture: {error}", file=sys.stderr)
        return 1
    if chosen.json:
        chosen.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
