"""processes.py: how suites end what they have started.
SPDX-License-Identifier: Apache-2.0"""
import subprocess


def end_process(process, patience):
    """Asks it to end, and kills it after so many seconds. Its exit status: -9 tells of the latter."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()
