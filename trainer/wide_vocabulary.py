"""Give an uncased encoder a wider vocabulary, in which names keep their capitals and their parts.

Three things, all in the tokenizer's files and the weights; the network stays a stock class:

- Words are cut where a capital follows a small letter: "@BarackObama" is "@", "Barack", "Obama".
- Each piece comes as it is, with a capital, and in capitals. While the encoder trains, their vectors are the piece's
  own plus one of two shared ones, so that what is learnt of one name goes for all.
- A word of four letters or more may also continue another, with its own vector: "sportscenter" is "sports",
  "##center".

At the end the sums are written into a plain, larger embedding. An encoder that reads case is given the first alone.
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
_CONTINUES = "##"
_SHORTEST = 4  # letters of a word that may continue another
_AS_IT_IS, _CAPITALISED, _CAPITALS = range(3)
_STEP = 10.0  # the two vectors stand for thousands of pieces and have a long way to go from nothing


def with_wide_vocabulary(tagger: Tagger, hidden_capitals: float = 0.0) -> Tagger:
    """Return a tagger, over the same network, that has the wider vocabulary and is ready to learn it.

    In training the share `hidden_capitals` of the texts is read in small letters, so that names in these are learnt.
    """
    spec = json.loads(tagger.tokenizer.backend_tokenizer.to_str())
    if _is_uncased(spec):
        widen(tagger.network, spec, hidden_capitals)
    backend = Tokenizer.from_str(json.dumps(spec))
    cut_at_capitals(backend)
    tokenizer = _like(tagger.tokenizer, backend)
    return Tagger(TorchRuntime(tagger.network), tokenizer, tagger.encoder.max_length)


def cut_at_capitals(backend: Tokenizer) -> None:
    """Let a tokenizer cut words where a capital letter follows a small one; in place, once."""
    cut = pre_tokenizers.Split(Regex(_LAST_BEFORE_CAPITAL), "merged_with_previous")
    first = backend.pre_tokenizer
    backend.pre_tokenizer = pre_tokenizers.Sequence([cut, first] if first else [cut])


class WideEmbedding(nn.Module):
    """The embedding of the wider vocabulary over the one it came of.

    `origin` maps each id to the one in `narrow` whose vector it has, `case` to what is added (nothing, that of a
    capital, that of capitals). Input is ids of the shape (texts, length), output (texts, length, size). In training the
    share `hidden` of the texts is read without case.
    """

    def __init__(self, narrow: nn.Embedding, origin: list[int], case: list[int], hidden: float = 0.0) -> None:
        super().__init__()
        self.hidden = hidden
        self.narrow = narrow
        self.shared = nn.Parameter(torch.zeros(_CAPITALS, narrow.embedding_dim))
        self.register_buffer("origin", torch.tensor(origin), persistent=False)
        self.register_buffer("case", torch.tensor(case), persistent=False)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Look up the vectors of ids."""
        case = self.case[ids]
        if self.training and self.hidden:
            case = case.masked_fill(torch.rand(len(ids), 1, device=ids.device) < self.hidden, _AS_IT_IS)
        return self._vectors(self.origin[ids], case)

    @torch.no_grad()
    def plain(self) -> nn.Embedding:
        """Write the vectors of all ids into a plain embedding."""
        vectors = self._vectors(self.origin, self.case)
        return nn.Embedding.from_pretrained(vectors, freeze=False, padding_idx=self.narrow.padding_idx)

    def _vectors(self, origin: torch.Tensor, case: torch.Tensor) -> torch.Tensor:
        shift = nn.functional.pad(self.shared * _STEP, (0, 0, 1, 0))  # nothing for a piece as it is
        vectors: torch.Tensor = self.narrow(origin) + shift[case]
        return vectors


def widen(network: PreTrainedModel, spec: dict[str, Any], hidden_capitals: float = 0.0) -> None:
    """Put a WideEmbedding into an uncased WordPiece encoder, and its vocabulary into the tokenizer's `spec`, in place.

    Any other encoder reads case already, or it is not known how to teach it.
    """
    special = {token["content"]: token["id"] for token in spec["added_tokens"]}
    vocabulary, origin, case = _wide(spec["model"]["vocab"], special)
    spec["model"]["vocab"] = vocabulary
    spec["normalizer"] |= {"lowercase": False, "strip_accents": spec["normalizer"]["strip_accents"] is not False}
    network.set_input_embeddings(WideEmbedding(network.get_input_embeddings(), origin, case, hidden_capitals))


def _like(tokenizer: PreTrainedTokenizerBase, backend: Tokenizer) -> PreTrainedTokenizerBase:
    """Put another backend into the place of a tokenizer's own.

    As a plain fast tokenizer: the classes for one kind of encoder build theirs anew from the vocabulary when they are
    loaded, and forget the rest.
    """
    same = ("model_max_length", "padding_side", "truncation_side", "model_input_names")
    names = {name: getattr(tokenizer, name, None) for name in (*tokenizer.SPECIAL_TOKENS_ATTRIBUTES, *same)}
    kept = {name: value for name, value in names.items() if value}
    return PreTrainedTokenizerFast(tokenizer_object=backend, **kept)


def write_plain_embedding(network: PreTrainedModel) -> None:
    """Put a plain embedding in the place of a WideEmbedding, when it has learnt what it had to."""
    embedding = network.get_input_embeddings()
    if isinstance(embedding, WideEmbedding):
        network.set_input_embeddings(embedding.plain())
        network.config.vocab_size = len(embedding.origin)


def _is_uncased(spec: dict[str, Any]) -> bool:
    model, normalizer = spec["model"], spec["normalizer"] or {}
    is_known = model["type"] == "WordPiece" and model["continuing_subword_prefix"] == _CONTINUES
    return bool(is_known and normalizer.get("type") == "BertNormalizer" and normalizer["lowercase"])


def _wide(narrow: dict[str, int], special: dict[str, int]) -> tuple[dict[str, int], list[int], list[int]]:
    """Add words that continue others and each piece in its cased forms; return all, with origin and case of each."""
    vocabulary = dict(narrow)
    origin = list(range(max([*narrow.values(), *special.values()]) + 1))
    case = [_AS_IT_IS] * len(origin)

    def add(piece: str, first: str, kind: int) -> None:
        if piece not in vocabulary:
            origin.append(origin[vocabulary[first]])
            case.append(kind)
            vocabulary[piece] = len(case) - 1

    pieces = [piece for piece in sorted(narrow, key=narrow.__getitem__) if piece not in special]
    words = [piece for piece in pieces if piece.isalpha() and len(piece) >= _SHORTEST]
    for word in words:
        add(_CONTINUES + word, word, _AS_IT_IS)
    for piece in [*pieces, *(_CONTINUES + word for word in words)]:
        for form, kind in _cased(piece):
            add(form, piece, kind)
    return vocabulary, origin, case


def _cased(piece: str) -> list[tuple[str, int]]:
    """Give a piece's cased forms; one that continues a word ("##ing") never begins with the only capital."""
    if piece.startswith(_CONTINUES):
        return [(_CONTINUES + piece[2:].upper(), _CAPITALS)]
    return [(piece[:1].upper() + piece[1:], _CAPITALISED), (piece.upper(), _CAPITALS)]
