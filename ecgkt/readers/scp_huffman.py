"""The Huffman code of SCP-ECG (EN 1064 annex C): the default table, and bits -> numbers.

What stands at a bit is looked up for all bits at once, in a table of 16 bits; what is left to do one by one is to step
from code to code. A minute of 12 leads at 2,000 Hz takes a few tenths of a second.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecgkt.ecg import ECGError

# Prefix -> (value, number of bits behind the prefix that hold the value itself).
Codes = dict[str, tuple[int, int]]
DEFAULT: Codes = {
    "0": (0, 0),
    **{"1" * k + sign: (value, 0) for k in range(1, 9) for sign, value in (("00", k), ("01", -k))},
    "1111111110": (0, 8),
    "1111111111": (0, 16),
}
MAX_CODES = 1024  # of a table; the default one has 19
LONGEST_PREFIX = 16  # bits


@dataclass(frozen=True)
class Lookup:
    """What begins with each number of 16 bits, [65536]: its whole length in bits (0 where no code begins so), the
    length of its prefix, and its value where no bits follow the prefix."""

    lengths: np.ndarray
    prefixes: np.ndarray
    values: np.ndarray

    @classmethod
    def of(cls, codes: Codes) -> Lookup:
        lengths, prefixes, values = (np.zeros(1 << LONGEST_PREFIX, dtype=kind) for kind in ("u1", "u1", "i4"))
        for code in sorted(codes, key=len, reverse=True):  # the shortest that fits is the one
            value, more = codes[code]
            first = int(code, 2) << (LONGEST_PREFIX - len(code))
            span = slice(first, first + (1 << (LONGEST_PREFIX - len(code))))
            lengths[span], prefixes[span], values[span] = len(code) + more, len(code), value
        return cls(lengths, prefixes, values)

    def decode(self, data: memoryview, count: int) -> tuple[np.ndarray, str]:
        """[count] numbers from coded bits, highest bit of a byte first; and the bits that are left.

        Raises ECGError where bits are no code, or end too early.
        """
        padded = np.zeros(len(data) + 8, dtype=np.uint64)
        padded[: len(data)] = np.frombuffer(data, dtype=np.uint8)
        three = (padded[:-2] << np.uint64(16)) | (padded[1:-1] << np.uint64(8)) | padded[2:]
        shifts = np.arange(8, 0, -1, dtype=np.uint64)
        windows = ((three[: len(data), None] >> shifts) & np.uint64(0xFFFF)).astype(np.uint16).ravel()
        steps: list[int] = self.lengths[windows].tolist()
        places, place, end = [0] * count, 0, len(steps)
        for number in range(count):
            if place >= end or not (step := steps[place]):
                raise ECGError("The SCP-ECG file's samples are not coded by its Huffman table.")
            places[number] = place
            place += step
        if place > end:
            raise ECGError("The SCP-ECG file's samples end too early.")
        at = np.array(places)
        found = windows[at]
        prefixes = self.prefixes[found].astype(np.int64)
        more = self.lengths[found] - prefixes
        values = self.values[found].astype(float)
        behind = np.flatnonzero(more)
        values[behind] = _twos_complement(padded, at[behind] + prefixes[behind], more[behind])
        rest = "".join(format(byte, "08b") for byte in data[place // 8 : place // 8 + 4])
        return values, rest[place % 8 :]


def _twos_complement(padded: np.ndarray, at: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """The numbers of `sizes` bits (31 at most) that begin at the bits `at`."""
    first = at // 8
    word = np.zeros(len(at), dtype=np.uint64)
    for k in range(5):  # 31 bits may begin at the last bit of a byte
        word = (word << np.uint64(8)) | padded[first + k]
    raw = (word >> (40 - at % 8 - sizes).astype(np.uint64)).astype(np.int64) & ((1 << sizes) - 1)
    return np.where(raw >> (sizes - 1) != 0, raw - (1 << sizes), raw)
