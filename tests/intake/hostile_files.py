"""Files made to cost what no ECG costs, one maker each: each stands for a kind, at the size that is let in."""

from __future__ import annotations

import base64
import io
import struct
import zipfile
from collections.abc import Callable

import numpy as np

from ecgkt.ecg import LEADS
from tests.readers import written_files as written

Files = dict[str, bytes]
MB = 2**20
LONG = 120_000  # samples: a minute at 2,000 Hz, the longest that is read


def one(name: str, content: bytes) -> Files:
    return {name: content}


def flat(samples: int = LONG) -> np.ndarray:
    return np.zeros((12, samples), dtype=np.int16)


# ---- XML ------------------------------------------------------------------------------------------------------------


def xml_of_a_long_namespace() -> Files:
    tags = "".join(f"<a{k}/>" for k in range(90_000))
    return one("a.xml", f'<AnnotatedECG xmlns="{"u" * 4 * MB}">{tags}</AnnotatedECG>'.encode())


def xml_of_many_attributes() -> Files:
    return one("a.xml", b"<RestingECG " + b" ".join(b'a%d=""' % k for k in range(700_000)) + b"/>")


def xml_of_as_many_attributes_as_are_let_in() -> Files:
    return one("a.xml", b"<ECG " + b" ".join(b'a%d%s=""' % (k, b"b" * 60) for k in range(99_000)) + b"/>")


