"""Uploads -> ECGs, read in a process of their own: a stranger's file can neither stop the server nor outlive its
reading."""

from __future__ import annotations

from ecgkt.intake.outcome import Outcome
from ecgkt.intake.server import read_upload, start

__all__ = ["Outcome", "read_upload", "start"]
