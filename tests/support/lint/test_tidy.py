"""clang-tidy over a small tree: nothing gets lost because sources are examined in groups."""
import json
import shutil
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
SOUND = {
    "agent/base/clean.cpp": "namespace um {\nint three() {\n    return 3;\n}\n}\n",
    "agent/base/other.cpp": "namespace um {\nint four() {\n    return 4;\n}\n}\n",
}


@pytest.fixture
def tidy(tree, check):
    def run(files):
        top = tree({**SOUND, **files})
        script = top / "tests/support/lint/tidy"
        script.parent.mkdir(parents=True)
        shutil.copy(HERE / "tidy", script)
        shutil.copy(HERE.parents[2] / ".clang-tidy", top)
        sources = [str(source) for source in top.rglob("*.cpp")]
        entries = [{"directory": str(top), "file": one, "command": f"c++ -std=c++20 -I{top}/agent -O2 -c {one}"}
                   for one in sources]  # fmt: skip
        (top / "build/all").mkdir(parents=True)
        (top / "build/all/compile_commands.json").write_text(json.dumps(entries))
        status, lines = check(script)
        return status, [line for line in lines if ": error: " in line], lines[-1]

    return run


def test_sound_sources_have_no_finding(tidy):
    status, errors, last = tidy({})
    assert (status, errors) == (0, [])
    assert last.startswith("2 sources, 0 of them alone, 0 findings;")


def test_findings_stand_at_their_own_lines(tidy):
    status, errors, _ = tidy({
        # a finding of the analyzer, one that only the main file of a run has, and one of a header
        "agent/base/path.cpp": "int path(bool b) {\n    int x = 1;\n    int* p = nullptr;\n"
                               "    if (b)\n        p = &x;\n    return *p;\n}\n",
        "agent/base/using.cpp": '#include "using.hpp"\n#include <string>\nusing std::to_string;\n',
        "agent/base/using.hpp": "#pragma once\nstruct badName {};\n",
    })  # fmt: skip
    assert status == 1
    assert [error.split(": error: ")[0] for error in errors] == [
        "agent/base/path.cpp:6:12", "agent/base/using.cpp:3:12", "agent/base/using.hpp:2:8",
    ]  # fmt: skip


def test_what_does_not_compile_with_others_is_examined_alone(tidy):
    status, errors, last = tidy({f"agent/base/{name}.cpp": "int twice = 1;\n" for name in "abcdefghijklmnop"})
    assert (status, errors) == (0, [])
    assert " 0 of them alone" not in last


def test_a_source_that_does_not_compile_at_all_is_a_finding(tidy):
    status, errors, _ = tidy({"agent/base/broken.cpp": "\nint x = y;\n"})
    assert (status, [error.split(": ")[0] for error in errors]) == (1, ["agent/base/broken.cpp:2:9"])
