"""How many operations a network needs for a text, without padding."""

from dataclasses import dataclass

from tagging.tagger import Tagger

Shape = tuple[int, int]  # inputs and outputs of a dense layer


@dataclass(frozen=True)
class Operations:
    """Operations (a multiplication and an addition are two) of one text on average, by dense layer and in attention."""

    dense: dict[Shape, float]
    attention: float


def operations(tagger: Tagger, texts: list[str]) -> Operations:
    """Count the operations of the network under a torch tagger on the real tokens of texts."""
    config = tagger.network.config
    hidden, wide, layers = config.hidden_size, config.intermediate_size, config.num_hidden_layers
    lengths = [len(window.ids) for text in tagger.encoder.encode(texts) for window in text.windows]
    tokens = sum(lengths) / len(texts)
    pairs = sum(length * length for length in lengths) / len(texts)
    shapes = {(hidden, 3 * hidden): layers, (hidden, hidden): layers, (hidden, wide): layers, (wide, hidden): layers}
    dense = {shape: 2.0 * tokens * shape[0] * shape[1] * count for shape, count in shapes.items()}
    return Operations(dense, 4.0 * pairs * hidden * layers)
