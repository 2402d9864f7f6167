"""Lengths and comments on small trees that were made up."""


def function(name, lines):
    return f"void {name}() {{\n" + "    step();\n" * (lines - 2) + "}\n"


def sizes(check, tree, files):
    return check("sizes", "--top", tree({"agent/base/short.cpp": function("small", 3), "tests/a.py": "", **files}))


def test_eight_functions_may_be_long(check, tree):
    status, lines = sizes(check, tree, {f"agent/base/f{n}.cpp": function(f"long_{n}", 41) for n in range(8)})
    assert status == 0
    assert "agent/base/f3.cpp:1: long_3 has 41 lines" in lines
    assert lines[-1] == "9 functions, median 41 lines, 8 above 40 (8 are allowed)"


def test_nine_may_not(check, tree):
    assert sizes(check, tree, {f"agent/base/f{n}.cpp": function(f"long_{n}", 41) for n in range(9)})[0] == 1


def test_forty_lines_are_not_long(check, tree):
    assert sizes(check, tree, {f"agent/base/f{n}.cpp": function(f"long_{n}", 40) for n in range(9)})[0] == 0


def test_a_file_has_at_most_400_lines(check, tree):
    tool = "#!/usr/bin/python3" + "\n" * 402
    status, lines = sizes(
        check, tree, {"agent/base/full.hpp": "\n" * 400, "tests/long.py": "\n" * 401, "tests/tool": tool}
    )
    assert status == 1
    assert [line for line in lines if "allowed" in line and line.startswith("tests")] == [
        "tests/long.py:401: 401 lines; 400 are allowed",
        "tests/tool:401: 402 lines; 400 are allowed",
    ]


def test_only_comments_are_searched_for_people(check, tree):
    top = tree({
        "agent/base/a.cpp": '// Whoever writes\nauto who = "// who"; // the whole\n'
                            "/* one\n whose file */ int x = 1'000; // it's who\n",
        "agent/base/b.hpp": 'auto r = R"(// who)";\n/// Who?\n',
    })  # fmt: skip
    status, lines = check("people", "--agent", top / "agent")
    assert status == 0
    assert lines == [
        "agent/base/a.cpp:1: // Whoever writes",
        "agent/base/a.cpp:4: whose file */",
        "agent/base/a.cpp:4: // it's who",
        "agent/base/b.hpp:2: /// Who?",
        "4 lines; 14 are allowed",
    ]


def test_fifteen_people_are_too_many(check, tree):
    assert check("people", "--agent", tree({"agent/a.cpp": "// who\n" * 14}) / "agent")[0] == 0
    assert check("people", "--agent", tree({"agent/a.cpp": "// who\n" * 15}) / "agent")[0] == 1
