"""Telling use from polling. Pages that nobody looks at go on asking, at a beat; people have none."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Hashable, Sequence

REMEMBERED = 512  # keys
BEATS = 10  # of a key
LAGS = range(1, 5)  # as many pages may poll the same thing, each at its own moment
AGREES = 0.15  # two gaps are the same when they differ by less than this share
BURST = 3  # requests off the beat within
WINDOW = 60.0  # seconds are use: a single late one is not


class Pulse:
    def __init__(self) -> None:
        self._beats: OrderedDict[Hashable, deque[float]] = OrderedDict()
        self._odd: deque[float] = deque(maxlen=BURST)

    def beat(self, key: Hashable, at: float) -> bool:
        """Something of kind ``key`` came at ``at`` (seconds). Whether somebody uses the app, as far as this tells."""
        beats = self._beats.setdefault(key, deque(maxlen=BEATS))
        self._beats.move_to_end(key)
        if len(self._beats) > REMEMBERED:
            self._beats.popitem(last=False)
        beats.append(at)
        if regular(beats):
            return False
        self._odd.append(at)
        return len(self._odd) == BURST and at - self._odd[0] <= WINDOW


def regular(beats: Sequence[float]) -> bool:
    """Whether the last of ``beats`` came as long after its predecessor as most before it. With several pages polling,
    that is the predecessor of the same page."""
    times = list(beats)
    for lag in LAGS:
        gaps = [later - earlier for earlier, later in zip(times, times[lag:], strict=False)]
        if not gaps:
            return False
        last, before = gaps[-1], gaps[-6:-1]
        if sum(abs(gap - last) <= AGREES * last for gap in before) >= 3:
            return True
    return False
