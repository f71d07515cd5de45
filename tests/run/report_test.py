# SPDX-License-Identifier: MIT
"""The page of `ptowsp-run --report` in a real browser: what it shows, that it logs no error, that keys work.

PTOWSP_SCREENSHOTS=DIR keeps a picture of each page, light and dark.
"""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from run_test import SANITIZED, Artifact, run
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys


@pytest.fixture
def artifact(tmp_path):
    return Artifact(tmp_path / "pair.ptowsp")


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
    report(artifact, browser, tmp_path, code=0)
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
    begin = page.index('<script id="data" type="application/json">') + len('<script id="data" type="application/json">')
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
    frame = browser.execute_async_script("""
        const done = arguments[0], times = [];
        let last = performance.now(), left = 20;
        const step = () => {
          const now = performance.now(); times.push(now - last); last = now;
          document.getElementById(left % 2 ? 'zoom-in' : 'zoom-out').click();
          if (left-- > 0) requestAnimationFrame(step); else done(times.sort((a, b) => a - b)[10]);
        };
        requestAnimationFrame(step);""")
    print(f"100,000 tasks: {file.stat().st_size / 1e6:.1f} MB, paint {paint}, median frame while zooming {frame:.1f} ms")
    assert "50,000 tasks" in text(browser, "critical")
    assert browser.get_log("browser") == []
