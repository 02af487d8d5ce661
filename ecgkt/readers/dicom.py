"""DICOM ECG waveforms (12-lead, general and ambulatory ECG storage; PS3.3 C.10.9), by pydicom."""

from __future__ import annotations

import math
import warnings
from io import BytesIO
from typing import Any

import numpy as np

from ecgkt.ecg import ECG, ECGError
from ecgkt.readers.format import (
    LEAD_CODES,
    MAX_SECONDS,
    MAX_SIGNALS,
    MILLIVOLTS,
    NEEDED,
    Files,
    Format,
    check_rate,
    incomplete,
    measured,
    sex_of,
    shortened,
    years,
)
from ecgkt.readers.lead_names import lead_name

# Before the lead's number in MDC ("2:61") and SCP-ECG ("5.6.3-9-61"): PS3.16 CID 3001.
CODE_PREFIX = {"MDC": "2:", "SCPECG": "5.6.3-9-"}
# Only these elements are ever parsed: no name, identifier, date or institution is read.
ELEMENTS = ["SpecificCharacterSet", "SOPClassUID", "PatientAge", "PatientSex", "WaveformSequence"]
DEFLATED = b"1.2.840.10008.1.2.1.99"  # transfer syntax, PS3.5 A.5
# Bits allocated and interpretation (PS3.3 C.10.9.1.5) -> NumPy's type. Not here: A-law and mu-law, not linear.
SAMPLE_TYPES = {
    (8, "SB"): "i1",
    (8, "UB"): "u1",
    (16, "SS"): "i2",
    (16, "US"): "u2",
    (32, "SL"): "i4",
    (32, "UL"): "u4",
}
AGE_UNITS = {"Y": 1.0, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}  # PS3.5, value representation AS


def is_dicom(content: bytes) -> bool:
    """A DICOM file has "DICM" behind its 128-byte preamble (PS3.10 7.1)."""
    return content[128:132] == b"DICM"


def read_dicom(files: Files) -> ECG:
    """One DICOM file -> ECG in mV of the longest recorded group (a median beat is not a rhythm).

    Raises ECGError for a file that is no ECG waveform, lacks a lead, or states a unit other than uV or mV.
    """
    if len(files) != 1:
        raise ECGError("A DICOM ECG is one file.")
    (content,) = files.values()
    dataset = _parse(content)
    groups = list(dataset.get("WaveformSequence") or [])
    if not groups:
        raise ECGError("This DICOM file holds no waveform.")
    index = _rhythm_group(groups)
    try:
        return _ecg(dataset, index)
    except ECGError:
        raise
    except Exception:  # a malformed element; the library's words may quote it
        raise ECGError("The DICOM waveform is malformed.") from None


