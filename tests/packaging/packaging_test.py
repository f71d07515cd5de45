# SPDX-License-Identifier: MIT
"""What packages carry: a .deb that works where it is unpacked, and completion in bash."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ["PTOWSP_BUILD_DIR"])


def run(*command, **options) -> str:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout}"
    return done.stdout


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """The .deb's content, below a folder with a blank in its name."""
    folder = tmp_path_factory.mktemp("deb")
    run("cpack", "--config", BUILD / "CPackConfig.cmake", "-B", folder, cwd=BUILD)
    [package] = folder.glob("ptowsp_*.deb")
    root = folder / "clean root"
    run("dpkg-deb", "-x", package, root)
    return root / "usr"


def test_deb_builds_and_runs_a_workload(unpacked, tmp_path):
    project = tmp_path / "scale"
    shutil.copytree(unpacked / "share/doc/ptowsp/examples/scale", project)
    run("cmake", "-S", project, "-B", tmp_path / "build", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={unpacked}")
    out = run("ctest", "--test-dir", tmp_path / "build", "-L", "a2a3sim", "--no-tests=error")
    assert "100% tests passed" in out
    assert str(unpacked / "bin/ptowsp-run") in (tmp_path / "build/CTestTestfile.cmake").read_text()


def test_deb_holds_the_python_package(unpacked):
    packages = unpacked / "lib/python3/dist-packages"
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PTOWSP")}
    out = run("/usr/bin/python3", "-m", "pto_wsp", "check", SOURCE / "examples/softmax/softmax.py",
              env=environment | {"PYTHONPATH": str(packages)})  # fmt: skip
    assert "tasks" in out


@pytest.mark.parametrize("path", ["share/man/man1/ptowsp-gen.1", "share/man/man1/ptowsp-run.1",
    "share/man/man1/ptowsp.1", "bin/ptowsp", "share/bash-completion/completions/ptowsp",
    "share/bash-completion/completions/ptowsp-gen", "share/bash-completion/completions/ptowsp-run",
    "share/doc/ptowsp/copyright", "share/doc/ptowsp/CHANGELOG.md", "share/doc/ptowsp/docs/ir.md"])  # fmt: skip
def test_deb_holds(unpacked, path):
    assert (unpacked / path).stat().st_size > 0


def test_man_page_names_every_subcommand(unpacked):
    page = run("man", "--local-file", unpacked / "share/man/man1/ptowsp-gen.1", env=os.environ | {"MANWIDTH": "80"})
    for word in ("check", "emit", "print", "graph", "eval", "list", "--races", "--depfile"):
        assert word in page


def complete(*words: str) -> set[str]:
    """What bash offers for the last of the words."""
    script = (f'source "{SOURCE}/packaging/ptowsp.bash-completion"\n'
              'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ptowsp; printf "%s\\n" "${COMPREPLY[@]}"')  # fmt: skip
    path = f"{BUILD / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return set(run("bash", "-c", script, "bash", *words, env=os.environ | {"PATH": path}).split())


@pytest.mark.parametrize("words, offered", [
    (("ptowsp-gen", "e"), {"emit", "eval"}),
    (("ptowsp-gen", "check", "--r"), {"--races"}),
    (("ptowsp-gen", "check", "--races", ""), {"error", "allow"}),
    (("ptowsp-gen", "graph", "--format", "m"), {"mermaid"}),
    (("ptowsp-gen", "emit", "w.json", "--st"), {"--stamp"}),
    (("ptowsp-run", "--ti"), {"--timeout"}),
    (("ptowsp-run", "art"), set()),
    (("ptowsp-run", "--color", "a"), {"auto", "always"}),
    (("ptowsp", "re"), {"report"}),
    (("ptowsp", "report", "--o"), {"--output"}),
    (("ptowsp", "report", "run"), set()),
])  # fmt: skip
def test_completion(words, offered):
    assert complete(*words) == offered


def test_completion_of_a_path(tmp_path):
    """The tool is asked by the path that was typed."""
    assert complete(str(BUILD / "bin/ptowsp-gen"), "pri") == {"print"}
