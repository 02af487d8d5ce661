"""How a PACS is asked: each answer is bounded in bytes and in time, and comes from where it was asked for.

Neither compressed answers are taken, of which some kilobytes can become gigabytes, nor redirects, which lead anywhere.
What went wrong is told in one sentence that quotes neither the answer nor a patient.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Thread
from typing import Any, TypeVar

import requests
from urllib3.exceptions import ProtocolError, ReadTimeoutError

from ecgkt.ecg import ECGError
from ecgkt.readers import MAX_FILE_BYTES

MAX_ANSWER_BYTES = MAX_FILE_BYTES + 2**20  # the largest file that is read, and its envelope
MAX_LIST_BYTES = 4 * 2**20  # of a search, or of what is said to a report: some thousands of entries
CONNECT_SECONDS, READ_SECONDS = 10, 60
ANSWER_SECONDS = 120  # for all of an answer: a byte a minute is never late by `READ_SECONDS`
FILE = "multipart/related"  # begins the Accept header of a question for a file

T = TypeVar("T")

# Libraries log the words of a server, and addresses with a Patient ID in them.
for library in ("dicomweb_client", "pydicom", "urllib3"):
    logging.getLogger(library).addHandler(logging.NullHandler())


class PACSError(ECGError):
    """What a server did not do, in one sentence that quotes neither its answer nor a patient."""


class Session(requests.Session):
    """Reads an answer whole, within limits, and that of an error not at all.

    is_cut: has the server said since then that its list has more than it sent (status 299, PS3.18 8.3.4.3)?
    """

    def __init__(self) -> None:
        super().__init__()
        self.headers.update({"Accept": "application/dicom+json", "Accept-Encoding": "identity"})
        self.is_cut = False

    def send(self, request: requests.PreparedRequest, **settings: Any) -> requests.Response:
        return within(ANSWER_SECONDS, lambda: self._whole(request, settings))

    def _whole(self, request: requests.PreparedRequest, settings: dict[str, Any]) -> requests.Response:
        most = MAX_ANSWER_BYTES if str(request.headers.get("Accept")).startswith(FILE) else MAX_LIST_BYTES
        content = bytearray()
        with super().send(request, **settings | {"stream": True, "allow_redirects": False}) as response:
            if 300 <= response.status_code < 400:
                raise requests.TooManyRedirects
            if response.headers.get("Content-Encoding", "identity").lower() != "identity":
                raise PACSError("The PACS compresses its answers though asked not to; they are not read.")
            for part in response.iter_content(2**16) if response.ok else ():
                content += part
                if len(content) > most:
                    raise PACSError(f"The PACS sends more than {most // 2**20} MB.")
        response._content = bytes(content)
        self.is_cut |= response.headers.get("Warning", "").startswith("299")
        return response

    def get_redirect_target(self, response: requests.Response) -> str | None:
        """None, or TooManyRedirects: `requests` asks for it, and reads a redirect's endless body, before it is said not
        to follow."""
        if response.is_redirect:
            raise requests.TooManyRedirects
        return None


def within(seconds: float, work: Callable[[], T]) -> T:
    """What `work` gives, or requests.Timeout. It goes on unheard, in a thread that ends with the program."""
    result: Future[T] = Future()

    def run() -> None:
        try:
            result.set_result(work())
        except BaseException as error:
            result.set_exception(error)

    Thread(target=run, daemon=True).start()
    try:
        return result.result(seconds)
    except TimeoutError:
        raise requests.Timeout from None


@contextmanager
def one_sentence(wanted: str, doubt: str = "") -> Iterator[None]:
    """What goes wrong inside comes out as a PACSError. Libraries' warnings, which quote elements, are not shown.

    doubt: is said too, unless the server has refused in so many words (status 400 to 499).
    """
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    except Exception as error:
        said = str(error) if isinstance(error, ECGError) else _sentence(error, wanted)
        answer = error.response if isinstance(error, requests.HTTPError) else None
        refused = answer is not None and answer.status_code < 500
        raise PACSError(said if refused or not doubt else f"{said} {doubt}") from None


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
        case requests.exceptions.ChunkedEncodingError():
            return "The PACS cuts its answer off."
        case requests.ConnectionError():
            cause = error.args[0] if error.args else None
            if isinstance(cause, ReadTimeoutError):
                return "The PACS does not answer in time."
            if isinstance(cause, ProtocolError):
                return "The PACS cuts its answer off."
            return "The PACS cannot be reached at this address."
    return "The answer is not DICOMweb. Is the address the root of the service, such as .../dicom-web?"
