"""Capital letters: where words are cut, what becomes of an uncased vocabulary, and that the network ends stock."""

import json
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer, BertTokenizer, RobertaTokenizer

from tagging.tagger import Tagger
from tests.tiny import save_tiny_encoder
from trainer.config import TrainingConfig
from trainer.encoder import load_encoder
from trainer.examples import Corpus, Example
from trainer.finetune import TrainedModel
from trainer.wide_vocabulary import WideEmbedding, cut_at_capitals, with_wide_vocabulary, write_plain_embedding

TEXTS = [
    "Ana",
    "ANA",
    "ana",
    "QuickFox",
    "quick fox",
    "PARIS",
    "Paris",
    "paris",
    "@BobLondon",
    "#LONDON",
    "éAna",
    "BOB's",
]


def tagger_of(folder: Path) -> Tagger:
    from tagging.spans import Span

    corpus = Corpus("one", {"train": (Example("Ana", (Span(0, 3, "PER"),)),)})
    return load_encoder(TrainingConfig(base_model=str(folder), device="cpu", max_length=64), corpus)


def pieces(tokenizer: object, text: str) -> list[str]:
    return [token.removeprefix("##").strip("Ġ▁") for token in tokenizer.tokenize(text)]  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["wordpiece", "byte-bpe", "unigram"])
def test_words_are_cut_where_a_capital_follows(tmp_path: Path, kind: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(save_tiny_encoder(tmp_path / "tiny", kind), add_prefix_space=True)
    parts = [piece for part in ("London", "BBC", "News") for piece in pieces(tokenizer, part) if piece]
    cut_at_capitals(tokenizer.backend_tokenizer)
    assert [piece for piece in pieces(tokenizer, "LondonBBCNews") if piece] == parts


@pytest.mark.parametrize("kind", ["cased BERT", "RoBERTa", "unigram"])
def test_the_cut_outlives_saving_whatever_the_tokenizer_s_class(tmp_path: Path, kind: str) -> None:
    folder = save_tiny_encoder(tmp_path / "tiny", {"RoBERTa": "byte-bpe", "unigram": "unigram"}.get(kind, "wordpiece"))
    if kind == "cased BERT":
        words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "London", "BBC", "News", "##BBC", "##News", "Ana"]
        BertTokenizer(vocab={word: at for at, word in enumerate(words)}, do_lower_case=False).save_pretrained(folder)
    if kind == "RoBERTa":
        spec = json.loads((folder / "tokenizer.json").read_text())["model"]
        merges = [tuple(one) for one in spec["merges"]]
        RobertaTokenizer(vocab=spec["vocab"], merges=merges, model_max_length=99).save_pretrained(folder)
    tagger = with_wide_vocabulary(tagger_of(folder))
    text = "BBC LondonBBCNews @AnaLondon"
    expected = tagger.encoder.encode([text])[0].windows[0].ids
    assert expected != tagger_of(folder).encoder.encode([text])[0].windows[0].ids
    TrainedModel(tagger, TrainingConfig(base_model=str(folder)), {}).save(tmp_path / "model")
    again = Tagger.load(tmp_path / "model", "cpu")
    assert again.encoder.encode([text])[0].windows[0].ids == expected
    assert again.tokenizer.model_max_length == tagger.tokenizer.model_max_length


def test_a_word_is_cut_into_the_same_pieces_in_any_case(tiny_encoder: Path) -> None:
    wide = with_wide_vocabulary(tagger_of(tiny_encoder)).tokenizer
    for word in ("Paris", "PARIS", "paris", "Quick", "QUICK"):
        found = wide.tokenize(word)
        assert [piece.lower() for piece in found] == wide.tokenize(word.lower())
        assert "".join(piece.removeprefix("##") for piece in found) == word


def test_a_word_may_continue_another_with_its_own_vector(tiny_encoder: Path) -> None:
    narrow = AutoTokenizer.from_pretrained(tiny_encoder)
    tagger = with_wide_vocabulary(tagger_of(tiny_encoder))
    assert narrow.tokenize("quick") == ["quick"]
    assert tagger.tokenizer.tokenize("theQUICK") == ["the", "QUICK"]
    assert tagger.tokenizer.tokenize("thequick") == ["the", "##quick"]
    embedding = tagger.network.get_input_embeddings()
    origin, continued = narrow.convert_tokens_to_ids("quick"), tagger.tokenizer.convert_tokens_to_ids("##quick")
    assert embedding.origin[continued] == origin


def test_a_cased_encoder_keeps_its_embedding(tmp_path: Path) -> None:
    tagger = tagger_of(save_tiny_encoder(tmp_path / "tiny", "byte-bpe"))
    before = tagger.network.get_input_embeddings()
    assert with_wide_vocabulary(tagger).network.get_input_embeddings() is before


def test_at_first_case_makes_no_difference(tiny_encoder: Path) -> None:
    tagger = with_wide_vocabulary(tagger_of(tiny_encoder))
    tagger.network.eval()
    read = [tagger.runtime.start([tagger.encoder.encode([text])[0].windows[0].ids])() for text in ("Paris", "paris")]
    assert torch.equal(*map(torch.as_tensor, read))


def test_the_saved_model_is_a_stock_one_that_reads_the_same(tiny_encoder: Path, tmp_path: Path) -> None:
    tagger = with_wide_vocabulary(tagger_of(tiny_encoder))
    embedding = tagger.network.get_input_embeddings()
    assert isinstance(embedding, WideEmbedding)
    torch.manual_seed(3)
    torch.nn.init.normal_(embedding.shared)
    tagger.network.eval()
    windows = [tagger.encoder.encode([text])[0].windows[0].ids for text in TEXTS]
    expected = [tagger.runtime.start([ids])() for ids in windows]
    write_plain_embedding(tagger.network)
    TrainedModel(tagger, TrainingConfig(base_model=str(tiny_encoder)), {}).save(tmp_path / "model")

    network = AutoModelForTokenClassification.from_pretrained(tmp_path / "model").eval()
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    assert network.get_input_embeddings().weight.shape[0] == network.config.vocab_size == len(tokenizer)
    for text, ids, logits in zip(TEXTS, windows, expected, strict=True):
        assert tokenizer(text)["input_ids"] == ids
        assert torch.allclose(network(input_ids=torch.tensor([ids])).logits[0], torch.as_tensor(logits), atol=1e-6)
    again = Tagger.load(tmp_path / "model", "cpu")
    assert [one.windows[0].ids for one in again.encoder.encode(TEXTS)] == windows
