"""ECGs on a DICOMweb server (PS3.18): found by QIDO-RS, read by WADO-RS, answered to by STOW-RS.

Answers are bounded, certificates are verified, redirects are not followed, and no message quotes what a server says.
"""

from __future__ import annotations

import ipaddress
import os
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import pydicom
import requests
from dicomweb_client import DICOMwebClient
from pydicom.uid import (
    AmbulatoryECGWaveformStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    General32bitECGWaveformStorage,
    GeneralECGWaveformStorage,
    TwelveLeadECGWaveformStorage,
)
from requests.auth import AuthBase, HTTPBasicAuth
from requests.utils import get_netrc_auth

from ecgkt.ecg import ECGError
from ecgkt.readers import MAX_FILE_BYTES

ECG_CLASSES = frozenset(
    (
        TwelveLeadECGWaveformStorage,
        GeneralECGWaveformStorage,
        AmbulatoryECGWaveformStorage,
        General32bitECGWaveformStorage,
    )
)
MAX_ANSWER_BYTES = MAX_FILE_BYTES + 2**20  # the largest file that is read, and its envelope
CONNECT_SECONDS, READ_SECONDS = 10, 60
# Credentials come from here or from ~/.netrc, so that none stands on a command line.
USER, PASSWORD, TOKEN = "ECGKT_PACS_USER", "ECGKT_PACS_PASSWORD", "ECGKT_PACS_TOKEN"
STUDY_FIELDS = ("StudyDate", "StudyTime", "PatientID", "StudyDescription", "ModalitiesInStudy")
UID = re.compile(r"[0-9]+(\.[0-9]+)*")  # PS3.5 9.1; at most 64 characters


class PACSError(ECGError):
    """What a server did not do, in one sentence that quotes neither its answer nor a patient."""


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
        address = url.rstrip("/")
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise PACSError("The address of a PACS begins with https:// and is the root of its DICOMweb service.")
        if parts.username or parts.password:
            raise PACSError(f"Credentials do not belong in the address; set {USER} and {PASSWORD}, or use ~/.netrc.")
        session = _Session()
        session.auth = _credentials(address)
        if session.auth and parts.scheme == "http" and not _is_loopback(parts.hostname):
            raise PACSError("Credentials are sent over https:// only.")
        self._client = DICOMwebClient(address, session=session, timeout=(CONNECT_SECONDS, READ_SECONDS))
        self._client.set_http_retry_params(retry=False)

    def ecgs(self, patient: str = "", date: str = "", limit: int = 50) -> list[StoredECG]:
        """ECGs of at most `limit` studies. patient: a Patient ID; date: YYYYMMDD, or two of them with a hyphen."""
        asked = {"ModalitiesInStudy": "ECG", "PatientID": patient, "StudyDate": date}
        filters = {key: value for key, value in asked.items() if value}
        with _one_sentence("this search"):
            answer = self._client.search_for_studies(limit=limit, fields=list(STUDY_FIELDS), search_filters=filters)
            studies = [_dataset(each) for each in answer[:limit]]
        return [ecg for study in studies for ecg in self._in_study(study)]

    def ecg(self, study: str, instance: str = "") -> StoredECG:
        """The one ECG of `study`, or that by the SOP Instance UID `instance`.

        Raises PACSError where there is none, or several and none is named.
        """
        for uid in (study, instance):
            if uid and not (UID.fullmatch(uid) and len(uid) <= 64):
                raise PACSError("That is no DICOM UID: it has digits and dots only, at most 64.")
        root = pydicom.Dataset()
        root.StudyInstanceUID = study
        found = [each for each in self._in_study(root) if instance in ("", each.instance)]
        if not found:
            raise PACSError("The study holds no such ECG." if instance else "The PACS has no ECG in such a study.")
        if len(found) > 1:
            raise PACSError(f"The study holds {len(found)} ECGs; choose one by its SOP Instance UID (--instance).")
        return found[0]

    def _in_study(self, study: pydicom.Dataset) -> Iterable[StoredECG]:
        uid = str(study.StudyInstanceUID)
        with _one_sentence("such a study"):
            answer = self._client.search_for_instances(uid, search_filters={"Modality": "ECG"})
            instances = [_dataset(each) for each in answer]
            told = {name: str(study.get(name) or "") for name in STUDY_FIELDS}
            return [
                StoredECG(
                    uid,
                    str(each.SeriesInstanceUID),
                    str(each.SOPInstanceUID),
                    told["StudyDate"],
                    told["StudyTime"].split(".")[0],
                    told["PatientID"],
                    told["StudyDescription"],
                )
                for each in instances
                if each.get("SOPClassUID") in ECG_CLASSES  # a server need not know the filter
            ]

    def retrieve(self, ecg: StoredECG) -> bytes:
        """The ECG as a DICOM file, uncompressed."""
        syntax = (("application/dicom", ExplicitVRLittleEndian),)
        with _one_sentence("this ECG"):
            dataset = self._client.retrieve_instance(ecg.study, ecg.series, ecg.instance, media_types=syntax)
            file = BytesIO()
            pydicom.dcmwrite(file, dataset)
        return file.getvalue()

    def store(self, study: str, datasets: Sequence[pydicom.Dataset]) -> None:
        """Store `datasets` in `study`. Raises PACSError unless the server took them all."""
        with _one_sentence("such a study"):
            answer = self._client.store_instances(datasets, study)
            taken = {str(each.ReferencedSOPInstanceUID) for each in answer.get("ReferencedSOPSequence") or []}
        if answer.get("FailedSOPSequence") or (taken and taken != {str(each.SOPInstanceUID) for each in datasets}):
            raise PACSError("The PACS did not store all that was sent.")


