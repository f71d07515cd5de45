# SPDX-License-Identifier: MIT
"""The page of `ptowsp-run --report` in a real browser: what it shows, that it logs no error, that keys work.

PTOWSP_SCREENSHOTS=DIR keeps a picture of each page, light and dark.
"""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from pair import SANITIZED, Artifact, run
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait


@pytest.fixture(scope="module")
def browser():
    options = webdriver.ChromeOptions()
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1300,1500",
                 "--disable-dev-shm-usage"):  # fmt: skip
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options)
    yield driver
    driver.quit()


def open_page(browser, file: Path):
    browser.get(file.as_uri())
    assert browser.get_log("browser") == []
    folder = os.environ.get("PTOWSP_SCREENSHOTS")
    if folder:
        name = os.environ["PYTEST_CURRENT_TEST"].split("::")[1].split()[0]
        for theme in ("light", "dark"):
            browser.execute_script(f"document.documentElement.dataset.theme = '{theme}'")
            browser.find_element(By.TAG_NAME, "body").send_keys("0")
            browser.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
            browser.save_screenshot(str(Path(folder) / f"{name}_{theme}.png"))


def text(browser, identifier: str) -> str:
    return browser.find_element(By.ID, identifier).text


def report(artifact, browser, tmp_path, *options, code):
    file = tmp_path / "report.html"
    result = run(artifact.write(), "--report", file, *options)
    assert result.returncode == code, result.stderr
    open_page(browser, file)
    return file


def test_right_run(artifact, browser, tmp_path):
    file = report(artifact, browser, tmp_path, code=0)
    assert "http" not in file.read_text().replace("http://www.w3.org/2000/svg", "")  # no network
    assert text(browser, "outcome") == "right"
    facts = text(browser, "facts")
    assert "tasks 8" in facts and "edges 4" in facts and "critical path 2 tasks" in facts
    kernels = text(browser, "kernels").splitlines()
    assert kernels[1].startswith("twice aiv 4 ") and kernels[2].startswith("increment aiv 4 ")
    y = next(line for line in text(browser, "tensors").splitlines() if line.startswith("y "))
    # y = 2 (x - 3) + 1 for x = 0..31.
    assert y.startswith("y f32 8 × 4 output 128 B -5 26 57 0 0 32 right")
    assert "twice × 1" in text(browser, "critical") and "increment × 1" in text(browser, "critical")
    assert text(browser, "graph").splitlines()[-1] or "4" in text(browser, "graph")


def test_search_selection_and_keys(artifact, browser, tmp_path):
    # One core has all tasks of the vector kind, so that increment[q=0] is not the last on its core.
    report(artifact, browser, tmp_path, "--workers", 1, "--block-dim", 1, code=0)
    page = browser.find_element(By.TAG_NAME, "body")
    page.send_keys("/")
    assert browser.switch_to.active_element.get_attribute("id") == "search"
    browser.switch_to.active_element.send_keys("increment")
    assert text(browser, "matches") == "4 of 8 tasks"
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    assert text(browser, "matches") == "1 of 4 matches"
    details = text(browser, "details")
    assert "increment[q=0] · task 4" in details
    assert "waits for (1): twice[r=0]" in details and "awaited by (0)" in details
    browser.find_element(By.CSS_SELECTOR, "#details button").click()
    assert "twice[r=0] · task 0" in text(browser, "details")
    page.send_keys("n")
    assert "increment[q=1] · task 5" in text(browser, "details")
    page.send_keys("N")
    assert "increment[q=0] · task 4" in text(browser, "details")
    page.send_keys("]")  # the next task on the core of increment[q=0], and back
    after = text(browser, "details").splitlines()[0]
    assert "· task " in after and "increment[q=0] " not in after
    page.send_keys("[")
    assert "increment[q=0] · task 4" in text(browser, "details")
    page.send_keys(Keys.ESCAPE)
    assert text(browser, "matches") == ""
    theme = browser.execute_script("return document.documentElement.dataset.theme")
    page.send_keys("t")
    assert browser.execute_script("return document.documentElement.dataset.theme") != theme
    for key in ("+", "+", "-", "0"):
        page.send_keys(key)
    browser.find_element(By.ID, "idle-lanes").click()
    assert browser.get_log("browser") == []