def _parse(content: bytes) -> Any:
    from pydicom import dcmread

    # The file's meta information stands in its first bytes. pydicom would inflate such a file without a limit.
    if DEFLATED in content[:2048]:
        raise ECGError("Compressed DICOM files are not read.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's warnings quote the values of elements
        try:
            return dcmread(BytesIO(content), force=False, specific_tags=list(ELEMENTS))
        except Exception:
            raise ECGError("The DICOM file is malformed.") from None


def _rhythm_group(groups: list[Any]) -> int:
    """Index of the longest group with a full set of leads that is not an average beat."""
    best, longest, most = -1, 0.0, frozenset[str]()
    for i, group in enumerate(groups):
        label = str(group.get("MultiplexGroupLabel") or "").lower()
        if "median" in label or "average" in label or group.get("WaveformOriginality") == "DERIVED":
            continue
        leads = frozenset(_lead(channel) for channel in group.get("ChannelDefinitionSequence") or [])
        most = max(most, leads, key=lambda held: len(held & NEEDED))
        seconds = float(group.get("NumberOfWaveformSamples") or 0) / float(group.get("SamplingFrequency") or math.inf)
        if leads >= NEEDED and seconds > longest:
            best, longest = i, seconds
    if best < 0:
        raise ECGError(f"This DICOM file holds no recording of all 12 leads at once: {incomplete(list(most))}.")
    return best


def _lead(channel: Any) -> str:
    for source in channel.get("ChannelSourceSequence") or []:
        prefix = CODE_PREFIX.get(str(source.get("CodingSchemeDesignator") or ""))
        code = str(source.get("CodeValue") or "")
        number = code.removeprefix(prefix) if prefix and code.startswith(prefix) else ""
        if number.isdecimal() and int(number) in LEAD_CODES:
            return LEAD_CODES[int(number)]
        name = lead_name(str(source.get("CodeMeaning") or ""))
        if name:
            return name
    return lead_name(str(channel.get("ChannelLabel") or ""))


def _ecg(dataset: Any, index: int) -> ECG:
    group = dataset.WaveformSequence[index]
    rate = float(group.SamplingFrequency)
    check_rate(rate)
    channels = list(group.ChannelDefinitionSequence)
    if len(channels) > MAX_SIGNALS or len(channels) != int(group.NumberOfWaveformChannels):
        raise ECGError(f"The DICOM waveform must describe each of its channels, at most {MAX_SIGNALS}.")
    raw = _samples(group, len(channels), little_endian=dataset.original_encoding[1] is not False)
    length = raw.shape[1]
    used = min(length, int(MAX_SECONDS * rate))
    notes = [shortened(length / rate)] if used < length else []
    values = measured(raw[:, :used]) if raw.dtype.kind == "i" else raw[:, :used].astype(np.float64)
    padding = group.get("WaveformPaddingValue")
    if padding is not None:
        code = float(np.frombuffer(padding, raw.dtype)[0] if isinstance(padding, bytes) else padding)
        missing = values == code
        # Padding is a value that no true sample has. Where it lies among the others, as 0 does, nothing was padded.
        if (values[~missing] > code).any() and (values[~missing] < code).any():
            notes += ["The file's padding value is one that samples have, so none is taken as missing"]
        else:
            values[missing] = np.nan
    names = [_lead(channel) for channel in channels]
    for row, (name, channel) in enumerate(zip(names, channels, strict=True)):
        if name:
            values[row] = _millivolts(values[row], channel)
    age = str(dataset.get("PatientAge") or "")
    number = years(age[:-1]) if age[-1:] in AGE_UNITS else None
    return ECG.from_leads(
        names,
        values.astype(np.float32),
        rate,
        number * AGE_UNITS[age[-1]] if number is not None else None,
        sex_of(str(dataset.get("PatientSex") or "")),
        notes,
    )


def _samples(group: Any, channels: int, *, little_endian: bool) -> np.ndarray:
    """[channels, samples] of a group in their own type, which stand channel after channel, sample by sample.

    Raises ECGError for other types and for another size than the group states.
    """
    kind = SAMPLE_TYPES.get((int(group.WaveformBitsAllocated), str(group.WaveformSampleInterpretation)))
    if kind is None:
        raise ECGError("The DICOM waveform's samples are of a type that is not read.")
    count = int(group.NumberOfWaveformSamples)
    data = bytes(group.WaveformData)
    needed = count * channels * np.dtype(kind).itemsize
    if count < 1 or not needed <= len(data) <= needed + 1:  # one byte more where the size is odd
        raise ECGError("The DICOM waveform is not as long as it states.")
    order = "<" if little_endian else ">"
    return np.frombuffer(data[:needed], dtype=order + kind).reshape(count, channels).T


def _millivolts(values: np.ndarray, channel: Any) -> np.ndarray:
    """Stored value x sensitivity x correction + baseline (PS3.3 C.10.9.1.4.2-3), in mV."""
    if float(channel.get("ChannelTimeSkew") or 0) or float(channel.get("ChannelSampleSkew") or 0):
        raise ECGError("DICOM channels with a skew are not read.")
    units = channel.get("ChannelSensitivityUnitsSequence")
    scale = MILLIVOLTS.get(str(units[0].CodeValue).lower()) if units else None
    if scale is None:
        raise ECGError("A lead's unit in the DICOM file is neither mV nor uV.")
    correction = channel.get("ChannelSensitivityCorrectionFactor")
    gain = float(channel.ChannelSensitivity) * float(1 if correction is None else correction)
    offset = float(channel.get("ChannelBaseline") or 0)
    if not math.isfinite(gain) or gain == 0 or not math.isfinite(offset):
        raise ECGError("A lead's sensitivity in the DICOM file is zero or not a number.")
    return (values * gain + offset) * scale


FORMAT = Format("DICOM ECG", "one .dcm file", ("dcm",), is_dicom, lambda name, content: (), lambda name: (), read_dicom)
