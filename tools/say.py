"""What the set-up says: one-line messages and progress, on standard error: standard output stays clean."""

import shutil
import sys
import time
from typing import TextIO


class SetupError(Exception):
    """Something a person has to mend; the message is what they read, and says how."""


def say(line: str) -> None:
    """Print one plain line."""
    print(line, file=sys.stderr, flush=True)


class Progress:
    """How far a long job is: one line redrawn on a terminal, elsewhere a plain line per phase and tenth."""

    REDRAW_SECONDS = 0.1
    PLAIN_SECONDS = 5.0  # at least, between two plain lines of one phase
    TENTHS = 10

    def __init__(self, title: str, stream: TextIO | None = None) -> None:
        self.title = title
        self.stream = stream or sys.stderr
        self.started = time.monotonic()
        self.on_terminal = self.stream.isatty()
        self._drawn_at = 0.0
        self._phase = ""
        self._tenth = 0

    def show(self, phase: str, fraction: float | None = None, detail: str = "") -> None:
        """`fraction` of the phase is done, 0 to 1, None when nobody knows; `detail` is for terminals."""
        percent = "" if fraction is None else f" {min(fraction, 1.0):4.0%}"
        now = time.monotonic()
        if self.on_terminal:
            if now - self._drawn_at >= self.REDRAW_SECONDS:
                self._drawn_at = now
                width = shutil.get_terminal_size().columns
                line = f"{self.title}: {phase}{percent} {self._elapsed()} {detail}"
                self.stream.write("\r\033[K" + line[: width - 1])
                self.stream.flush()
            return
        tenth = 0 if fraction is None else int(fraction * self.TENTHS)
        further = tenth > self._tenth and now - self._drawn_at >= self.PLAIN_SECONDS
        if phase != self._phase or further:
            self._phase, self._tenth, self._drawn_at = phase, tenth, now
            print(f"{self.title}: {phase}{percent} {self._elapsed()}", file=self.stream, flush=True)

    def done(self, outcome: str) -> None:
        """Close the line: the job ended with `outcome`."""
        clear = "\r\033[K" if self.on_terminal else ""
        print(f"{clear}{self.title}: {outcome} {self._elapsed()}", file=self.stream, flush=True)

    def _elapsed(self) -> str:
        minutes, seconds = divmod(int(time.monotonic() - self.started), 60)
        return f"({minutes}:{seconds:02d})"
