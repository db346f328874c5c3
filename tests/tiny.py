"""Tiny random encoders with real tokenizers, built in a second: enough to run every code path."""

from pathlib import Path

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertModel,
    MPNetConfig,
    MPNetModel,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaModel,
    set_seed,
)

from db import model_versions
from db.session import Database
from tagging.checkpoint import read_manifest

_TEXTS = (
    "Ana met Bob in Paris and they don't work for Acme any more",
    "@ana_b and #London are words, 😀 too: https://t.co/abc 3-2",
    "the quick brown fox jumps over the lazy dog THE QUICK BROWN FOX",
)
_SIZE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}


def save_tiny_encoder(folder: Path, kind: str) -> Path:
    """Save a random encoder with a tokenizer of a kind: wordpiece, byte-bpe or unigram; or an MPNet, on byte-bpe."""
    set_seed(7)
    tokenizer = {"wordpiece": _wordpiece, "byte-bpe": _byte_bpe, "unigram": _unigram, "mpnet": _byte_bpe}[kind]()
    tokenizer.save_pretrained(folder)
    if kind == "mpnet":
        network = MPNetModel(MPNetConfig(vocab_size=len(tokenizer), max_position_embeddings=258, **_SIZE))
    elif kind == "wordpiece":
        network = BertModel(BertConfig(vocab_size=len(tokenizer), max_position_embeddings=256, **_SIZE))
    else:  # positions start behind the padding id
        config = RobertaConfig(vocab_size=len(tokenizer), max_position_embeddings=258, pad_token_id=1, **_SIZE)
        network = RobertaModel(config)
    network.save_pretrained(folder)
    return folder


def save_tiny_model(folder: Path, encoder: Path) -> Path:
    """Save a random model over an encoder: its answers mean nothing, but it is sure of them, and words differ."""
    from trainer.config import TrainingConfig
    from trainer.corpus import load_named  # imports datasets, which most tests do without
    from trainer.encoder import load_encoder
    from trainer.finetune import TrainedModel

    config = TrainingConfig(base_model=str(encoder), device="cpu")
    tagger = load_encoder(config, load_named("sample"))
    tagger.network.classifier.weight.data *= 50
    TrainedModel(tagger, config, {}).save(folder)
    return folder


def register_model(database: Database, folder: Path, uri: str = "") -> int:
    """Register a model folder, which may lie elsewhere, activate the version and return its id."""
    manifest = read_manifest(folder)
    with database.write_session() as session:
        version = model_versions.register(
            session, base_model="tiny", config={}, corpus="small", corpus_fingerprint="", split_sizes={},
            labels=list(manifest.labels), libraries={}, device="cpu", seconds=0, scores={},
            artifact_uri=uri or folder.as_uri(), artifact_hash=manifest.hash,
        )  # fmt: skip
        model_versions.activate(session, version.id)
        return version.id


def _wordpiece() -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    tokenizer.train_from_iterator(_TEXTS, trainers.WordPieceTrainer(vocab_size=300, special_tokens=special))
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.enable_truncation(16)  # as the starter's files have it baked in
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    )


def _byte_bpe() -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=_ROBERTA, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    tokenizer.train_from_iterator(_TEXTS, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    tokenizer.decoder = decoders.ByteLevel()
    return _roberta(tokenizer)


def _unigram() -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=120, special_tokens=_ROBERTA, unk_token="<unk>")
    tokenizer.train_from_iterator(_TEXTS, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    tokenizer.decoder = decoders.Metaspace()
    return _roberta(tokenizer)


_ROBERTA = ["<s>", "<pad>", "</s>", "<unk>"]


def _roberta(tokenizer: Tokenizer) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", cls_token="<s>", sep_token="</s>",
        pad_token="<pad>", unk_token="<unk>",
    )  # fmt: skip
