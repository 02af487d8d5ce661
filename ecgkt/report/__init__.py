"""A report of one ECG: `content` gathers it as plain data, `document` makes that a PDF, PNG or JSON file.

data = content.build(ecg, prediction, model, paper, attribution)
Path("report.pdf").write_bytes(document.pdf(data))
"""
