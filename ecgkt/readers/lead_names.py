"""Which of the 12 leads a file means by the words it has for it, in the languages that recorders are sold in.

Names come from strangers: nothing here looks at a character more than a few times.
"""

from __future__ import annotations

import unicodedata

from ecgkt.ecg import LEADS

LONGEST = 64  # characters
# What stands before a lead's own name, or behind it, and says no more than that it is one. "mdc", "elec" and "potl" are
# of the codes of ISO/IEEE 11073-10102 (MDC_ECG_LEAD_I, MDC_ECG_ELEC_POTL_I).
LEAD_WORDS = frozenset({
    "lead", "leads", "ecg", "ekg", "mdc", "elec", "potl", "einthoven", "goldberger", "wilson",
    "ableitung", "extremitatenableitung", "brustwandableitung", "afleiding", "avledning", "afledning",
    "derivation", "derivacion", "derivazione", "derivacao", "deriv", "der", "derivatie", "derivasyon",
    "odprowadzenie", "svod", "kytkenta", "отведение", "导联", "導聯", "誘導",
})  # fmt: skip
GLUED_BEFORE = ("lead", "ecg", "ekg")  # "LeadII"
GLUED_BEHIND = ("导联", "導聯", "誘導")  # "II导联"
# The limb leads with D for derivation, as in French, Spanish, Portuguese, Italian, Turkish.
NAMES = {
    **{lead.lower(): lead for lead in LEADS},
    **{f"d{number}": lead for number, lead in (("i", "I"), ("ii", "II"), ("iii", "III"))},
    **{f"d{number}": lead for number, lead in ((1, "I"), (2, "II"), (3, "III"))},
}
# C (IEC 60601-2-25) for the chest leads is a place of the EEG, too: only where the file says that it is a lead.
NAMES_OF_A_LEAD = {f"c{number}": f"V{number}" for number in range(1, 7)}
SPLIT_NAMES = frozenset({"v", "av", "d"})  # "V 1", "aV_R", "D II"; "I I" is none


def lead_name(words: str) -> str:
    """A lead's own name ("V1") in what files call it: "Lead V1", "v1", "DII", "Lead I (Einthoven)", "aVR, augmented".

    Anything else (Frank's "vx", "Pleth", an inverted "-aVR", the difference "I-II") comes back as "".
    """
    for end in "([,;":
        words = words.partition(end)[0]
    words = words.strip(" \t\r\n\"'")
    if not words or len(words) > LONGEST:
        return ""
    # Roman numerals of one character become letters, accents go.
    plain = unicodedata.normalize("NFKD", words.replace("\N{MINUS SIGN}", "-"))
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter)).lower()
    if plain.endswith("-") or any(word.startswith("-") and len(word) > 1 for word in plain.split()):
        return ""  # inverted
    found = plain.translate(str.maketrans("_:.-", "    ")).split()
    parts = [word for word in found if word not in LEAD_WORDS]
    if len(parts) == 2 and parts[0] in SPLIT_NAMES:
        parts = ["".join(parts)]
    if len(parts) != 1:
        return ""
    name = parts[0]
    for prefix in GLUED_BEFORE:
        name = name.removeprefix(prefix)
    for suffix in GLUED_BEHIND:
        name = name.removesuffix(suffix)
    is_lead = len(found) > 1 or name != parts[0]
    return NAMES.get(name) or (NAMES_OF_A_LEAD.get(name, "") if is_lead else "")
