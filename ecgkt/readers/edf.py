"""EDF and EDF+ (Kemp et al. 1992, 2003), by edfio: leads are the signals whose label names one."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING

import numpy as np

from ecgkt.ecg import ECG, ECGError, Sex
from ecgkt.readers.format import (
    MAX_SECONDS,
    assemble_ecg,
    check_count,
    check_rate,
    check_scale,
    measured,
    scale_of,
    sex_of,
    shortened,
    single_file,
)
from ecgkt.readers.lead_names import lead_name

if TYPE_CHECKING:
    from edfio import EdfSignal

HEADER = 256  # bytes, and as many again for each signal
UNKNOWN_COUNT = -1  # of data records, while the recorder runs


def is_edf(content: bytes) -> bool:
    """Version "0", then a header of digits where EDF has them; BDF (24 bits) has another version."""
    return len(content) >= HEADER and content[:8] == b"0       " and content[184:192].strip().isdigit()


def read_edf(content: bytes) -> ECG:
    """One EDF file -> ECG in mV of its first minute. Raises ECGError for a discontinuous or truncated one."""
    import edfio

    if content[192:197] == b"EDF+D":
        raise ECGError("EDF files with gaps are not read.")
    records = int(content[236:244])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # edfio's warnings quote the file
        edf = edfio.read_edf(content, header_encoding="latin-1")
        # 9,999 signals at the most, by the width of the field.
        signals = [signal for signal in edf.signals if lead_name(signal.label)]
        if records not in (UNKNOWN_COUNT, edf.num_data_records):
            raise ECGError("The EDF file is not as long as it states.")
        if not signals:
            raise ECGError("None of the EDF file's signals is named as a lead of a 12-lead ECG.")
        check_count(len(signals))
        rates = {float(signal.sampling_frequency) for signal in signals}
        if len(rates) != 1:
            raise ECGError("The leads of the EDF file are not all sampled at one rate.")
        rate = rates.pop()
        check_rate(rate)
        seconds = edf.num_data_records * edf.data_record_duration
        used = min(seconds, MAX_SECONDS)
        rows = [_millivolts(signal, used) for signal in signals]
    notes = [shortened(seconds)] if used < seconds else []
    return assemble_ecg([lead_name(signal.label) for signal in signals], rows, rate, None, _sex(content), notes)


def _millivolts(signal: EdfSignal, seconds: float) -> np.ndarray:
    """[samples] of the first `seconds`, NaN where the lowest of 16 bits stands for no sample."""
    scale = scale_of(signal.physical_dimension)
    physical, digital = signal.physical_range, signal.digital_range
    check_scale(abs((physical.max - physical.min) / ((digital.max - digital.min) or math.nan)) * scale)
    lost = np.isnan(measured(signal.get_digital_slice(0, seconds)))
    return np.where(lost, np.nan, signal.get_data_slice(0, seconds)) * scale


def _sex(content: bytes) -> Sex | None:
    """EDF+ puts the sex second of the patient field's words; the others are not looked at."""
    if content[192:196] != b"EDF+":
        return None
    fields = content[8:88].decode("latin-1").split()
    return sex_of(fields[1]) if len(fields) > 1 else None


FORMAT = single_file("EDF", "one .edf file", ("edf",), is_edf, read_edf)