class _Session(requests.Session):
    """Reads an answer whole, up to `MAX_ANSWER_BYTES`; follows no redirect, which could lead anywhere."""

    def send(self, request: requests.PreparedRequest, **settings: Any) -> requests.Response:
        response = super().send(request, **settings | {"stream": True, "allow_redirects": False})
        content = bytearray()
        for part in () if response.is_redirect else response.iter_content(2**16):
            content += part
            if len(content) > MAX_ANSWER_BYTES:
                break
        response.close()
        if response.is_redirect:
            raise requests.TooManyRedirects
        if len(content) > MAX_ANSWER_BYTES:
            raise PACSError(f"The PACS sends more than {MAX_ANSWER_BYTES // 2**20} MB.")
        if DeflatedExplicitVRLittleEndian.encode() in content:  # would be inflated without a limit
            raise PACSError("Compressed DICOM files are not read.")
        response._content = bytes(content)
        return response


class _Bearer(AuthBase):
    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _credentials(address: str) -> AuthBase | None:
    if os.environ.get(TOKEN):
        return _Bearer(os.environ[TOKEN])
    if os.environ.get(USER):
        return HTTPBasicAuth(os.environ[USER], os.environ.get(PASSWORD, ""))
    found = get_netrc_auth(address)
    return HTTPBasicAuth(*found) if found else None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _dataset(answer: dict[str, Any]) -> pydicom.Dataset:
    return pydicom.Dataset.from_json(answer)


@contextmanager
def _one_sentence(wanted: str) -> Iterator[None]:
    """What goes wrong inside comes out as a PACSError. Libraries' warnings, which quote elements, are not shown."""
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    except ECGError:
        raise
    except Exception as error:
        raise PACSError(_sentence(error, wanted)) from None


def _sentence(error: Exception, wanted: str) -> str:
    match error:
        case requests.HTTPError() if error.response is not None:
            status = error.response.status_code
            if status in (401, 403):
                return f"The PACS refuses the credentials, or needs some (status {status})."
            return f"The PACS does not know {wanted} (status 404)." if status == 404 else f"The PACS answers {status}."
        case requests.exceptions.SSLError():
            return "The certificate of the PACS cannot be verified."
        case requests.Timeout():
            return "The PACS does not answer in time."
        case requests.TooManyRedirects():
            return "The PACS redirects to another address, which is not followed."
        case requests.ConnectionError():
            return "The PACS cannot be reached at this address."
    return "The answer is not DICOMweb. Is the address the root of the service, such as .../dicom-web?"
