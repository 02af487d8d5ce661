"""ECGs on a DICOMweb server (PS3.18): found by QIDO-RS, read by WADO-RS, answered to by STOW-RS.

Certificates are verified; what a server names is a UID before it is asked for, and what it sends is what was asked for.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import pydicom
from dicomweb_client import DICOMwebClient
from pydicom.datadict import tag_for_keyword
from pydicom.uid import (
    AmbulatoryECGWaveformStorage,
    ExplicitVRLittleEndian,
    General32bitECGWaveformStorage,
    GeneralECGWaveformStorage,
    TwelveLeadECGWaveformStorage,
)
from requests import PreparedRequest
from requests.auth import AuthBase, HTTPBasicAuth
from requests.utils import get_netrc_auth

from ecgkt.pacs import multipart
from ecgkt.pacs.transport import CONNECT_SECONDS, FILE, READ_SECONDS, PACSError, Session, one_sentence
from ecgkt.readers import dicom_elements

ECG_CLASSES = frozenset(
    (
        TwelveLeadECGWaveformStorage,
        GeneralECGWaveformStorage,
        AmbulatoryECGWaveformStorage,
        General32bitECGWaveformStorage,
    )
)
# Credentials come from here or from ~/.netrc, so that none stands on a command line.
USER, PASSWORD, TOKEN = "ECGKT_PACS_USER", "ECGKT_PACS_PASSWORD", "ECGKT_PACS_TOKEN"
STUDY_FIELDS = ("StudyDate", "StudyTime", "PatientID", "StudyDescription", "ModalitiesInStudy")
TAGS = [
    f"{tag_for_keyword(name):08X}"
    for name in (*STUDY_FIELDS, "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID")
]
UID = re.compile(r"[0-9]+(\.[0-9]+)*")  # PS3.5 9.1; at most 64 characters
LONGEST = 1024  # characters of a text that are taken from a list


@dataclass(frozen=True)
class StoredECG:
    """One ECG on the server: where it is, and what the server tells of its study. Empty where it tells nothing."""

    study: str
    series: str
    instance: str
    date: str = ""
    time: str = ""
    patient: str = ""
    description: str = ""


class Server:
    """A DICOMweb server at its root `url`, such as https://pacs.example.org/dicom-web."""

    def __init__(self, url: str) -> None:
        """Raises PACSError for an address that is none, or to which credentials would go unencrypted."""
        self._address = url.rstrip("/")
        try:
            parts = urlsplit(self._address)
            is_one = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and url.isascii()
        except ValueError:
            is_one = False
        if not is_one or parts.query or parts.fragment or not url.isprintable() or " " in url:
            raise PACSError("The address of a PACS begins with https:// and is the root of its DICOMweb service.")
        if parts.username or parts.password:
            raise PACSError(f"Credentials do not belong in the address; set {USER} and {PASSWORD}, or use ~/.netrc.")
        self._session = Session()
        self._session.auth = _credentials(self._address)
        if self._session.auth and parts.scheme == "http":
            if not _is_loopback(parts.hostname or ""):
                raise PACSError("Credentials are sent over https:// only.")
            self._session.trust_env = False  # or a proxy named in the environment would get them
        self._client = DICOMwebClient(self._address, session=self._session, timeout=(CONNECT_SECONDS, READ_SECONDS))
        self._client.set_http_retry_params(retry=False)

    @property
    def is_cut(self) -> bool:
        """Has the server said of a list that there is more than it sent?"""
        return self._session.is_cut

    def ecgs(self, patient: str = "", date: str = "", limit: int = 50) -> Iterator[StoredECG]:
        """ECGs of at most `limit` studies, as they come. patient: a Patient ID; date: YYYYMMDD, or two of them with a
        hyphen. Raises PACSError, also where the server lists another patient, who was not asked for."""
        asked = {"ModalitiesInStudy": "ECG", "PatientID": patient, "StudyDate": date}
        filters = {key: value for key, value in asked.items() if value}
        with one_sentence("this search"):
            answer = self._client.search_for_studies(limit=limit, fields=list(STUDY_FIELDS), search_filters=filters)
            studies = [_dataset(each) for each in answer[:limit]]
            for study in studies:
                _uid(study.get("StudyInstanceUID"))
                of = _words(study, "PatientID")
                if patient and of and not fnmatchcase(of, patient.strip()):  # PS3.4 C.2.2.2.4 knows * and ?
                    raise PACSError("The PACS lists other patients than the one asked for.")
        for study in studies:
            yield from self._in_study(study)

    def ecg(self, study: str, instance: str = "") -> StoredECG:
        """The one ECG of `study`, or that by the SOP Instance UID `instance`.

        Raises PACSError where there is none, or several and none is named.
        """
        for uid in (study, instance):
            if uid and not is_uid(uid):
                raise PACSError("That is no DICOM UID: it has digits and dots only, at most 64.")
        root = pydicom.Dataset()
        root.StudyInstanceUID = study
        found = [each for each in self._in_study(root) if instance in ("", each.instance)]
        if not found:
            raise PACSError("The study holds no such ECG." if instance else "The PACS has no ECG in such a study.")
        if len(found) > 1:
            raise PACSError(f"The study holds {len(found)} ECGs; choose one by its SOP Instance UID (--instance).")
        return found[0]

    def _in_study(self, study: pydicom.Dataset) -> list[StoredECG]:
        uid = str(study.StudyInstanceUID)
        with one_sentence("such a study"):
            answer = self._client.search_for_instances(uid, fields=["PatientID"], search_filters={"Modality": "ECG"})
            # A server need not know the filter.
            instances = [each for each in map(_dataset, answer) if each.get("SOPClassUID") in ECG_CLASSES]
            if any(each.get("StudyInstanceUID", uid) != uid for each in instances):
                raise PACSError("The PACS answers with another study than the one asked for.")
            return [
                StoredECG(
                    uid,
                    _uid(each.get("SeriesInstanceUID")),
                    _uid(each.get("SOPInstanceUID")),
                    _words(study, "StudyDate"),
                    _words(study, "StudyTime").split(".")[0],
                    _words(study, "PatientID") or _words(each, "PatientID"),
                    _words(study, "StudyDescription"),
                )
                for each in instances
            ]

    def retrieve(self, ecg: StoredECG) -> bytes:
        """The ECG as a DICOM file, uncompressed. Raises PACSError, also where the server sends another object than it
        listed."""
        place = f"{self._address}/studies/{ecg.study}/series/{ecg.series}/instances/{ecg.instance}"
        headers = {"Accept": f'{FILE}; type="application/dicom"; transfer-syntax={ExplicitVRLittleEndian}'}
        with one_sentence("this ECG"):
            answer = self._session.get(place, headers=headers, timeout=(CONNECT_SECONDS, READ_SECONDS))
            answer.raise_for_status()
            file = multipart.only_part(answer.headers.get("Content-Type", ""), answer.content)
            header = pydicom.dcmread(BytesIO(dicom_elements.header(file)))
            if (header.get("StudyInstanceUID"), header.get("SOPInstanceUID")) != (ecg.study, ecg.instance):
                raise PACSError("The PACS sends another object than the ECG asked for.")
            if ecg.patient and _words(header, "PatientID") != ecg.patient:
                raise PACSError("The PACS sends an ECG of another patient than it lists.")
        return file

    def store(self, study: str, datasets: Sequence[pydicom.Dataset]) -> None:
        """Store `datasets` in `study`. Raises PACSError unless the server says that it took them all."""
        with one_sentence("such a study", "Whether the report was stored is not known."):
            answer = self._client.store_instances(datasets, study)
            refused = bool(answer.get("FailedSOPSequence"))
            taken = {str(each.ReferencedSOPInstanceUID) for each in answer.get("ReferencedSOPSequence") or []}
        if refused or (taken and taken != {str(each.SOPInstanceUID) for each in datasets}):
            raise PACSError("The PACS did not store all that was sent.")
        if not taken:
            raise PACSError("The PACS does not say whether it stored the report.")


