# SPDX-License-Identifier: MIT
"""A stand-in for pto-runtime's module in PtoWsp's tests: PtoWsp's own one of this name, which drives the
built-in runtime, behind a look at what pto-runtime would get."""
import importlib.util
import os

_spec = importlib.util.spec_from_file_location(
    "ptowsp_bindings", os.path.join(os.environ["PTOWSP_TEST_BUILTIN"], "bindings.py"))
_own = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_own)

bind_host_binary = _own.bind_host_binary
set_device = _own.set_device


def register_kernel(func_id, binary_data):
    log = os.environ.get("PTOWSP_TEST_REGISTERED")
    if log:
        with open(log, "a", encoding="utf-8") as file:
            file.write(f"{func_id} {len(binary_data)}\n")
    _own.register_kernel(func_id, binary_data)


def launch_runtime(runtime, aicpu_thread_num, block_dim, device_id, aicpu_binary, aicore_binary):
    for name, binary in (("AICPU", aicpu_binary), ("AICore", aicore_binary)):
        if not binary.startswith(b"\x7fELF"):
            raise RuntimeError(f"the {name} binary is none")
    if os.environ.get("PTOWSP_TEST_DEVICE") not in (None, str(device_id)):
        raise RuntimeError(f"launched on device {device_id}")
    _own.launch_runtime(runtime, aicpu_thread_num, block_dim, device_id, aicpu_binary, aicore_binary)
