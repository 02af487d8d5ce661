"""Normal limits of ECG measurements by age and sex, each with its source. Reference limits, not diagnoses.

AHA/ACCF/HRS 2009: Surawicz et al. (part III, conduction, axis), Rautaharju et al. (part IV, QT), Hancock et al. (part
V, hypertrophy), all in J Am Coll Cardiol 53. Mason 2007: 2nd and 98th percentiles of 46,129 people with a very low
probability of heart disease, J Electrocardiol 40:228.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ecgkt.ecg import Sex

Flag = Literal["low", "normal", "high"]
ADULT = 16.0  # years from which AHA/ACCF/HRS 2009 give one set of limits

# Age (years) up to which they hold, lowest and highest normal QRS axis in degrees: Surawicz 2009.
AXIS = ((1 / 12, 30.0, 190.0), (1.0, 10.0, 120.0), (5.0, 5.0, 100.0), (8.0, 0.0, 140.0), (ADULT, 0.0, 120.0))


@dataclass(frozen=True)
class Limit:
    """Normal from `low` to `high`, both included; None where that side has no limit. source: who says so, and for
    whom."""

    low: float | None
    high: float | None
    source: str

    def flag(self, value: float) -> Flag:
        if self.low is not None and value < self.low:
            return "low"
        return "high" if self.high is not None and value > self.high else "normal"

    def axis_flag(self, degrees: float) -> Flag:
        """As `flag` around the circle: "low" is to the left (anticlockwise) of the range, "high" to its right."""
        if self.low is None or self.high is None:
            raise ValueError("an axis needs two limits")
        off = (degrees - (self.low + self.high) / 2 + 180) % 360 - 180
        half = (self.high - self.low) / 2
        return "normal" if abs(off) <= half else ("low" if off < 0 else "high")


def limits(age: float | None = None, sex: Sex | None = None) -> dict[str, Limit]:
    """Name of a measurement (as in `ecgkt.measurements.intervals.Intervals`) -> its limit; those not known for that age
    are absent.

    age: years; taken for an adult's where unknown. Where the sex is unknown, the wider of both limits.
    """
    years = "" if age is not None else ", taken for an adult"
    adult = age is None or age > ADULT
    out: dict[str, Limit] = {}
    if adult:
        out["qrs"] = Limit(None, 110, f"AHA/ACCF/HRS 2009, above {ADULT:.0f} years{years}; block from 120 ms")
        out["qrs_axis"] = Limit(-30, 90, f"AHA/ACCF/HRS 2009, adults{years}")
    elif age is not None:
        widest, group = (100, "4 to 16 years") if age >= 4 else (90, "under 4 years")
        out["qrs"] = Limit(None, widest, f"AHA/ACCF/HRS 2009, {group}")
        low, high = next((low, high) for up_to, low, high in AXIS if age <= up_to)
        out["qrs_axis"] = Limit(low, high, "AHA/ACCF/HRS 2009, for the age")
        return out
    out["rate"] = Limit(50, 100, "ACC/AHA/HRS 2018 (bradycardia), 2015 (tachycardia)")
    out["pr"] = Limit(120, 200, "AHA/ACCF/HRS 2009, ACC/AHA/HRS 2018 (AV block), adults")
    out["p_duration"] = Limit(None, 120, "AHA/ACCF/HRS 2009, atrial abnormality from 120 ms")
    # Long from 450 and 460 ms on.
    longest, whose = (449, "men") if sex == "male" else (459, "women" if sex == "female" else "women; sex unknown")
    for name, shortest in (("qtcf", 359), ("qtcb", 361)):
        out[name] = Limit(shortest, longest, f"AHA/ACCF/HRS 2009, {whose}; shortest: Mason 2007")
    out["p_axis"] = Limit(0, 75, "Surawicz and Knilans, Chou's Electrocardiography")
    out["t_axis"] = Limit(15, 75, "Kors et al. 1998, Lancet 352:601")
    out["transition"] = Limit(3, 4, "Surawicz and Knilans, Chou's Electrocardiography")
    young = "; not well established under 36 years" if age is not None and age < 36 else ""
    out["sokolow_lyon"] = Limit(None, 3.5, f"AHA/ACCF/HRS 2009 (Sokolow and Lyon 1949){young}")
    highest, whose = (2.0, "women") if sex == "female" else (2.8, "men" if sex == "male" else "men; sex unknown")
    out["cornell"] = Limit(None, highest, f"AHA/ACCF/HRS 2009 (Casale et al. 1987), {whose}{young}")
    return out
