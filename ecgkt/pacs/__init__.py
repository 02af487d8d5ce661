"""A PACS by DICOMweb: `server` finds, reads and stores, `documents` are what is stored, `command` is `ecgkt pacs`.

Needs the extra `ecgkt[pacs]`; nothing else of ecgkt imports it.
"""