class _Bearer(AuthBase):
    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _credentials(address: str) -> AuthBase | None:
    token, user, password = (os.environ.get(name, "") for name in (TOKEN, USER, PASSWORD))
    if not (token.isascii() and token.isprintable()) or not (user + password).isprintable():
        raise PACSError(f"{TOKEN}, {USER} or {PASSWORD} holds a line end or another character that cannot be sent.")
    if token:
        return _Bearer(token)
    if user:
        return HTTPBasicAuth(user.encode(), password.encode())
    found = get_netrc_auth(address)
    return HTTPBasicAuth(*found) if found else None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_uid(text: str) -> bool:
    return bool(UID.fullmatch(text)) and len(text) <= 64


def _uid(value: Any) -> str:
    """A UID that a server names; it becomes a part of the next address. Raises ValueError."""
    if not is_uid(str(value)):
        raise ValueError
    return str(value)


def _words(dataset: pydicom.Dataset, name: str) -> str:
    """An element's text, "" where there is none, or several."""
    value = dataset.get(name)
    return value[:LONGEST].strip() if isinstance(value, str) else ""


def _dataset(answer: dict[str, Any]) -> pydicom.Dataset:
    """Of what a server lists, only what was asked for."""
    return pydicom.Dataset.from_json({tag: answer[tag] for tag in TAGS if tag in answer})
