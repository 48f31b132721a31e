"""The examples of the documents, for tests to run them as a reader would."""

import re
from pathlib import Path

_ROOT = Path(__file__).parents[2]


def example_of(document: str, word: str) -> str:
    """Return the one Python example of a document that has this word in it."""
    examples = re.findall(r"```python\n(.*?)```", (_ROOT / document).read_text(), re.DOTALL)
    (example,) = [example for example in examples if word in example]
    return example
