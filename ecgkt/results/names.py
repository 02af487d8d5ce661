"""What models are called, and what they see: the networks of a bundle and the recipes of the label-efficiency curve."""

from __future__ import annotations

TRANSFER, SIGNAL, MULTIMODAL, ORACLE = "knowledge_transfer", "signal_only", "multimodal", "oracle"
PAPER = "paper_way"
# The networks that are compared on an ECG and label by label, in the order of their colors.
COMPARED = (TRANSFER, SIGNAL, MULTIMODAL, PAPER)
# The same, taught with the diagnoses of few patients on the label-efficiency curve: name -> name of that one.
FEW_LABELS = {name: f"{name}_few" for name in COMPARED}
# The networks of a bundle's own test, in the order of its tables: name -> title, what it sees when it is used.
NETWORKS = {
    TRANSFER: ("Knowledge transfer", "ECG"),
    PAPER: ("The paper's way (VICReg)", "ECG"),
    SIGNAL: ("Signal only", "ECG"),
    "signal_only_labs": ("Signal only + lab heads", "ECG"),
    "random_linear": ("Random encoder, linear heads", "ECG"),
    "clinical_only": ("Clinical only", "labs, vitals, biometrics"),
    MULTIMODAL: ("Multimodal", "ECG, labs, vitals, biometrics"),
}
RECIPES = {
    "signal_only_long": "Signal only, more steps",
    "self_taught": "Signal only, self-distilled",
    "lab_heads": "Lab heads",
    "labs_first": "Labs first",
    "vicreg": "VICReg",
    "infonce": "InfoNCE",
    "sigreg": "SIGReg",
    "distilled": "Distilled",
    "taught": "Distilled from two teachers",
    "ridge": "Multimodal regression",
    "lab_heads_long": "Lab heads, more steps",
    "vicreg_long": "VICReg, more steps",
    "distilled_long": "Distilled, more steps",
    "labs_first_distilled": "Labs first, distilled",
    "vicreg_distilled": "VICReg, distilled",
    ORACLE: "ECG-only oracle",
}


def title(name: str) -> str:
    """ "signal_only" -> "Signal only"; a name not listed here becomes words."""
    if name in NETWORKS:
        return NETWORKS[name][0]
    for every, few in FEW_LABELS.items():
        if name == few:
            return f"{title(every)}, few labels"
    return RECIPES.get(name, name.replace("_", " ").capitalize())
