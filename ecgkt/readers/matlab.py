"""The .mat files of WFDB records: MATLAB version 4, one int16 matrix, whose 20-byte header WFDB passes over.

Layout: "MAT-File Level 4 Format" in MathWorks' MAT-File Format. What is stored column by column is, for a matrix of
leads by samples, what WFDB expects: all leads of the first sample, then all of the second.
"""

from __future__ import annotations

import struct

import numpy as np

from ecgkt.ecg import ECGError
from ecgkt.readers.wfdb_header import Signal

MATLAB_5 = b"MATLAB 5.0 MAT-file"
MATLAB_7 = b"MATLAB 7.3 MAT-file"
INT16 = 30  # little-endian, full matrix of int16
HEADER = 20  # bytes: type, rows, columns, imaginary, length of the name that follows


def is_matrix(content: bytes) -> bool:
    """Does the file begin as MATLAB files do? In version 4 with the type, and a name of one character to 63."""
    if content.startswith((MATLAB_5, MATLAB_7)):
        return True
    if len(content) < HEADER:
        return False
    kind, rows, columns, imaginary, name = struct.unpack_from("<5i", content)
    return (kind, imaginary) == (INT16, 0) and rows > 0 and columns > 0 and 2 <= name <= 64


def matrix_by_sample(content: bytes, leads: int, signal: Signal) -> tuple[bytes, bool]:
    """The file with all leads of a sample side by side, and whether it had to be turned for that.

    signal: one of its signal lines. Raises ECGError, one sentence, for a file of another kind than that line states.
    """
    if content.startswith((MATLAB_5, MATLAB_7)):
        raise ECGError(
            "The .mat file is of MATLAB version 5 or later, but its WFDB header states the samples of a version 4 file."
        )
    if len(content) < HEADER:
        raise ECGError("The .mat file is too short to hold samples.")
    kind, rows, columns, imaginary, name = struct.unpack_from("<5i", content)
    start, size = HEADER + name, 2 * rows * columns
    if (kind, imaginary) != (INT16, 0) or signal.code != "16" or start != signal.offset or len(content) < start + size:
        raise ECGError("The .mat file is not the matrix of MATLAB version 4, in 16 bits, that its WFDB header states.")
    if rows == leads:
        return content, False
    if columns != leads:
        raise ECGError("The matrix of the .mat file does not have one row for each signal of the WFDB header.")
    table = np.frombuffer(content, dtype="<i2", count=rows * columns, offset=start).reshape(columns, rows)
    return content[:start] + table.T.tobytes(), True