def xml_of_character_references() -> Files:
    return one("a.xml", b"<RestingECG>" + b"&#65;" * (8 * MB // 5 - 10) + b"</RestingECG>")


def xml_of_letters_of_four_bytes() -> Files:
    text = "\N{GRINNING FACE}" + "x" * (7 * MB)
    return one("a.xml", f"<AnnotatedECG>{text}</AnnotatedECG>".encode())


def xml_that_is_no_utf8() -> Files:
    return one("a.xml", b"<ECG>" + b"\xff" * (8 * MB - 20) + b"</ECG>")


def xml_that_is_no_gb18030() -> Files:
    head = b'<?xml version="1.0" encoding="gb18030"?><ECG>'
    return one("a.xml", head + b"\x81\xff" * (4 * MB - 40) + b"</ECG>")


def xml_of_deep_elements() -> Files:
    return one("a.xml", b"<ECG>" * 90_000)


def aecg_of_many_numbers(word: str) -> Files:
    content = written.aecg(np.zeros((12, 2), dtype=np.int16))
    numbers = f"{word} " * (7 * MB // 12 // (len(word) + 1))
    return one("a.xml", content.replace(b"<digits>0 0", b"<digits>" + numbers.encode()))


def cardiosoft_of_many_numbers() -> Files:
    return one("a.xml", written.cardiosoft(np.zeros((12, 2), dtype=np.int16)).replace(b"0,0", b"1," * (7 * MB // 48)))


def muse_of_a_minute() -> Files:
    return one("a.xml", written.muse(flat()))


def mortara_of_a_minute() -> Files:
    return one("a.xml", written.mortara(flat()))


def muse_of_many_waveforms() -> Files:
    lead = "<LeadData><LeadID>I</LeadID><WaveFormData>AAAA</WaveFormData></LeadData>"
    wave = f"<Waveform><WaveformType>Rhythm</WaveformType><SampleBase>500</SampleBase>{lead * 16}</Waveform>"
    return one("a.xml", f"<RestingECG>{wave * 900}</RestingECG>".encode())


def sierra_of_a_minute() -> Files:
    """XLI in which every code stands for one byte, at 2,000 Hz."""
    codes = np.repeat(np.array([0, 64], dtype=np.uint16), LONG)
    bits = ((codes[:, None] >> np.arange(9, -1, -1)) & 1).astype(np.uint8)
    chunk = np.packbits(bits).tobytes()
    data = b"".join(len(chunk).to_bytes(4, "little") + bytes(4) + chunk for _ in LEADS)
    content = written.sierra(flat(2), data, "XLI").decode("utf-16")
    content = content.replace('durationperchannel="4"', 'durationperchannel="60000"').replace(">500<", ">2000<")
    return one("a.xml", content.encode())


# ---- binary formats -------------------------------------------------------------------------------------------------


def _dicom(body: bytes) -> Files:
    meta = struct.pack("<HH2sH", 2, 0x10, b"UI", 20) + b"1.2.840.10008.1.2.1\0"
    return one("a.dcm", bytes(128) + b"DICM" + meta + body)


SEQUENCE = struct.pack("<HH2sHI", 0x5400, 0x100, b"SQ", 0, 0xFFFFFFFF)
SEQUENCE_END = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


def dicom_of_two_million_items() -> Files:
    return _dicom(SEQUENCE + struct.pack("<HHI", 0xFFFE, 0xE000, 0) * 2_000_000 + SEQUENCE_END)


def dicom_of_two_million_elements() -> Files:
    return _dicom(struct.pack("<HH2sH", 0x10, 0x4000, b"LT", 0) * 2_000_000)


def dicom_of_items_within_items() -> Files:
    item = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    return _dicom((SEQUENCE + item) * 800_000)


def dicom_of_sequences_that_hold_each_other() -> Files:
    """Each with its length, so that a parser that copies an item's bytes copies them once a level."""
    body = bytes(14 * MB)
    for _ in range(14):
        item = struct.pack("<HHI", 0xFFFE, 0xE000, len(body)) + body
        body = struct.pack("<HH2sHI", 0x3A, 0x200, b"SQ", 0, len(item)) + item
    return _dicom(body)


def scp_of_overlapping_sections() -> Files:
    """1,024 pointers, each to a section as long as the file."""
    size = 16 * MB
    count = 1024
    first = b"\0\0" + struct.pack("<HI", 0, 16 + 10 * count) + b"\x14\x14SCPECG"
    pointers = b"".join(struct.pack("<HII", number, size, 1) for number in range(1, count + 1))
    content = bytes(6) + first + pointers
    return one("a.scp", written.mended(content + bytes(size - len(content))))


def scp(sections: dict[int, bytes]) -> Files:
    """An SCP-ECG file of these sections, with pointers and checksums that are right."""
    place, pointers, bodies = 6 + 16 + 10 * len(sections), b"", b""
    for number, body in sections.items():
        pointers += struct.pack("<HII", number, 16 + len(body), place + len(bodies) + 1)
        bodies += b"\0\0" + struct.pack("<HI", number, 16 + len(body)) + b"\x14\x14" + bytes(6) + body
    first = b"\0\0" + struct.pack("<HI", 0, place - 6) + b"\x14\x14SCPECG"
    return one("a.scp", written.mended(bytes(6) + first + pointers + bodies))


def scp_of_sixteen_leads() -> Files:
    """A minute at 2,000 Hz, valid: a bit a sample."""
    samples, count = LONG, 16
    leads = b"".join(struct.pack("<IIB", 1, samples, code) for code in (*written.SCP_CODES.values(), 90, 91, 92, 93))
    data = [bytes(samples // 8)] * count
    head = struct.pack("<HHBB", 5000, 500, 2, 0) + struct.pack(f"<{count}H", *map(len, data)) + b"".join(data)
    sections = {2: struct.pack("<H", 19999), 3: bytes([count, 0x64]) + leads, 6: head}
    return scp(sections)


def _edf(signals: int, samples: int, records: int, seconds: int) -> Files:
    def fields(text: str, width: int) -> bytes:
        return text.ljust(width).encode() * signals

    labels = b"".join(f"ECG {LEADS[k % 12]}".ljust(16).encode() for k in range(signals))
    head = b"0".ljust(8) + b" " * 160 + b"01.01.2001.01.01" + str(256 * (signals + 1)).ljust(8).encode() + b" " * 44
    head += f"{records:<8}{seconds:<8}{signals:<4}".encode()
    head += labels + fields("", 80) + fields("uV", 8) + fields("-5000", 8) + fields("5000", 8)
    head += fields("-32768", 8) + fields("32767", 8) + fields("", 80) + fields(str(samples), 8) + fields("", 32)
    return one("a.edf", head + bytes(2 * signals * samples * records))


def edf_of_one_signal() -> Files:
    return _edf(1, 8_000_000, 1, 4_000)


def edf_of_an_hour() -> Files:
    return _edf(12, 500, 1_300, 1)


def edf_of_all_the_signals_there_can_be() -> Files:
    return _edf(9_999, 1, 100, 1)


def ishne_of_one_lead() -> Files:
    return one("a.ecg", written.ishne(np.zeros((1, 8_000_000), dtype=np.int16)))


def ishne_of_hours() -> Files:
    return one("a.ecg", written.ishne(np.zeros((12, 690_000), dtype=np.int16)))


def wfdb_of_sixteen_signals(form: str) -> Files:
    names = [*LEADS, "vx", "vy", "vz", "resp"]
    lines = [f"r.dat {form} 200 16 0 0 0 0 {name}" for name in names]
    return {"r.hea": "\n".join(["r 16 2000 200000", *lines]).encode(), "r.dat": bytes(16 * MB - 1)}


def wfdb_of_sixteen_files() -> Files:
    names = [*LEADS, "vx", "vy", "vz", "resp"]
    lines = [f"r{k}.dat 16 200 16 0 0 0 0 {name}" for k, name in enumerate(names)]
    header = "\n".join(["r 16 2000 200000", *lines]).encode()
    return {"r.hea": header} | {f"r{k}.dat": bytes(4 * MB) for k in range(16)}


def wfdb_of_comments() -> Files:
    return one("r.hea", b"#\n" * 32_000 + b"r 12 500 5000\n")


def matlab_turned() -> Files:
    names = [f"r.mat 16+24 200 16 0 0 0 0 {name}" for name in LEADS]
    head = struct.pack("<5i", 30, 690_000, 12, 0, 4) + b"val\0"
    return {"r.hea": "\n".join(["r 12 2000 690000", *names]).encode(), "r.mat": head + bytes(24 * 690_000)}


# ---- tables ---------------------------------------------------------------------------------------------------------


def csv_of_words() -> Files:
    return one("a.csv", b"word," * (16 * MB // 5))


def csv_of_short_lines() -> Files:
    return one("a.csv", written.csv(np.zeros((8, 3))) + b"\n" * (15 * MB))


def csv_of_one_long_line() -> Files:
    return one("a.csv", b"1 " * (8 * MB))


def csv_of_as_many_numbers_as_are_let_in(mark: bytes = b",") -> Files:
    return one("a.csv", (mark.join([b"0.125"] * 20) + b"\n") * LONG)


def csv_of_too_many_numbers() -> Files:
    return one("a.csv", (b",".join([b"1"] * 64) + b"\n") * LONG)


def csv_of_two_bytes_a_letter() -> Files:
    return one("a.csv", ((",".join(["0.125"] * 12) + "\n") * LONG).encode("utf-16")[: 16 * MB])


def csv_of_one_letter_of_four_bytes() -> Files:
    return one("a.csv", "\N{GRINNING FACE}\n".encode() + (b",".join([b"0.125"] * 20) + b"\n") * LONG)


def csv_of_a_line_a_lead() -> Files:
    return one("a.csv", b"\n".join(b"%s,%s" % (lead.encode(), b"1.5," * 119_999 + b"1") for lead in LEADS))


def npy_of_bytes() -> Files:
    stream = io.BytesIO()
    np.save(stream, np.zeros((12, 16 * MB // 12 - 20), dtype=np.int8), allow_pickle=False)
    return one("a.npy", stream.getvalue())


# ---- zips -----------------------------------------------------------------------------------------------------------


def zipped(files: Files, method: int = zipfile.ZIP_DEFLATED) -> Files:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return one("a.zip", stream.getvalue())


def zip_of_slow_files() -> Files:
    (content,) = scp_of_sixteen_leads().values()
    return zipped({f"{k}.scp": content for k in range(60)})


def zip_of_texts_to_look_into() -> Files:
    text = (b"1 " * 4_000 + b"\n" + b"x\n") * 16
    return zipped({f"{k}.txt": text[: 128 * 1024] for k in range(255)})


def zip_of_comments_to_look_into() -> Files:
    return zipped({f"{k}.hea": b"#\n" * 65_000 for k in range(255)})


def zip_of_xml_to_look_into() -> Files:
    return zipped(
        {f"{k}.xml": b'<?xml version="1.0" encoding="gb18030"?>' + b"<!---->" + b" " * 60_000 for k in range(255)}
    )


def zip_of_comments_in_xml() -> Files:
    return zipped({f"{k}.xml": b'<?xml version="1.0" encoding="gb18030"?>' + b"<!---->" * 9_000 for k in range(255)})


def zip_of_nothing() -> Files:
    return zipped({f"{k}.dat": bytes(1000 * 1000) for k in range(64)})


def base64_of_spaces() -> Files:
    text = base64.b64encode(bytes(8)).decode()
    content = written.muse(np.zeros((12, 4), dtype=np.int16))
    return one("a.xml", content.replace(text.encode(), text.encode() + b" " * (7 * MB // 9)))


MAKERS: dict[str, Callable[[], Files]] = {
    made.__name__: made
    for made in (
        xml_of_a_long_namespace, xml_of_many_attributes, xml_of_as_many_attributes_as_are_let_in,
        xml_of_character_references, xml_of_letters_of_four_bytes, xml_that_is_no_utf8, xml_that_is_no_gb18030,
        xml_of_deep_elements, cardiosoft_of_many_numbers, muse_of_a_minute, mortara_of_a_minute, muse_of_many_waveforms,
        base64_of_spaces, sierra_of_a_minute, dicom_of_two_million_items, dicom_of_two_million_elements,
        dicom_of_items_within_items, dicom_of_sequences_that_hold_each_other, scp_of_overlapping_sections,
        scp_of_sixteen_leads, edf_of_one_signal, edf_of_an_hour, edf_of_all_the_signals_there_can_be, ishne_of_one_lead,
        ishne_of_hours, wfdb_of_sixteen_files, wfdb_of_comments, matlab_turned, csv_of_words, csv_of_short_lines,
        csv_of_one_long_line, csv_of_as_many_numbers_as_are_let_in, csv_of_too_many_numbers, csv_of_two_bytes_a_letter,
        csv_of_one_letter_of_four_bytes, csv_of_a_line_a_lead, npy_of_bytes, zip_of_slow_files,
        zip_of_texts_to_look_into, zip_of_comments_to_look_into, zip_of_xml_to_look_into, zip_of_comments_in_xml,
        zip_of_nothing,
    )
} | {
    "aecg_of_many_short_numbers": lambda: aecg_of_many_numbers("1"),
    "aecg_of_many_long_numbers": lambda: aecg_of_many_numbers("10.5"),
    "csv_parted_by_spaces": lambda: csv_of_as_many_numbers_as_are_let_in(b" "),
    **{f"wfdb_of_format_{form}": lambda form=form: wfdb_of_sixteen_signals(form) for form in ("80", "212", "24", "32")},
}  # fmt: skip
