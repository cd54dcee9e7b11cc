"""Writes docs/protocol.schema.json from the code: python -m tests.support.schema"""

import json
from pathlib import Path

from classrooms import messages

FILE = Path(__file__).resolve().parent.parent.parent / "docs" / "protocol.schema.json"

if __name__ == "__main__":
    FILE.write_text(json.dumps(messages.schema(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
