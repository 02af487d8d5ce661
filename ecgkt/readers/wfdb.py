"""WFDB: a text header (.hea) with its signal files (.dat, or the Challenge's .mat with a 24-byte offset).

The wfdb library decodes all but format 16; it sees only a header that we wrote, with names of our own, in a folder of
our own. It opens the network for some names, so no string of a user's ever reaches it.
"""

from __future__ import annotations

import tempfile
from itertools import groupby
from pathlib import Path

import numpy as np

from ecgkt.ecg import ECG, ECGError
from ecgkt.readers.format import MAX_SECONDS, NO_SAMPLE, Files, Format, shortened
from ecgkt.readers.matlab import is_matrix, matrix_by_sample
from ecgkt.readers.other_files import POINTER, is_pointer
from ecgkt.readers.wfdb_header import BYTES_PER_SAMPLE, Header, Signal, is_header, parse_header

# Gains that public data sets state by mistake (ADC units/mV) -> the true one. 4880: the first Georgia release of
# PhysioNet/CinC Challenge 2020, about five times too small; 2,000,000: its PTB records, whose samples are PTB's own
# (2000/mV) halved. Believed to be a mistake only where the amplitude is absurd as stated.
WRONG_GAINS = {4880.0: 1000.0, 2_000_000.0: 1000.0}
# mV: median over leads of the span of the middle 99.8% of samples. Ordinary are 0.8-2.5 mV, which 4880 shrinks below.
SMALLEST_TYPICAL_SPAN = 0.6


def read_wfdb(files: Files) -> ECG:
    """Files of one record, by name -> ECG in mV, missing samples NaN, age and sex from the header's comments.

    Raises ECGError for a header that `parse_header` refuses, a file that is not there or shorter than declared, and a
    missing lead. Of a longer recording the first 60 s are read.
    """
    headers = [content for content in files.values() if is_header(content)]
    if len(headers) != 1:
        raise ECGError("A WFDB record needs one header (.hea) and its signal file (.dat or .mat).")
    header = parse_header(headers[0]).of_leads()
    files, notes = _by_lead(header, files)
    length = _length(header, files)
    used = min(length, int(MAX_SECONDS * header.rate))
    notes += [shortened(length / header.rate)] if used < length else []
    signal = _decode(header, files, used)
    gains = {s.gain for s in header.signals if s.lead}
    true_gain = WRONG_GAINS.get(next(iter(gains))) if len(gains) == 1 else None
    if true_gain is not None and _typical_span(signal, header) < SMALLEST_TYPICAL_SPAN:
        stated = gains.pop()
        signal = signal * np.float32(stated / true_gain)
        notes.append(
            f"The header's gain of {stated:.0f} per mV is a known mistake of its data set; "
            f"{true_gain:.0f} per mV is used"
        )
    return ECG.from_leads([s.lead for s in header.signals], signal, header.rate, header.age, header.sex, notes)


def _by_lead(header: Header, files: Files) -> tuple[dict[str, bytes], list[str]]:
    """The signal files that there are, and what was done to them: a MATLAB matrix of leads by samples is turned.

    Raises ECGError for the text that stands for a file, and for a MATLAB file of another kind than the header states.
    """
    found, notes = {}, []
    for name in header.files:
        if name not in files:
            continue
        content = files[name]
        if is_pointer(content):
            raise ECGError(POINTER)
        block = [signal for signal in header.signals if signal.file == name]
        if is_matrix(content) or (name.lower().endswith(".mat") and block[0].offset):
            content, turned = matrix_by_sample(content, len(block), block[0])
            notes += ["The MATLAB matrix was stored with a row a sample, and was turned"] if turned else []
        found[name] = content
    return found, notes


def _length(header: Header, files: Files) -> int:
    """Samples a signal: what the header declares if every file holds it, else what the smallest file holds."""
    lengths = []
    for name in header.files:
        if name not in files:
            raise ECGError("The signal file that the WFDB header names is missing; give both files together.")
        if not files[name]:
            raise ECGError("The signal file that the WFDB header names is empty.")
        block = [s for s in header.signals if s.file == name]
        room = (len(files[name]) - block[0].offset) / BYTES_PER_SAMPLE[block[0].code]
        lengths.append(int(room) // len(block))
    held = min(lengths)
    if header.length is not None and held < header.length:
        raise ECGError("The WFDB signal file is shorter than its header declares.")
    length = held if header.length is None else header.length
    if length < 2:
        raise ECGError("The WFDB record has no samples.")
    return length


def _decode(header: Header, files: Files, length: int) -> np.ndarray:
    """[signals, length] float32 mV."""
    if all(signal.code == "16" for signal in header.signals):
        return _sixteen_bits(header, files, length)
    import wfdb  # half a second, needed by this format only

    with tempfile.TemporaryDirectory(prefix="ecgkt-") as folder:
        lines = [f"record {len(header.signals)} {header.rate:.6f} {length}"]
        for i, (name, block) in enumerate(groupby(header.signals, key=lambda s: s.file)):
            Path(folder, f"signal{i}.dat").write_bytes(files[name])
            lines += [_line(f"signal{i}.dat", s) for s in block]
        Path(folder, "record.hea").write_text("\n".join(lines) + "\n", encoding="ascii")
        try:
            record = wfdb.rdrecord(str(Path(folder, "record")), sampto=length)
        except Exception:  # whatever the library trips over, its message may quote the file
            raise ECGError("The WFDB signal file could not be decoded.") from None
    signal = np.asarray(record.p_signal, dtype=np.float32).T
    if signal.shape != (len(header.signals), length):
        raise ECGError("The WFDB signal file could not be decoded.")
    return signal


def _sixteen_bits(header: Header, files: Files, length: int) -> np.ndarray:
    """The same of format 16, which most records have and which is nothing but an array: .1 ms in place of the library's
    3, and the same numbers to the last bit."""
    blocks = []
    for name, signals in groupby(header.signals, key=lambda s: s.file):
        block = list(signals)
        stored = np.frombuffer(files[name], "<i2", length * len(block), block[0].offset).reshape(length, -1).T
        baseline, gain = (np.array([[getattr(s, key)] for s in block], dtype=float) for key in ("baseline", "gain"))
        blocks.append(np.where(stored == NO_SAMPLE, np.nan, (stored - baseline) / gain))
    return np.concatenate(blocks).astype(np.float32)


def _line(name: str, signal: Signal) -> str:
    scale = f"{signal.gain:.9f}({signal.baseline})/mV"
    return f"{name} {signal.code}+{signal.offset} {scale} 0 0 0 0 0 {signal.lead or 'x'}"


def _typical_span(signal: np.ndarray, header: Header) -> float:
    rows = signal[[i for i, s in enumerate(header.signals) if s.lead]]
    finite = np.where(np.isfinite(rows), rows, 0)
    low, high = np.percentile(finite, [0.1, 99.9], axis=1)
    return float(np.median(high - low))


def _companions(name: str, content: bytes) -> tuple[str, ...]:
    return parse_header(content).files


def _main_names(name: str) -> tuple[str, ...]:
    stem = name.rsplit(".", 1)[0]
    return (f"{stem}.hea", f"{name}.hea")


FORMAT = Format(
    "WFDB",
    "header (.hea) together with its signal file (.dat or .mat)",
    ("hea", "dat", "mat"),
    is_header,
    _companions,
    _main_names,
    read_wfdb,
)
