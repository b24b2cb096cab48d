"""The converted model against the same network written out in numpy, and the traps around its tokenizer."""

from __future__ import annotations

import json
import math
import multiprocessing
from collections.abc import Callable
from pathlib import Path

import ctranslate2
import numpy as np
import pytest
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from knowledge import chunking, minilm
from knowledge.embedding import DIMENSION, WINDOW, Embedder, body_tokens, document_input

TEXTS = [
    "How do I connect Ollama?",
    "a",
    "The invoice of 3 March 2026 is due within thirty days.",
    "def split(text): return text.split('\\n')",
    "Die Müllabfuhr kommt dienstags, größere Stücke bitte anmelden.",
    "¿Dónde puedo ver los costes de mi espacio de trabajo?",
    "Le contrat prend effet à la date de signature.",
    "Договор вступает в силу с момента подписания.",
    "Η σύμβαση τίθεται σε ισχύ από την υπογραφή.",
    "يسري العقد من تاريخ التوقيع عليه.",
    "החוזה נכנס לתוקף ביום החתימה.",
    "अनुबंध हस्ताक्षर की तारीख से लागू होता है।",
    "本合同自双方签字之日起生效。",
    "本契約は署名の日から効力を生じる。",
    "계약은 서명일로부터 효력이 발생한다.",
    "สัญญามีผลตั้งแต่วันที่ลงนาม",
    "🐝🐝 bees & honey 🍯",
    "Hợp đồng có hiệu lực kể từ ngày ký.",
    "https://example.test/a/very/long/path?with=query&and=more#fragment",
    "word " * 300,
    "Every sentence of a long passage must be seen by the model, also the last. " * 60,
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def model(home: Path) -> Embedder:
    return Embedder(home)


@pytest.fixture(scope="module")
def reference() -> Callable[[str], np.ndarray]:
    """BERT's forward pass in plain numpy, float32, straight from the published weights."""
    folder = minilm.package_folder()
    weights = load_file(folder / "model.safetensors")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(512)
    epsilon = json.loads((folder / "config.json").read_text())["layer_norm_eps"]
    erf = np.vectorize(math.erf, otypes=[np.float32])

    def linear(x: np.ndarray, name: str) -> np.ndarray:
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + epsilon)
        return x * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def heads(x: np.ndarray) -> np.ndarray:
        return x.reshape(len(x), 12, 32).transpose(1, 0, 2)

    def attend(x: np.ndarray, name: str) -> np.ndarray:
        query, key, value = (heads(linear(x, f"{name}.self.{part}")) for part in ("query", "key", "value"))
        scores = query @ key.transpose(0, 2, 1) / math.sqrt(32)
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        mixed = (shares / shares.sum(-1, keepdims=True)) @ value
        return norm(
            x + linear(mixed.transpose(1, 0, 2).reshape(len(x), 384), f"{name}.output.dense"),
            f"{name}.output.LayerNorm",
        )

    def forward(text: str) -> np.ndarray:
        ids = tokenizer.encode(text).ids
        x = (
            weights["embeddings.word_embeddings.weight"][ids]
            + weights["embeddings.token_type_embeddings.weight"][0]
        )
        x = norm(x + weights["embeddings.position_embeddings.weight"][: len(ids)], "embeddings.LayerNorm")
        for number in range(6):
            layer = f"encoder.layer.{number}"
            x = attend(x, f"{layer}.attention")
            wide = linear(x, f"{layer}.intermediate.dense")
            wide = wide * 0.5 * (1 + erf(wide / math.sqrt(2)))
            x = norm(x + linear(wide, f"{layer}.output.dense"), f"{layer}.output.LayerNorm")
        mean = x.mean(0)
        return mean / np.linalg.norm(mean)

    return forward


def test_the_int8_model_agrees_with_numpy_in_every_script(
    model: Embedder, reference: Callable[[str], np.ndarray]
) -> None:
    cosines = {
        text: float(vector @ reference(text)) for text, vector in zip(TEXTS, model.embed(TEXTS), strict=True)
    }
    # The model knows no piece of Thai: its one [UNK] carries no meaning that rounding could lose.
    thai = cosines.pop("สัญญามีผลตั้งแต่วันที่ลงนาม")
    assert thai >= 0.98
    assert len(cosines) == 20
    assert min(cosines.values()) >= 0.99, cosines


def test_the_conversion_itself_loses_nothing(tmp_path: Path, reference: Callable[[str], np.ndarray]) -> None:
    """A wrong order of query, key and value, a scaled embedding or a wrong epsilon would load and run
    as well.
    """
    minilm.convert(minilm.package_folder(), tmp_path / "float32", quantization=None)
    exact = ctranslate2.Encoder(str(tmp_path / "float32"), device="cpu", intra_threads=1)
    tokenizer = Tokenizer.from_file(str(minilm.package_folder() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(WINDOW)
    for text in TEXTS:
        states = np.array(exact.forward_batch([tokenizer.encode(text).ids]).last_hidden_state)[0]
        vector = states.mean(0) / np.linalg.norm(states.mean(0))
        assert float(vector @ reference(text)) >= 0.9999, text


def test_vectors_have_384_numbers_and_length_one(model: Embedder) -> None:
    for vector in model.embed(["", "one", *TEXTS]):
        assert vector.shape == (DIMENSION,)
        assert abs(float(np.linalg.norm(vector)) - 1) < 1e-5


def test_meaning_is_nearer_than_words(model: Embedder) -> None:
    question, answer, other = model.embed(
        ["How do I delete my account?", "Closing and removing a user's profile", "How do I bake my bread?"]
    )
    assert question @ answer > question @ other


def test_the_end_of_a_full_window_is_seen(model: Embedder) -> None:
    start = "word " * 490
    with_bees, with_ships = model.embed([f"{start} honey bees in spring", f"{start} container ships at sea"])
    assert float(with_bees @ with_ships) < 0.9999
    beyond = "word " * 600
    left, right = model.embed([f"{beyond} honey", f"{beyond} ships"])
    assert float(left @ right) > 0.99999


def test_a_chunk_with_its_title_fits_the_window(model: Embedder) -> None:
    title = model.shorten("A very long title " * 40, 40)
    assert model.count(title) <= 40
    text = "The bees of the northern valley dance before noon. " * 400
    pieces = chunking.split(text, model.token_offsets, size=body_tokens(model.count(title)))
    assert len(pieces) > 5
    for piece in pieces:
        whole = document_input(title, text[piece.start : piece.end])
        assert model.count(whole) + 2 <= WINDOW


def test_token_offsets_of_a_long_text_do_not_depend_on_the_blocks(
    model: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = " ".join(TEXTS) * 3
    whole = model.token_offsets(text)
    monkeypatch.setattr("knowledge.embedding._BLOCK", 100)
    assert model.token_offsets(text) == whole


def _convert(home: str) -> int:
    return len(Embedder(Path(home)).embed(["hello"])[0])


def test_processes_may_convert_at_the_same_time(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        assert pool.map(_convert, [str(tmp_path)] * 3) == [DIMENSION] * 3
    assert [entry.name for entry in (tmp_path / "models").iterdir()] == ["all-minilm-l6-v2-ct2-int8-1"]


def test_a_missing_package_is_said_plainly(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(minilm, "_PACKAGE", "no_such_package_at_all")
    with pytest.raises(minilm.ModelMissing, match="not installed"):
        minilm.converted_folder(tmp_path / "elsewhere")
    assert not list((tmp_path / "elsewhere" / "models").iterdir())
