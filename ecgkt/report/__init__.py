"""A report of one ECG for the file or the printer: `content` gathers it as plain data, `document` makes it a PDF, PNG or
JSON file.

    data = content.build(ecg, explanation, model, paper, attribution)
    Path("report.pdf").write_bytes(document.pdf(data))
"""