def test_wrong_result(artifact, browser, tmp_path):
    artifact.use(increment="wrong")
    report(artifact, browser, tmp_path, code=1)
    outcome = text(browser, "outcome")
    assert outcome.startswith("wrong\n") and "expected" in outcome and "written by task" in outcome
    assert "increment[q=" in outcome.splitlines()[-1]  # the task to go to
    assert "increment[q=" in text(browser, "details")
    assert "differ" in text(browser, "tensors")


@pytest.mark.skipif(SANITIZED, reason="the sanitizer ends the process first")
def test_crash(artifact, browser, tmp_path):
    artifact.use(twice="crash")
    report(artifact, browser, tmp_path, "--workers", 1, code=3)
    assert text(browser, "outcome").startswith("failed\n")
    assert "of them ran" in text(browser, "facts")
    assert "did not return" in text(browser, "details")


def test_hung_run(artifact, browser, tmp_path):
    artifact.use(increment="endless")
    report(artifact, browser, tmp_path, "--timeout", 0.5, "--workers", 1, code=3)
    assert text(browser, "outcome").startswith("failed\n")
    details = text(browser, "details")
    assert "increment[q=" in details and "did not return" in details


def test_markup_in_names_stays_text(artifact, browser, tmp_path):
    artifact.manifest["display_name"] = "</script><script>document.title = 'taken over'</script>"
    report(artifact, browser, tmp_path, code=0)
    assert "</script>" in text(browser, "title")
    assert browser.title == "pair: right"


def test_file_that_cannot_be_written(artifact, tmp_path):
    result = run(artifact.write(), "--report", tmp_path / "no/such/folder.html")
    assert result.returncode == 2
    assert "cannot write it: No such file or directory" in result.stderr
    assert "give a file that can be written to --report" in result.stderr


