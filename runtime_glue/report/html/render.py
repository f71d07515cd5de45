# SPDX-License-Identifier: MIT
"""Renders the page on runs: report.html.j2 with its style and script inside.

usage: render.py VERSION OUTPUT
"""

import sys
from pathlib import Path

import jinja2

SCRIPTS = ("figures", "head", "timeline", "selection", "kernels", "graph", "tables", "compare", "begin")
here = Path(__file__).resolve().parent
environment = jinja2.Environment(loader=jinja2.FileSystemLoader(here), undefined=jinja2.StrictUndefined,
                                 keep_trailing_newline=True)  # fmt: skip
page = environment.get_template("report.html.j2").render(
    version=sys.argv[1], style=(here / "report.css").read_text(), script="".join((here / f"{name}.js").read_text() for name in SCRIPTS))
if page.count("DATA_OF_THE_RUNS") != 1:
    sys.exit("render.py: the page must have one place for the data")
Path(sys.argv[2]).write_text(page)
