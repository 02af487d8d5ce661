"""A metrics.json with every figure that a bundle may have, all of them made up: for the pages and the model card."""

from __future__ import annotations

from typing import Any


def everything_else() -> dict[str, Any]:
    """What may stand beside the models' own AUROCs."""
    figure = [0.7, 0.6, 0.8]
    calibration = {
        "ece": [0.011, 0.005, 0.02], "ece_debiased": [0.006, 0.0, 0.015], "ece_equal_mass": [0.012, 0.006, 0.02],
        "classwise": [0.03, 0.02, 0.04], "classwise_debiased": [0.02, 0.01, 0.03], "classwise_labels": 7,
        "in_the_large": [-0.002, -0.01, 0.006], "pairs": 1234, "positives": 100,
        "bins": [[0.05, 0.06, 0.04, 0.08, 1200], [0.25, 0.3, 0.2, 0.4, 31], [0.95, 1.0, 0.3, 1.0, 3]],
    }  # fmt: skip
    group = {"patients": 20, "ecgs": 21, "positives": 9, "labels": 2, "ece": figure, "in_the_large": [-0.1, -0.2, 0.1]}
    rows = [
        {"by": by, "group": name, "auroc": figure, **group}
        for by, name in (("age", "under 50 years"), ("age", "not known"), ("sex", "female"), ("sex", "male"))
    ]
    point = {"signal_only": figure, "distilled": [0.75, 0.7, 0.8], "multimodal": [0.8, 0.75, 0.85], "oracle": figure}
    curve = [{"patients": n, **point, "gap_closed": [0.5, 0.3, 0.7], "gain": [0.05, 0.01, 0.09]} for n in (2000, 20000)]
    by_code = {"NORM": {"auroc": figure, "positives": 3}}
    part = {"auroc": [0.94, 0.92, 0.96], "labels": by_code, "few": ["NORM"], "missing": ["SBRAD"]}
    return {
        "calibration": {"findings": {"real": calibration | {"validation": calibration}, "simulated": calibration}},
        "subgroups": {"findings": {"real": rows, "simulated": rows}},
        "abstention": {"real": [{"by": r["by"], "group": r["group"], "share": [0.0, 0.0, 0.16]} for r in rows]},
        "left_out_in_preparation": {"ptbxl": {"flat lead": 17}},
        "real_findings": {"ecgs": 160, "superclasses": part, "statements": part},
        "label_curve": curve,
        "label_curve_groups": {"Kidney failure": curve},
        "label_curve_about": {
            "best": "distilled",
            "tenth": 2000,
            "seeds": 3,
            "models": {"distilled": "from a teacher"},
        },
        "lab_proxies": {
            "potassium_high on EL": {"auroc": figure, "positives": 14, "against": 101, "what": "EL against NORM"}
        },
        "dose_response": {
            "potassium": {"values": [4, 6], "probability": [0.05, 0.4], "low": [0.02, 0.3], "high": [0.1, 0.5]}
        },
        "domain_probe": {"lab logits": {"auroc": [0.55, 0.45, 0.65], "chance": 0.5, "what": "a logistic regression"}},
    }