def test_a_hundred_thousand_tasks(browser, tmp_path):
    """The page made from a large run: read from the smallest one by repeating its tasks."""
    artifact = Artifact(tmp_path / "pair.ptowsp").write()
    file = tmp_path / "report.html"
    assert run(artifact, "--report", file).returncode == 0
    page = file.read_text()
    mark = '<script class="detail" type="application/json">'
    begin = page.index(mark) + len(mark)
    end = page.index("</script>", begin)
    data = json.loads(page[begin:end])
    count, lanes = 100_000, 2
    number = np.arange(count)
    start = (number // lanes) * 1000
    data["tasks"] = {"name": [f"twice[r={i}]" for i in range(count)], "kernel": [0] * count,
                     "core": (number % lanes + 1).tolist(), "aicpu": [0] * count, "worker": [0] * count,
                     "dispatch": start.tolist(), "start": (start + 100).tolist(), "end": (start + 900).tolist()}  # fmt: skip
    data["edges"] = {"offsets": np.minimum(np.arange(count + 1), count - 2).tolist(), "successors": (np.arange(count - 2) + 2).tolist()}
    data["last_ns"] = int(start[-1]) + 1000
    file.write_text(page[:begin] + json.dumps(data) + page[end:])
    open_page(browser, file)
    paint = browser.execute_script("return performance.getEntriesByType('paint').map(e => [e.name, e.startTime])")
    drawn = browser.execute_script("return performance.getEntriesByName('drawn')[0].startTime")
    frame = browser.execute_async_script("""
        const done = arguments[0], times = [];
        let last = performance.now(), left = 20;
        const step = () => {
          const now = performance.now(); times.push(now - last); last = now;
          document.getElementById(left % 2 ? 'zoom-in' : 'zoom-out').click();
          if (left-- > 0) requestAnimationFrame(step); else done(times.sort((a, b) => a - b)[10]);
        };
        requestAnimationFrame(step);""")
    print(f"100,000 tasks: {file.stat().st_size / 1e6:.1f} MB, paint {paint}, drawn {drawn:.0f} ms, median frame while zooming {frame:.1f} ms")
    assert "50,000 tasks" in text(browser, "critical")
    browser.find_element(By.ID, "search").send_keys("r=99999]")
    assert text(browser, "matches") == "1 of 100,000 tasks"
    assert file.stat().st_size < 12e6
    # A machine that is busy with other tests may be slow; without aggregation a frame takes seconds.
    assert paint and drawn < 20_000 and frame < 500
    assert browser.get_log("browser") == []


# ---- several runs: ptowsp report ----

TOOL = Path(os.environ["PTOWSP_RUN"]).with_name("ptowsp")


def tool(*arguments):
    return subprocess.run([TOOL, *map(str, arguments)], capture_output=True, text=True, timeout=60)


@pytest.fixture
def runs(tmp_path):
    """A folder with a run in each form, and other files."""
    folder = tmp_path / "runs"
    folder.mkdir()
    artifact = Artifact(tmp_path / "pair.ptowsp").write()
    assert run(artifact, "--report", folder / "page.html", "--workers", 1, "--repeat", 3).returncode == 0
    (folder / "result.json").write_text(run(artifact, "--json").stdout)
    assert run(artifact, "--trace", folder / "timeline.json").returncode == 0
    wrong = Artifact(tmp_path / "wrong.ptowsp").use(increment="wrong").write()
    assert run(wrong, "--report", folder / "wrong.html").returncode == 1
    (folder / "notes.json").write_text("[]")
    (folder / "notes.html").write_text("<!doctype html>")
    return folder


def test_several_runs_side_by_side(browser, runs, tmp_path):
    page = tmp_path / "all.html"
    done = tool("report", runs, 'a <b> & "c"=' + str(runs / "page.html"), "-o", page)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f'{page}: 5 runs: page, result, timeline, wrong, a <b> & "c"\n'
    open_page(browser, page)
    assert browser.title == "5 runs: page"
    rows = text(browser, "compare").splitlines()
    names = [row.split(" pair right 8 ")[0] for row in rows if " right 8 " in row]
    assert names == ["page", "result", 'a <b> & "c"']
    assert any(row.startswith("wrong pair wrong 8 ") for row in rows)
    assert any(row.startswith("timeline two steps timeline only 8 ") for row in rows)
    page_row = next(row for row in rows if row.startswith("page "))
    assert " 1.00 × " in page_row
    assert any(row.startswith("twice ") and row.count("×") == 5 for row in rows)
    choice = Select(browser.find_element(By.ID, "runs"))
    assert [option.text for option in choice.options] == ["page", "result", "timeline", "wrong", 'a <b> & "c"']
    assert text(browser, "outcome") == "right" and "median of 3" in text(browser, "facts")


@pytest.mark.parametrize("index, outcome, kernels, edges", [
    (1, "right", "twice 4 ", "What is known of this run has no graph."),
    (2, "timeline only", "twice aiv 4 ", "A timeline has no edges."),
    (3, "wrong", "twice aiv 4 ", None),
])  # fmt: skip
def test_choice_of_a_run(browser, runs, tmp_path, index, outcome, kernels, edges):
    page = tmp_path / "all.html"
    assert tool("report", runs, "-o", page).returncode == 0
    open_page(browser, page)
    Select(browser.find_element(By.ID, "runs")).select_by_index(index)
    WebDriverWait(browser, 20).until(lambda b: b.execute_script("return document.readyState") == "complete"
                                     and text(b, "outcome").startswith(outcome))  # fmt: skip
    assert browser.get_log("browser") == []
    assert text(browser, "kernels").splitlines()[1].startswith(kernels)
    assert edges is None or text(browser, "graph") == edges
    if outcome == "wrong":
        assert "increment[q=" in text(browser, "details")


def test_a_page_of_several_runs_is_one_of_its_runs(runs, tmp_path):
    """Put together in two steps or in one, the runs are the same."""
    assert tool("report", runs / "page.html", runs / "wrong.html", "-o", tmp_path / "two.html").returncode == 0
    done = tool("report", tmp_path / "two.html", "again=" + str(tmp_path / "two.html"), "-o", tmp_path / "four.html")
    assert done.stdout == f"{tmp_path}/four.html: 4 runs: page, wrong, again page, again wrong\n"
    assert tool("report", tmp_path / "two.html", "-o", tmp_path / "same.html").returncode == 0
    assert (tmp_path / "same.html").read_bytes() == (tmp_path / "two.html").read_bytes()


def test_labels_are_made_different(runs, tmp_path):
    done = tool("report", runs / "page.html", runs / "page.html", runs / "page.html", "-o", tmp_path / "p.html")
    assert done.stdout == f"{tmp_path}/p.html: 3 runs: page, page (2), page (3)\n"


@pytest.mark.parametrize("name, content, message", [
    ("run.json", None, "found no such file or folder\n  fix: give what holds a run: expected a page of ptowsp-run --report, "
     "a result of --json, or a timeline of --trace"),
    ("run.json", "{}", "found no run, expected a page of ptowsp-run --report, a result of --json, or a timeline of --trace\n"
     "  fix: run ptowsp-run with one of these"),
    ("run.json", '{"traceEvents": [{"ph": "X"}]}', "found no run, expected a page of ptowsp-run --report, a result of --json, "
     "or a timeline of --trace\n  fix: run ptowsp-run with one of these"),
    ("run.json", '{"ptowsp_run": 2}', "found a result in format 2, expected 1\n  fix: run ptowsp-run with one of these"),
    ("folder", {}, "found no .html or .json file that holds a run\n  fix: write one there with ptowsp-run --report"),
])  # fmt: skip
def test_what_holds_no_run(tmp_path, name, content, message):
    if content == {}:
        (tmp_path / name).mkdir()
    elif content is not None:
        (tmp_path / name).write_text(content)
    done = tool("report", tmp_path / name, "-o", tmp_path / "page.html")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"ptowsp: error: {tmp_path}/{name}: {message}\n"
    assert not (tmp_path / "page.html").exists()


def test_a_page_that_cannot_be_written(runs, tmp_path):
    done = tool("report", runs, "-o", tmp_path / "no/such/folder.html")
    assert done.returncode == 1
    assert done.stderr == (f"ptowsp: error: {tmp_path}/no/such/folder.html: cannot write it: No such file or directory\n"
                           "  fix: give a file that can be written to --output\n")  # fmt: skip


def test_wrong_usage(tmp_path):
    assert tool("report").returncode == 2
    assert tool("reprot").returncode == 2
    version = tool("--version")
    assert (version.returncode, version.stdout) == (0, f"ptowsp {os.environ['PTOWSP_VERSION']}, contract G1\n")


def test_process_that_ends_before_its_run(artifact, browser, tmp_path):
    """An orchestration that never returns: the guard ends the process, and the page says what is known."""
    artifact.use(orchestration="hang")
    report(artifact, browser, tmp_path, "--timeout", 0.2, code=3)
    outcome = text(browser, "outcome")
    assert outcome.startswith("failed\npair: the process ended before its run did\n")
    assert "tasks 8" in text(browser, "facts")


def test_trapped_nan(artifact, browser, tmp_path):
    artifact.use(twice="nan")
    report(artifact, browser, tmp_path, "--trap-nan", "--workers", 1, code=3)
    assert "task 1, twice[r=1] made a NaN" in text(browser, "outcome")
    assert "twice[r=1] · task 1" in text(browser, "details")


def test_printed(artifact, browser, tmp_path):
    """On paper: light, and what one clicks is not there."""
    report(artifact, browser, tmp_path, code=0)
    browser.execute_script("document.documentElement.dataset.theme = 'dark'")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        shown = browser.execute_script("""
            const style = (selector) => getComputedStyle(document.querySelector(selector));
            return [style("body").backgroundColor, style(".bar:not([hidden])").display, style("#details").display, style("#kernels table").display];""")
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert shown == ["rgb(255, 255, 255)", "none", "none", "table"]
    assert len(browser.print_page()) > 10_000
