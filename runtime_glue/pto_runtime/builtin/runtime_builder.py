# SPDX-License-Identifier: MIT
"""RuntimeBuilder of PtoWsp's built-in runtime, with the interface of pto-runtime's module of this
name. There is nothing to build: the runtime is the library that PtoWsp's own build made."""
from __future__ import annotations

from _ptowsp_tree import check_platform, runtime_library
from pto_compiler import PTOCompiler

_RUNTIME = "host_build_graph"


class RuntimeBuilder:
    """platform: "a2a3sim". runtime_root is accepted and not used."""

    def __init__(self, platform: str = "a2a3", runtime_root: object = None) -> None:
        check_platform(platform)
        self.platform = platform
        self._compiler = PTOCompiler(platform=platform)

    def list_runtimes(self) -> list[str]:
        """The names that build() knows."""
        return [_RUNTIME]

    def build(self, name: str) -> tuple[bytes, bytes, bytes]:
        """The libraries (host, AICPU, AICore) as bytes, for bind_host_binary() and
        launch_runtime(). The schedulers and cores of the built-in runtime are in its host library,
        so the other two say just that. ValueError for an unknown name."""
        if name != _RUNTIME:
            raise ValueError(f"runtime '{name}' is unknown; the built-in runtime is {_RUNTIME}")
        with open(runtime_library(), "rb") as file:
            host = file.read()
        return host, b"AICPU: see the host library", b"AICore: see the host library"

    def get_pto_compiler(self) -> PTOCompiler:
        """The compiler of kernels and orchestrations for this platform."""
        return self._compiler
