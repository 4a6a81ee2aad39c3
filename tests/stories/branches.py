"""All crashes of a run from one play: at each chosen step the process forks, and the copy goes on with the crash.

What came before a crash is then played once, not once a crash. A copy sends what it found through a pipe, and ends.
"""

from __future__ import annotations

import os
import pickle
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.stories.world import Crashes


@dataclass
class Branches:
    """Which steps crash: `choose[0]` the first crash of a run, `choose[1]` the second; each makes a run of its own."""

    choose: Sequence[Crashes]
    crashed: list[tuple[int, str]] = field(default_factory=list)  # of this run
    found: list[Any] = field(default_factory=list)  # what the copies found
    pipe: int | None = None  # of a copy, to the process it was made from

    def __call__(self, step: int, what: str) -> bool:
        """Whether this process crashes here: the copy does, the process goes on once the copy is over."""
        if len(self.crashed) == len(self.choose) or not self.choose[len(self.crashed)](step, what):
            return False
        reader, writer = os.pipe()
        copy = os.fork()
        if not copy:
            os.close(reader)
            self.pipe, self.found = writer, []
            self.crashed.append((step, what))
            return True
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            self.found += pickle.loads(pipe.read() or pickle.dumps([f"the copy at step {step} died"]))  # noqa: S301 - our own copy
        os.waitpid(copy, 0)
        return False

    def play(self, run: Callable[[], Any]) -> list[Any]:
        """Play a run and its copies. What each found; the text of the error where one failed."""
        try:
            found: Any = run()
        except Exception:  # noqa: BLE001 - told where the others are
            found = traceback.format_exc()
        except BaseException:
            if self.pipe is not None:
                os._exit(1)
            raise
        if self.pipe is None:
            return [found, *self.found]
        with os.fdopen(self.pipe, "wb") as pipe:
            pickle.dump([found, *self.found], pipe)
        os._exit(0)
