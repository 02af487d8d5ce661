"""What a report's numbers are called in print: short phrases that both pages share."""

from __future__ import annotations

from ecgkt.report.data import MeasurementData, ReportData

SEPARATOR = "   ·   "


def patient(data: ReportData) -> str:
    """Sex, age band, what the user gave, and whether the patient is real."""
    who = data["patient"]
    parts = [
        (who["sex"] or "sex unknown").capitalize(),
        who["age_band"] or "age unknown",
        who["given"],
        f"recorded {who['recorded']}" if who["recorded"] else "",
        "simulated patient" if who["simulated"] else "",
    ]
    return SEPARATOR.join(part for part in parts if part)


def value(row: MeasurementData) -> str:
    """A measurement with its unit, or a dash."""
    number = row["words"]["value"]
    plain = row["value"] is None or row["unit"] in ("°", "V lead")
    return number if plain else f"{number} {row['unit']}"


def remark(data: ReportData) -> str:
    """Why the model says nothing, or what makes the tracing doubtful; empty where all is well."""
    quality = data["quality"]
    if data["abstained"]:
        return " ".join(["The model gives no result for this tracing.", *quality["reasons"]])
    return " ".join(["Warning:", *quality["warnings"]]) if quality["warnings"] else ""


def model(data: ReportData) -> str:
    built = data["model"]["created"]
    return f"Model {data['model']['name']}" + (f" of {built}" if built else "")
