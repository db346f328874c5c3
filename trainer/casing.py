"""Let an encoder read capital letters: words are cut at them, and an uncased vocabulary is given them.

"@BarackObama" is read as "@", "Barack", "Obama". An uncased encoder takes "Barack", "barack" and "BARACK" for the same
piece; here each comes with an id of its own. While the encoder trains, a piece's vector is that of its lower-case form
plus one of two shared vectors, "capitalised" or "in capitals", so that what is learnt of one name goes for all. At the
end the sums are written into a plain, larger embedding. All of it lies in the tokenizer's files and the weights: the
network stays a stock class.
"""

import json
from typing import Any

import torch
from tokenizers import Regex, Tokenizer, pre_tokenizers
from torch import nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from tagging.tagger import Tagger
from tagging.torch_runtime import TorchRuntime

# The last letter before a new word begins: "k" in "BarackObama", "A" in "USAToday".
_LAST_BEFORE_CAPITAL = r"\p{Ll}(?=\p{Lu})|\p{Lu}(?=\p{Lu}\p{Ll})"
_LOWER, _CAPITALISED, _CAPITALS = range(3)
_STEP = 10.0  # the two vectors stand for thousands of pieces and have a long way to go from nothing


def with_capitals(tagger: Tagger) -> Tagger:
    """Return a tagger, over the same network, that is ready to learn what capital letters mean."""
    network, tokenizer = tagger.network, give_capitals(tagger.network, tagger.tokenizer)
    split_at_capitals(tokenizer)
    return Tagger(TorchRuntime(network), tokenizer, tagger.encoder.max_length)


def split_at_capitals(tokenizer: PreTrainedTokenizerBase) -> None:
    """Let a fast tokenizer cut words where a capital letter follows a small one; in place, once."""
    backend = tokenizer.backend_tokenizer
    split = pre_tokenizers.Split(Regex(_LAST_BEFORE_CAPITAL), "merged_with_previous")
    first = backend.pre_tokenizer
    backend.pre_tokenizer = pre_tokenizers.Sequence([split, first] if first else [split])


class CasedEmbedding(nn.Module):
    """The embedding of a cased vocabulary over that of an uncased one.

    `lower` maps each id to that of its lower-case form, `case` to its kind (lower, capitalised, capitals). Input is
    ids of any shape, output (*shape, size).
    """

    def __init__(self, uncased: nn.Embedding, lower: list[int], case: list[int]) -> None:
        super().__init__()
        self.uncased = uncased
        self.shared = nn.Parameter(torch.zeros(_CAPITALS, uncased.embedding_dim))
        self.register_buffer("lower", torch.tensor(lower), persistent=False)
        self.register_buffer("case", torch.tensor(case), persistent=False)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Look up the vectors of ids."""
        shift = nn.functional.pad(self.shared * _STEP, (0, 0, 1, 0))  # none for lower case
        return self.uncased(self.lower[ids]) + shift[self.case[ids]]

    @torch.no_grad()
    def plain(self) -> nn.Embedding:
        """Write the vectors of all ids into a plain embedding."""
        weight = self(torch.arange(len(self.lower), device=self.shared.device))
        return nn.Embedding.from_pretrained(weight, freeze=False, padding_idx=self.uncased.padding_idx)


def give_capitals(network: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> PreTrainedTokenizerBase:
    """Put a CasedEmbedding into an uncased WordPiece encoder; return the tokenizer that goes with it.

    Any other encoder is left as it is: it reads case already, or it is not known how to teach it.
    """
    spec = json.loads(tokenizer.backend_tokenizer.to_str())
    if not _is_uncased(spec):
        return tokenizer
    special = {token["content"]: token["id"] for token in spec["added_tokens"]}
    vocabulary, lower, case = _cased(spec["model"]["vocab"], special)
    spec["model"]["vocab"] = vocabulary
    spec["normalizer"] |= {"lowercase": False, "strip_accents": spec["normalizer"]["strip_accents"] is not False}
    network.set_input_embeddings(CasedEmbedding(network.get_input_embeddings(), lower, case))
    names = {name: getattr(tokenizer, name) for name in tokenizer.SPECIAL_TOKENS_ATTRIBUTES}
    names = {name: token for name, token in names.items() if isinstance(token, str)}
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(spec)), model_input_names=tokenizer.model_input_names, **names
    )


def write_plain_embedding(network: PreTrainedModel) -> None:
    """Put a plain embedding in the place of a CasedEmbedding, when it has learnt what it had to."""
    embedding = network.get_input_embeddings()
    if isinstance(embedding, CasedEmbedding):
        network.set_input_embeddings(embedding.plain())
        network.config.vocab_size = len(embedding.lower)


def _is_uncased(spec: dict[str, Any]) -> bool:
    normalizer = spec["normalizer"] or {}
    return bool(
        spec["model"]["type"] == "WordPiece" and normalizer.get("type") == "BertNormalizer" and normalizer["lowercase"]
    )


def _cased(uncased: dict[str, int], special: dict[str, int]) -> tuple[dict[str, int], list[int], list[int]]:
    """Add to a vocabulary each piece capitalised and in capitals; return it, and the lower-case id and kind of each."""
    vocabulary = dict(uncased)
    lower = list(range(max([*uncased.values(), *special.values()]) + 1))
    case = [_LOWER] * len(lower)
    for piece, index in sorted(uncased.items(), key=lambda item: item[1]):
        if piece in special:
            continue
        for form, kind in _forms(piece):
            if form not in vocabulary:
                vocabulary[form] = len(lower)
                lower.append(index)
                case.append(kind)
    return vocabulary, lower, case


def _forms(piece: str) -> list[tuple[str, int]]:
    """Give a piece's cased forms; one that continues a word ("##ing") never begins with the only capital."""
    if piece.startswith("##"):
        return [("##" + piece[2:].upper(), _CAPITALS)]
    return [(piece[:1].upper() + piece[1:], _CAPITALISED), (piece.upper(), _CAPITALS)]
