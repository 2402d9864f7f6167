"""What counts as a sentence."""
import re

import pytest


@pytest.fixture
def sentences(tree, check):
    """(line, words, text) of each sentence of a file, in order."""

    def run(name, text):
        path = tree({name: text}) / name
        _, lines = check("prose", "--top", path.parent, "--all", path)
        found = [re.fullmatch(rf"{re.escape(name)}:(\d+): (\d+) words: (.*)", line) for line in lines]
        return [(int(one[1]), int(one[2]), one[3]) for one in found if one]

    return run


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It runs. It ends.\n", ["It runs.", "It ends."]),
        ("It runs; it ends: here\nand there.\n", ["It runs; it ends: here and there."]),
        ("Use e.g. version 4.7 of um-upgrade.conf, i.e. No. 5. rpm knows.\n",
         ["Use e.g. version 4.7 of um-upgrade.conf, i.e. No. 5.", "rpm knows."]),
        ("It asks \"Reboot now?\" and waits.\n", ["It asks \"Reboot now?\" and waits."]),
        ("It runs `a. B` and `[x]\nc = d`. Then it ends.\n", ["It runs `a. B` and `[x] c = d`.", "Then it ends."]),
        ("**Never at all.** It (as here.) ends.\n", ["**Never at all.**", "It (as here.) ends."]),
        ("# A heading. It is none.\n\n```sh\nNo sentence. None.\n```\n\nOne stands here.\n", ["One stands here."]),
        ("- an item without a full stop\n- another one. With two.\n  And three.\n",
         ["an item without a full stop", "another one.", "With two.", "And three."]),
        ("| file | what |\n| --- | --- |\n| `a.cpp` | it says what it does. It ends here now |\n",
         ["it says what it does.", "It ends here now"]),
        ("| `a`, `b` | 10 passed | 15 min |\n", []),
        ("See [the other page](https://example.org/a.b) now.\n", ["See the other page now."]),
        ("<!-- A remark. -->\nIt runs.\n", ["It runs."]),
    ],
)  # fmt: skip
def test_markdown(sentences, text, expected):
    assert [one for _, _, one in sentences("a.md", text)] == expected


def test_each_sentence_has_its_line_and_its_words(sentences):
    assert sentences("a.md", "One is here. Two is\nhere. Three `a b`\nends.\n") == [
        (1, 3, "One is here."), (1, 3, "Two is here."), (2, 4, "Three `a b` ends."),
    ]  # fmt: skip


def test_a_manual_page(sentences):
    page = (
        "um-upgrade(8)\n"
        "\n"
        "# NAME\n"
        "\n"
        "um-upgrade - it does a lot of things here\n"
        "\n"
        "# OPTIONS\n"
        "\n"
        "; a comment is none. Never.\n"
        "*--config* _FILE_\n"
        "\tRead _FILE_ now. It is\n"
        "\tplain.\n"
        "\n"
        "*Bold* begins a sentence here.\n"
        "\n"
        "- An item is one, too\n"
        "```\n"
        "code. Code.\n"
        "```\n"
    )
    assert [one for _, _, one in sentences("a.scd", page)] == [
        "Read _FILE_ now.", "It is plain.", "*Bold* begins a sentence here.", "An item is one, too",
    ]  # fmt: skip


def words(count):
    return " ".join(["word"] * count) + ".\n\n"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (words(16) * 20, 0),
        (words(17) * 20, 1),
        (words(40) + words(10) * 19, 0),
        (words(41) + words(10) * 19, 1),
        (words(41) + words(10) * 20, 0),
        ("", 1),
    ],
)
def test_the_limits(tree, check, text, status):
    top = tree({"README.md": text, "agent/man/a.8.scd": "a(8)\n\nIt is fine.\n"})
    assert check("prose", "--top", top)[0] == status
