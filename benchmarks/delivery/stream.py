"""The tweets of a run: made from a seed, file by file, with marked ones and repeated ones among them."""

import json
import random
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.delivery.fake_tagger import KILLER, LONG, POISON

_FIRST = ("Ana", "Bob", "Chidi", "Dara", "Émile", "Femi", "Greta", "Haruka", "Ines", "Jonas")
_LAST = ("Okafor", "Lindqvist", "Tanemori", "Ruiz", "Marsh", "Novak", "Achebe", "Kowalski")
_PLACES = ("Rotterdam", "Galway", "San Diego", "Lagos", "Kyoto", "Acme Robotics", "Harbour Bank")
_WORDS = ("meets", "in", "leaves", "for", "says", "hello", "to", "😀", "and", "joins", "again", "rain", "late")
_REPEATED = 8  # tweets of a file that were sent before
_LONG_EVERY = 3  # files: one tweet that takes longer than a lease


@dataclass
class Stream:
    """Makes files of tweets. `texts` holds every tweet that was ever sent, `marked` what its marker does."""

    rng: random.Random
    folder: Path
    texts: dict[int, str] = field(default_factory=dict)
    marked: dict[int, str] = field(default_factory=dict)
    files: int = 0

    def next_file(self, size: int, markers: list[str], again: list[int]) -> Path:
        """Write a file of new tweets, one for each marker among them, and of some that were sent before."""
        first = len(self.texts) + 1
        ids = list(range(first, first + size))
        for tweet_id in ids:
            self.texts[tweet_id] = self._text(tweet_id)
        for tweet_id, marker in zip(self.rng.sample(ids, len(markers)), markers, strict=True):
            self.texts[tweet_id] = f"{marker} {self.texts[tweet_id]}"
            self.marked[tweet_id] = marker
        if self.files % _LONG_EVERY == 0:
            self.texts[first] = f"{LONG} {self.texts[first]}"
        rows = ids + self.rng.sample(again, min(_REPEATED, len(again)))
        self.rng.shuffle(rows)
        self.files += 1
        file = self.folder / f"tweets-{self.files}.jsonl"
        file.write_text("".join(json.dumps({"id": str(one), "text": self.texts[one]}) + "\n" for one in rows))
        return file

    def is_killer(self, tweet_id: int) -> bool:
        """Tell whether a tweet ends every process that reads it."""
        return self.marked.get(tweet_id) == KILLER

    def _text(self, tweet_id: int) -> str:
        person = f"{self.rng.choice(_FIRST)} {self.rng.choice(_LAST)}"
        words = [self.rng.choice(_WORDS) for _ in range(self.rng.randint(2, 8))]
        words.insert(self.rng.randint(0, len(words)), person)
        words.insert(self.rng.randint(0, len(words)), self.rng.choice(_PLACES))
        return f"{' '.join(words)} #{tweet_id}"


MARKERS = {"poison tweet": POISON, "killer tweet": KILLER}  # kind of fault -> what is planted
