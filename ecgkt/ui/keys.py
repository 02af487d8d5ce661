"""Names under which a session keeps something that more than one place reads or writes, and parameters of the address.

A widget that nobody else asks about carries its key where it stands.
"""

from __future__ import annotations

# What is shown. The address has these too, so that a view can be shared.
EXAMPLE = "example"  # key of the example that is open
EXAMPLE_PICK = "example_pick"  # the list of examples
TARGET = "target"  # code of the label whose relevance is drawn; a parameter of the address by the same name
TARGET_ON = "target_on"  # key of the ECG on which the label was shown last
ECG = "ecg"  # parameter of the address: key of the example
WRITTEN = "written"  # what a page wrote into the address last, by parameter
EXPLAINED = "explained"  # code of the diagnosis whose labs are shown, also while one of them is the target
VISIT = "visit"  # changes whenever a folder of one's own is named
FOLDER, FOLDER_INPUT = "folder", "folder_input"  # path of a folder of one's own, and the widget that asks for it

# How it is drawn
LAYOUT, WAVES = "layout", "waves"
MEASURING, MEASUREMENTS = "measuring", "measurements"
FIRST_SHEET = "first_sheet"  # when this session saw its first sheet

# Two ECGs
SERIAL_FROM = "serial_from"  # a patient of the folder, or files
SERIAL_BEFORE = "serial_before"  # key of the earlier ECG of the patient
SERIAL_NOW_PICK, SERIAL_BEFORE_PICK = "serial_now_pick", "serial_before_pick"  # the two lists
SERIAL_FILES, SERIAL_ORDER = "serial_files", "serial_order"
EARLIER = "earlier"  # parameter of the address: key of the earlier ECG

# What if: whose ECG (also a parameter of the address), the list, the number of a patient drawn at random, and which
# quantity and which label the curve is of
WHAT_IF, WHAT_IF_PICK, WHAT_IF_NUMBER = "patient", "what_if_pick", "what_if_number"
WHAT_IF_LEVER, WHAT_IF_TARGET = "what_if_lever", "what_if_target"

# Compare
LABELED = "labeled"  # whose labels the models compared were taught with; a parameter of the address by the same name

# The session itself
HAS_BAR, HAS_MODEL, REMEMBERED = "has_bar", "has_model", "remembered"
READ_UPLOADS = "read_uploads"  # by slot: what the chosen files gave, which are not kept themselves
