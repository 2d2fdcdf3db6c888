"""Put what the demonstration says and draws into the README: `make readme`.

The table, the sentences and the picture of the README are those of one run of `tsrnn demo`, and its example has the
same settings (`tests/test_terminal_demo.py`).
"""

import re
import shutil
import sys
import textwrap
from pathlib import Path

DOCS = Path(__file__).parent
README = DOCS.parent / "README.md"
BLOCK = re.compile(r"<!-- demo -->.*?<!-- end -->", flags=re.DOTALL)


def with_story(readme: str, story: str) -> str:
    """Return the README with this text between its marks."""
    block = f"<!-- demo -->\n\n{textwrap.indent(story.rstrip(), '    ')}\n\n<!-- end -->"
    return BLOCK.sub(lambda found: block, readme)


def main(folder: Path) -> None:
    """Take over what `tsrnn demo --output folder` has written."""
    for name in ("jfk_temp.txt", "jfk_temp.png"):
        shutil.copyfile(folder / name, DOCS / "images" / name)
    story = (folder / "jfk_temp.txt").read_text(encoding="utf-8")
    README.write_text(with_story(README.read_text(encoding="utf-8"), story), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
