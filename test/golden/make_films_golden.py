"""What each film of looks.json does to a few colours, as the training on photographs computes it:

    python test/golden/make_films_golden.py      writes films.json; needs numpy and opencv-python-headless
"""

import json
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "resources" / "models" / "motif-tiny" / "training"))
import looks  # noqa: E402

levels = [0, 37, 98, 171, 255]
colours = np.array([[r, g, b] for r in levels for g in levels for b in levels], np.uint8).reshape(1, 1, -1, 3)
exact = [name for name in looks.FILMS if "grain" not in looks.LOOKS["film"][name]]
films = {name: looks.film(name, colours, np.random.default_rng(0)).reshape(-1).tolist() for name in exact}
(HERE / "films.json").write_text(json.dumps({"colours": colours.reshape(-1).tolist(), "films": films}) + "\n")
