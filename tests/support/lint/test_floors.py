"""The floors on small trees that were made up."""
import pytest

SOUND = {
    "agent/base/text.hpp": "#pragma once\n#include <string>\n",
    "agent/base/text.cpp": '#include "base/text.hpp"\n',
    "agent/ports/ports.hpp": '#pragma once\n#include "base/text.hpp"\n',
    "agent/change/change.hpp": '#pragma once\n#include "ports/ports.hpp"\n',
    "agent/change/change.cpp": '#include "change/change.hpp"\n#include "base/text.hpp"\n',
    "agent/system/file.hpp": '#pragma once\n#include "ports/ports.hpp"\n',
    "agent/system/keeping/keeper.cpp": '#include "base/text.hpp"\n#include "system/file.hpp"\n#include <fmt/core.h>\n',
    "agent/main.cpp": '#include "change/change.hpp"\n#include "system/file.hpp"\n',
}


@pytest.fixture
def floors(tree, check):
    def run(**changes):
        return check("floors", "--agent", tree({**SOUND, **changes.get("files", {})}) / "agent")

    return run


def test_a_sound_tree_has_no_breach(floors):
    assert floors() == (0, ["no breach"])


@pytest.mark.parametrize(
    ("file", "text", "line"),
    [
        ("agent/base/up.hpp", '\n#include "change/change.hpp"\n',
         'agent/base/up.hpp:2: "change/change.hpp": base/ may not include change/, which is below it'),
        ("agent/change/adapter.cpp", '#include "system/file.hpp"\n',
         'agent/change/adapter.cpp:1: "system/file.hpp": only main.cpp may include system/'),
        ("agent/change/angle.cpp", "#include <system/file.hpp>\n",
         'agent/change/angle.cpp:1: "system/file.hpp": only main.cpp may include system/'),
        ("agent/system/keeping/a.cpp", '/* one\ntwo */\n#  include "change/change.hpp"\n',
         'agent/system/keeping/a.cpp:3: "change/change.hpp": system/ may include only base/ and ports/, not change/'),
        ("agent/change/near.cpp", '#include "../system/file.hpp"\n',
         'agent/change/near.cpp:1: "../system/file.hpp": only main.cpp may include system/'),
        ("agent/cellar/new.hpp", "", "agent/cellar/new.hpp:1: in no known room"),
        ("agent/loose.cpp", "", "agent/loose.cpp:1: in no known room"),
        ("agent/change/whole.cpp", '#include "base/text.cpp"\n',
         'agent/change/whole.cpp:1: "base/text.cpp" is a source; include its header'),
        ("agent/change/gone.cpp", '#include "base/gone.hpp"\n',
         'agent/change/gone.cpp:1: "base/gone.hpp" is no file of agent/'),
    ],
)  # fmt: skip
def test_a_breach_is_named_with_its_line(floors, file, text, line):
    assert floors(files={file: text}) == (1, [line, "1 breaches"])


def test_what_is_commented_out_is_no_include(floors):
    text = '// #include "change/change.hpp"\n/*\n#include "system/file.hpp"\n*/\n'
    assert floors(files={"agent/base/up.hpp": text})[0] == 0


def test_a_circle_through_a_source_is_found(floors):
    status, lines = floors(files={
        "agent/change/one.hpp": '#pragma once\n#include "change/two.hpp"\n',
        "agent/change/two.hpp": "#pragma once\n",
        "agent/change/two.cpp": '#include "change/two.hpp"\n#include "change/three.hpp"\n',
        "agent/change/three.hpp": '#pragma once\n#include "change/one.hpp"\n',
        "agent/change/aside.cpp": '#include "change/one.hpp"\n',
    })  # fmt: skip
    circle = "is part of a circle of 3 units: change/one, change/three, change/two"
    assert status == 1
    assert lines == [
        f'agent/change/one.hpp:2: "change/two.hpp" {circle}',
        f'agent/change/three.hpp:2: "change/one.hpp" {circle}',
        f'agent/change/two.cpp:2: "change/three.hpp" {circle}',
        "3 breaches",
    ]


def test_what_a_header_declares_its_own_unit_defines(floors):
    status, lines = floors(files={
        "agent/change/one.hpp": "namespace um {\nvoid here();\nvoid there();\nvoid there(int);\n"
                                "class A { void near(); };\n}\n",
        "agent/change/one.cpp": "namespace um {\nnamespace { void near() {} }\nvoid here() {}\nvoid A::near() {}\n}\n",
        "agent/change/two.cpp": "namespace um {\nnamespace { void here() {} }\nvoid there() {}\n"
                                "void there(int) {}\n}\n",
    })  # fmt: skip
    reason = "um::there is defined in another unit: change/two"
    assert (status, lines) == (1, [f"agent/change/one.hpp:{line}: {reason}" for line in (3, 4)] + ["2 breaches"])


def test_an_empty_tree_is_no_success(tmp_path, check):
    assert check("floors", "--agent", tmp_path)[0] == 1
