"""DICOM ECG waveforms (12-lead, general and ambulatory ECG storage; PS3.3 C.10.9)."""

from __future__ import annotations

import math

import numpy as np

from ecgkt.ecg import ECG, ECGError
from ecgkt.readers.dicom_elements import DataSet, read_elements
from ecgkt.readers.format import (
    LEAD_CODES,
    MAX_RATE,
    MAX_SECONDS,
    MAX_SIGNALS,
    MILLIVOLTS,
    MIN_RATE,
    NEEDED,
    Files,
    Format,
    check_rate,
    check_scale,
    incomplete,
    measured,
    sex_of,
    shortened,
    years,
)
from ecgkt.readers.lead_names import lead_name

# Before the lead's number in MDC ("2:61") and SCP-ECG ("5.6.3-9-61"): PS3.16 CID 3001.
CODE_PREFIX = {"MDC": "2:", "SCPECG": "5.6.3-9-"}
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
    dataset = read_elements(content)
    groups = dataset.sequences.get("WaveformSequence", [])
    if not groups:
        raise ECGError("This DICOM file holds no waveform.")
    try:
        return _ecg(dataset, _rhythm_group(groups))
    except ECGError:
        raise
    except ValueError:  # a number that is none
        raise ECGError("The DICOM waveform is malformed.") from None


def _rhythm_group(groups: list[DataSet]) -> DataSet:
    """The longest group with a full set of leads that is not an average beat; of a rate that is read, if one is."""
    best, longest, most = None, (False, 0.0), frozenset[str]()
    for group in groups:
        label = group.text("MultiplexGroupLabel").lower()
        if "median" in label or "average" in label or group.text("WaveformOriginality") == "DERIVED":
            continue
        leads = frozenset(_lead(channel) for channel in group.sequences.get("ChannelDefinitionSequence", []))
        most = max(most, leads, key=lambda held: len(held & NEEDED))
        rate = group.number("SamplingFrequency")
        length = MIN_RATE <= rate <= MAX_RATE, group.count("NumberOfWaveformSamples") / (rate or math.inf)
        if leads >= NEEDED and length > longest:
            best, longest = group, length
    if best is None:
        raise ECGError(f"This DICOM file holds no recording of all 12 leads at once: {incomplete(list(most))}.")
    return best


def _lead(channel: DataSet) -> str:
    for source in channel.sequences.get("ChannelSourceSequence", []):
        prefix = CODE_PREFIX.get(source.text("CodingSchemeDesignator"))
        code = source.text("CodeValue")
        number = code.removeprefix(prefix) if prefix and code.startswith(prefix) else ""
        if number.isdecimal() and len(number) < 4 and int(number) in LEAD_CODES:
            return LEAD_CODES[int(number)]
        name = lead_name(source.text("CodeMeaning"))
        if name:
            return name
    return lead_name(channel.text("ChannelLabel"))


def _ecg(dataset: DataSet, group: DataSet) -> ECG:
    rate = group.number("SamplingFrequency")
    check_rate(rate)
    channels = group.sequences["ChannelDefinitionSequence"]
    if len(channels) > MAX_SIGNALS or len(channels) != group.count("NumberOfWaveformChannels"):
        raise ECGError(f"The DICOM waveform must describe each of its channels, at most {MAX_SIGNALS}.")
    raw = _samples(group, len(channels))
    length = raw.shape[1]
    used = min(length, int(MAX_SECONDS * rate))
    notes = [shortened(length / rate)] if used < length else []
    values = measured(raw[:, :used]) if raw.dtype.kind == "i" else raw[:, :used].astype(np.float64)
    padding = group.values.get("WaveformPaddingValue")
    if padding is not None and len(padding) >= raw.dtype.itemsize:
        code = float(np.frombuffer(padding, raw.dtype, count=1)[0])
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
    age = dataset.text("PatientAge")
    number = years(age[:-1]) if age[-1:] in AGE_UNITS else None
    return ECG.from_leads(
        names,
        values.astype(np.float32),
        rate,
        number * AGE_UNITS[age[-1]] if number is not None else None,
        sex_of(dataset.text("PatientSex")),
        notes,
    )


def _samples(group: DataSet, channels: int) -> np.ndarray:
    """[channels, samples] of a group in their own type, which stand channel after channel, sample by sample.

    Raises ECGError for other types and for another size than the group states.
    """
    kind = SAMPLE_TYPES.get((group.count("WaveformBitsAllocated"), group.text("WaveformSampleInterpretation")))
    if kind is None:
        raise ECGError("The DICOM waveform's samples are of a type that is not read.")
    count = group.count("NumberOfWaveformSamples")
    data = group.values.get("WaveformData", memoryview(b""))
    needed = count * channels * np.dtype(kind).itemsize
    if count < 1 or not needed <= len(data) <= needed + 1:  # one byte more where the size is odd
        raise ECGError("The DICOM waveform is not as long as it states.")
    order = "<" if group.little_endian else ">"
    return np.frombuffer(data[:needed], dtype=order + kind).reshape(count, channels).T


def _millivolts(values: np.ndarray, channel: DataSet) -> np.ndarray:
    """Stored value x sensitivity x correction + baseline (PS3.3 C.10.9.1.4.2-3), in mV."""
    if channel.number("ChannelTimeSkew") or channel.number("ChannelSampleSkew"):
        raise ECGError("DICOM channels with a skew are not read.")
    units = channel.sequences.get("ChannelSensitivityUnitsSequence")
    scale = MILLIVOLTS.get(units[0].text("CodeValue").lower()) if units else None
    if scale is None:
        raise ECGError("A lead's unit in the DICOM file is neither mV nor uV.")
    gain = channel.number("ChannelSensitivity", math.nan) * channel.number("ChannelSensitivityCorrectionFactor", 1.0)
    offset = channel.number("ChannelBaseline")
    if not math.isfinite(gain) or gain == 0 or not math.isfinite(offset):
        raise ECGError("A lead's sensitivity in the DICOM file is zero or not a number.")
    check_scale(abs(gain) * scale)
    return (values * gain + offset) * scale


FORMAT = Format("DICOM ECG", "one .dcm file", ("dcm",), is_dicom, lambda name, content: (), lambda name: (), read_dicom)
