"""Writers of ECG file formats, each from its format's description and not from the reader: files for the tests."""

from __future__ import annotations

import base64
import binascii
import struct
import zlib
from collections.abc import Callable
from datetime import date
from io import BytesIO

import edfio
import numpy as np

from ecgkt.ecg import LEADS

RATE = 500
NAME = "Mustermann"  # a patient's name, which no message may hold
EIGHT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
SCP_CODES = dict(zip(LEADS, (1, 2, 61, 62, 63, 64, 3, 4, 5, 6, 7, 8), strict=True))


def counts(samples: int = 600) -> np.ndarray:
    """[12, samples] int16 in units of 5 uV: every lead different, limb leads consistent, all of both signs."""
    time = np.arange(samples) / RATE
    rows = np.stack([np.sin(2 * np.pi * (k + 1) * time + k) * (40 + 20 * k) for k in range(12)])
    whole = 2 * np.rint(rows).astype(int)
    one, two = whole[0], whole[1]
    whole[2:6] = two - one, -(one + two) // 2, one - two // 2, two - one // 2
    whole[6:, samples // 2] += 400  # a jump, which needs the longest codes
    return whole.astype(np.int16)


def millivolts(samples: int = 600) -> np.ndarray:
    return counts(samples) * 0.005


def packed(row: np.ndarray) -> str:
    return base64.b64encode(row.astype("<i2").tobytes()).decode()


def muse(table: np.ndarray, **changes: str) -> bytes:
    def lead(name: str) -> str:
        row = table[LEADS.index(name)].astype("<i2")
        facts = {
            "LeadSampleCountTotal": str(len(row)), "LeadAmplitudeUnitsPerBit": "5.00",
            "LeadAmplitudeUnits": "MICROVOLTS", "LeadID": name, "LeadOffsetFirstSample": "0", "LeadSampleSize": "2",
            "LeadDataCRC32": str(zlib.crc32(row.tobytes())), "WaveFormData": packed(row), **changes,
        }  # fmt: skip
        return "<LeadData>" + "".join(f"<{key}>{value}</{key}>" for key, value in facts.items()) + "</LeadData>"

    def wave(kind: str, leads: str) -> str:
        head = f"<WaveformType>{kind}</WaveformType><SampleBase>{RATE}</SampleBase><SampleExponent>0</SampleExponent>"
        return f"<Waveform>{head}{leads}</Waveform>"

    body = wave("Median", lead("I")) + wave("Rhythm", "".join(map(lead, EIGHT)))
    patient = f"<PatientLastName>{NAME}</PatientLastName><PatientAge>18</PatientAge><AgeUnits>MONTHS</AgeUnits>"
    return (
        '<?xml version="1.0" encoding="ISO-8859-1"?>\n<!DOCTYPE RestingECG SYSTEM "restecg.dtd">\n<RestingECG>'
        f"<PatientDemographics>{patient}<Gender>FEMALE</Gender></PatientDemographics>{body}</RestingECG>"
    ).encode()


def cardiosoft(table: np.ndarray, names: tuple[str, ...] = LEADS, **changes: str) -> bytes:
    """As UK Biobank's resting ECGs are laid out: a median beat, then the strip, samples in lines that end in commas."""

    def waves(samples: np.ndarray) -> str:
        rows = []
        for name in names:
            numbers = samples[LEADS.index(name)].tolist()
            lines = [",".join(map(str, numbers[k : k + 16])) for k in range(0, len(numbers), 16)]
            rows.append(f'<WaveformData lead="{name}">\n\t\t' + ",\n\t\t".join(lines) + "</WaveformData>")
        facts = {
            "NumberOfLeads": str(len(names)), "SampleRate": str(RATE), "ChannelSampleCountTotal": str(samples.shape[1]),
            "Resolution": "5", **changes,
        }  # fmt: skip
        units = {"SampleRate": ' units="Hz"', "Resolution": f' units="{changes.get("units", "uVperLsb")}"'}
        head = "".join(f"<{key}{units.get(key, '')}>{value}</{key}>" for key, value in facts.items() if key != "units")
        return head + "".join(rows)

    person = f'<Name><FamilyName>{NAME}</FamilyName></Name><Age units="Years">61</Age><Gender>FEMALE</Gender>'
    median = f"<RestingECGMeasurements><MedianSamples>{waves(table[:, :100])}</MedianSamples></RestingECGMeasurements>"
    return (
        '<?xml version="1.0" encoding="ISO-8859-1"?>\n<CardiologyXML><ObservationType>RestECG</ObservationType>'
        f"<PatientInfo>{person}</PatientInfo>{median}<StripData>{waves(table)}</StripData></CardiologyXML>"
    ).encode()


def aecg(table: np.ndarray, unit: str = "uV") -> bytes:
    time = '<code code="TIME_ABSOLUTE"/><value><head value="20200101"/><increment value="2" unit="ms"/></value>'
    rows = [f"<component><sequence>{time}</sequence></component>"]
    for name, row in zip(LEADS, table, strict=True):
        value = f'<origin value="0" unit="{unit}"/><scale value="5" unit="{unit}"/><digits>{" ".join(map(str, row))}'
        code = f'<code code="MDC_ECG_LEAD_{name.upper()}"/><value>{value}</digits></value>'
        rows.append(f"<component><sequence>{code}</sequence></component>")
    person = f'<subject><name>{NAME}</name><administrativeGenderCode code="F"/></subject>'
    series = f"<series><component><sequenceSet>{''.join(rows)}</sequenceSet></component></series>"
    return f'<AnnotatedECG xmlns="urn:hl7-org:v3">{person}<component>{series}</component></AnnotatedECG>'.encode()


def sierra(table: np.ndarray, data: bytes | None = None, method: str = "Uncompressed") -> bytes:
    facts = "".join(
        f"<{key}>{value}</{key}>"
        for key, value in {
            "samplingrate": RATE, "signalresolution": 5, "acquisitiontype": "STD-12", "bitspersample": 16,
            "signaloffset": 0, "signalsigned": "True",
        }.items()
    )  # fmt: skip
    seconds = f'durationperchannel="{table.shape[1] * 1000 // RATE}" compressmethod="{method}"'
    text = base64.b64encode(table.astype("<i2").tobytes() if data is None else data).decode()
    patient = f"<lastname>{NAME}</lastname><age><years>61</years></age><sex>Female</sex>"
    return (
        f'<restingecgdata xmlns="http://www3.medical.philips.com"><signalcharacteristics>{facts}'
        f"</signalcharacteristics><generalpatientdata>{patient}</generalpatientdata>"
        f'<parsedwaveforms dataencoding="Base64" {seconds}>{text}</parsedwaveforms></restingecgdata>'
    ).encode("utf-16")


def mortara(table: np.ndarray, **changes: str) -> bytes:
    rows = []
    for name, row in zip(LEADS, table, strict=True):
        facts = {
            "NAME": name, "BITS": "16", "FORMAT": "SIGNED", "UNITS_PER_MV": "200", "DURATION": str(len(row)),
            "SAMPLE_FREQ": str(RATE), "ENCODING": "BASE64", "OFFSET": "0", "DATA": packed(row), **changes,
        }  # fmt: skip
        rows.append("<CHANNEL " + " ".join(f'{key}="{value}"' for key, value in facts.items()) + "/>")
    subject = f'<SUBJECT LAST_NAME="{NAME}" GENDER="Female"/>'
    return f'<ECG AGE="61" AGE_UNITS="YEARS">{subject}{"".join(rows)}</ECG>'.encode()


def mended(content: bytes) -> bytes:
    """An SCP-ECG or ISHNE file with its length and checksum put right."""
    if content.startswith(b"ISHNE"):
        block = max(0, *struct.unpack_from("<i", content, 10))
        return content[:8] + struct.pack("<H", binascii.crc_hqx(content[10 : 522 + block], 0xFFFF)) + content[10:]
    rest = struct.pack("<I", len(content)) + content[6:]
    return struct.pack("<H", binascii.crc_hqx(rest, 0xFFFF)) + rest


def _bits(value: int) -> str:
    """EN 1064's default Huffman table."""
    if value == 0:
        return "0"
    if abs(value) <= 8:
        return "1" * abs(value) + ("00" if value > 0 else "01")
    size = 8 if -128 <= value < 128 else 16
    return ("1111111110" if size == 8 else "1111111111") + format(value & (2**size - 1), f"0{size}b")


def _huffman(row: np.ndarray) -> bytes:
    """Second differences, coded; the first two numbers are samples."""
    numbers = [int(row[0]), int(row[1]), *np.diff(row.astype(int), 2).tolist()]
    bits = "".join(map(_bits, numbers))
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def own_table() -> bytes:
    """Section 2 with the default table written out: the first bit of a code is the lowest of its number."""
    rows = [(1, 1, 0, "0"), (10, 18, 0, "1111111110"), (10, 26, 0, "1111111111")]
    rows += [(k + 2, k + 2, sign * k, _bits(sign * k)) for k in range(1, 9) for sign in (1, -1)]
    table = b"".join(struct.pack("<BBBhI", a, b, 1, value, int(code[::-1], 2)) for a, b, value, code in rows)
    return struct.pack("<HH", 1, len(rows)) + table


def scp(
    table: np.ndarray,
    huffman: bytes | None = struct.pack("<H", 19999),
    flags: int = 0x64,
    mode: int = 0,
    span: tuple[int, int] | None = None,
) -> bytes:
    """huffman: section 2, None for plain numbers. span: first and last sample as section 3 counts them."""
    count, samples = table.shape
    leads = b"".join(struct.pack("<IIB", *(span or (1, samples)), SCP_CODES[name]) for name in LEADS)
    data = [row.astype("<i2").tobytes() if huffman is None else _huffman(row) for row in table]
    head = struct.pack("<HHBB", 5000, 1_000_000 // RATE, 0 if huffman is None else 2, mode)
    tags = [(0, NAME.encode() + b"\0"), (4, b"\x3d\0\x01"), (8, b"\x02"), (255, b"")]
    sections = {
        1: b"".join(struct.pack("<BH", tag, len(value)) + value for tag, value in tags),
        2: huffman or b"",
        3: bytes([count, flags]) + leads,
        6: head + struct.pack(f"<{count}H", *map(len, data)) + b"".join(data),
    }
    place, pointers, bodies = 6 + 16 + 10 * len(sections), b"", b""
    first = b"\0\0" + struct.pack("<HI", 0, place - 6) + b"\x14\x14SCPECG"
    for number, body in sections.items():
        size = 16 + len(body) if body else 0
        pointers += struct.pack("<HII", number, size, place + len(bodies) + 1)
        bodies += b"\0\0" + struct.pack("<HI", number, size) + b"\x14\x14" + bytes(6) + body if body else b""
    return mended(bytes(6) + first + pointers + bodies)


def ishne(table: np.ndarray) -> bytes:
    count, samples = table.shape
    header = bytearray(522)
    header[:8] = b"ISHNE1.0"
    struct.pack_into("<iiiih", header, 10, 0, samples, 522, 522, 1)
    header[28 : 28 + len(NAME)] = NAME.encode()
    struct.pack_into("<h", header, 128, 2)
    struct.pack_into("<h", header, 156, count)
    struct.pack_into("<12h", header, 158, *range(5, 17))
    struct.pack_into("<12h", header, 206, *[5000] * 12)
    struct.pack_into("<h", header, 272, RATE)
    return mended(bytes(header) + table.T.astype("<i2").tobytes())


def edf(table: np.ndarray) -> bytes:
    signals = [
        edfio.EdfSignal(
            row * 5.0, RATE, label=f"ECG {name}", physical_dimension="uV", physical_range=(-32768 * 5, 32767 * 5)
        )
        for name, row in zip(LEADS, table, strict=True)
    ]
    signals.append(edfio.EdfSignal(table[0] * 1.0, RATE, label="Resp", physical_dimension="mmHg"))
    patient = edfio.Patient(name=NAME, sex="F", birthdate=date(1960, 1, 2))
    stream = BytesIO()
    edfio.Edf(signals, patient=patient, data_record_duration=0.2, annotations=[]).write(stream)
    return stream.getvalue()


def npy(table: np.ndarray) -> bytes:
    stream = BytesIO()
    np.save(stream, table, allow_pickle=False)
    return stream.getvalue()


def csv(table: np.ndarray, mark: str = ",", heading: tuple[str, ...] = (), decimal: str = ".") -> bytes:
    lines = [mark.join(heading)] if heading else []
    lines += [mark.join(f"{value:.3f}" for value in column).replace(".", decimal) for column in table.T]
    return "\r\n".join(lines).encode()


# Format as `FORMATS` names it -> its file of a table of counts; sex is female in those that state one.
BY_FORMAT: dict[str, Callable[[np.ndarray], bytes]] = {
    "GE MUSE XML": muse,
    "GE CardioSoft XML": cardiosoft,
    "HL7 aECG": aecg,
    "Philips Sierra XML": sierra,
    "SCP-ECG": scp,
    "EDF": edf,
    "ISHNE": ishne,
    "Mortara XML": mortara,
    "NumPy": lambda table: npy(table * 0.005),
    "CSV": lambda table: csv(table * 0.005),
}
