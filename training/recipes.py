"""Recipes: every way in which a network is trained, whether it ships, is a baseline, teaches or a point of the curve.

A recipe says what a network sees and what it learns from; data, number of labeled patients, budget and seeds are those
of the task that it is put to (training/train/task.py). `transfer` of a run's config names the recipe that stands for
knowledge transfer in its bundle, `best` of a curve's config the one that stands for it on the curve; the paper's own,
as reconstructed, is `vicreg`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ecgkt.model.networks.network import Modality


@dataclass(frozen=True)
class Recipe:
    """what: in words, for the figures. modality: what the network sees when it is used.

    stage_1: objective of pretraining against the table ("" for none), on everyone's labs and vitals. labs: lab heads,
    on everyone's labs. teachers: recipes trained on the same labeled patients, whose mean log-odds are learned beside
    the known diagnoses. steps: times the usual number. frozen: the encoder keeps its random weights. linear: a
    regression on the table and the embedding of stage 1, in place of a network.
    """

    what: str
    modality: Modality = "ecg"
    stage_1: str = ""
    labs: bool = False
    teachers: tuple[str, ...] = ()
    steps: float = 1.0
    frozen: bool = False
    linear: bool = False

    def shapes(self) -> dict[str, object]:
        """All of it that shapes weights."""
        return {key: value for key, value in asdict(self).items() if key != "what"}


MULTIMODAL = ("multimodal",)
BOTH = (*MULTIMODAL, "ridge")
RECIPES = {
    "signal_only": Recipe("ECG network trained from scratch on the labeled patients' diagnoses"),
    "signal_only_long": Recipe(
        "signal only with 4.5 times the steps, more than a student and all its teachers take together", steps=4.5
    ),
    "self_taught": Recipe(
        "student of signal only: learns its probabilities on all training ECGs, no labs",
        teachers=("signal_only",),
        steps=3.0,
    ),
    "lab_heads": Recipe("signal only plus lab heads trained on all patients' labs", labs=True),
    "labs_first": Recipe("pretrained to predict all patients' labs and vitals, then lab heads", "ecg", "labs", True),
    "vicreg": Recipe(
        "the paper's method, as reconstructed: VICReg against the table, then lab heads", "ecg", "vicreg", True
    ),
    "infonce": Recipe("InfoNCE against the table, then lab heads", "ecg", "infonce", True),
    "sigreg": Recipe("LeJEPA (SIGReg) against the table, then lab heads", "ecg", "sigreg", True),
    "distilled": Recipe(
        "learns the multimodal teacher's probabilities on all training ECGs, with lab heads",
        labs=True,
        teachers=MULTIMODAL,
    ),
    "labs_first_distilled": Recipe(
        "pretrained to predict labs and vitals, then distilled from the multimodal teacher",
        "ecg",
        "labs",
        True,
        MULTIMODAL,
    ),
    "vicreg_distilled": Recipe(
        "VICReg against the table, then distilled from the multimodal teacher", "ecg", "vicreg", True, MULTIMODAL
    ),
    "taught": Recipe(
        "two teachers (multimodal network and regression), lab heads, three times the steps",
        labs=True,
        teachers=BOTH,
        steps=3.0,
    ),
    "vicreg_taught": Recipe("VICReg against the table, then taught by two", "ecg", "vicreg", True, BOTH, steps=3.0),
    "infonce_taught": Recipe("InfoNCE against the table, then taught by two", "ecg", "infonce", True, BOTH, steps=3.0),
    # With the budget of `taught`, to tell what its steps are worth from what its second teacher is.
    "lab_heads_long": Recipe("lab heads, 4.5 times the steps", labs=True, steps=4.5),
    "vicreg_long": Recipe("VICReg, then lab heads, 4.5 times the steps", "ecg", "vicreg", True, steps=4.5),
    "distilled_long": Recipe("distilled, three times the steps", labs=True, teachers=MULTIMODAL, steps=3.0),
    "ridge": Recipe("ridge regression on the table and the embedding of labs first", "both", "labs", linear=True),
    "random_linear": Recipe("linear heads on the same encoder, never trained", labs=True, frozen=True),
    "clinical_only": Recipe("clinical table alone: labs, vitals, biometrics", "table"),
    "multimodal": Recipe("sees ECG and clinical table, in training and in use", "both"),
}
TEACHERS = {name for recipe in RECIPES.values() for name in recipe.teachers}

TRANSFER = "knowledge_transfer"
# The models that knowledge transfer is compared with in a run's own test, with its whole budget: stage -> recipe.
BASELINES = {
    "random_linear": "random_linear",
    "signal_only": "signal_only",
    "signal_only_labs": "lab_heads",  # what stage 1 or a teacher adds is the rest
    "paper_way": "vicreg",  # left out where the config gives stage 1 no steps
    "clinical_only": "clinical_only",
    "multimodal": "multimodal",  # the ceiling
}


def known(name: str) -> str:
    """The name of a recipe. Raises ValueError for any other."""
    if name not in RECIPES:
        raise ValueError(f"There is no recipe {name!r}; there are {', '.join(RECIPES)}.")
    return name
