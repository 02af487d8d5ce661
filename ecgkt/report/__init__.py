"""A report of one ECG: `content` gathers it as plain data, `document` makes files of it.

data = content.build(ecg, prediction, model, paper, attribution)
Path("report.pdf").write_bytes(document.pdf(data))
"""
