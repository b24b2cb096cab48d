"""Writes a complete, tiny Llama model with random weights as a GGUF file: real enough for a real server to run.

It answers nonsense, but through every real step: tokens, template, sampling, stop reasons, counts.
"""

from pathlib import Path

import gguf
import numpy as np

EMBEDDING, HEADS, LAYERS, FEED_FORWARD, CONTEXT = 64, 4, 2, 128, 2048
SPECIALS = 3
WRITABLE_FROM = SPECIALS + 256  # first token that is neither special nor a raw byte
LETTERS = [chr(code) for code in range(ord("a"), ord("z") + 1)]
TEMPLATE = "{{ range .Messages }}{{ .Role }}: {{ .Content }}\n{{ end }}assistant: "


def _vocabulary() -> tuple[list[bytes], list[float], list[int]]:
    """SentencePiece in its smallest form: three special pieces, all bytes, then a few letters and pairs."""
    kinds = gguf.TokenType
    pieces: list[tuple[bytes, float, int]] = [
        (b"<unk>", 0.0, kinds.UNKNOWN), (b"<s>", 0.0, kinds.CONTROL), (b"</s>", 0.0, kinds.CONTROL),
    ]  # fmt: skip
    pieces += [(f"<0x{byte:02X}>".encode(), 0.0, kinds.BYTE) for byte in range(256)]
    words = ["▁", *LETTERS, *(f"▁{letter}" for letter in LETTERS), "th", "he", "in", "er", "an", "▁the"]
    pieces += [(word.encode(), -float(rank), kinds.NORMAL) for rank, word in enumerate(words)]
    tokens, scores, types = zip(*pieces, strict=True)
    return list(tokens), list(scores), [int(kind) for kind in types]


def _tensors(vocabulary: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(7)

    def into_residual(columns: int) -> np.ndarray:
        made = matrix(EMBEDDING, columns)
        made[0] = 0.0
        return made

    def matrix(rows: int, columns: int) -> np.ndarray:
        return (random.standard_normal((rows, columns)) / np.sqrt(columns)).astype(np.float32)

    ones = np.ones(EMBEDDING, dtype=np.float32)
    embedding, output = matrix(vocabulary, EMBEDDING), matrix(vocabulary, EMBEDDING)
    # The first dimension carries a constant through all layers; the output uses it to rule out the end mark
    # and raw bytes, so that the model writes letters until it has used up its tokens.
    embedding[:, 0] = 1.0
    output[:, 0] = 0.0
    output[:WRITABLE_FROM, 0] = -20.0
    tensors = {"token_embd.weight": embedding, "output_norm.weight": ones, "output.weight": output}
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        tensors |= {
            f"{block}{name}.weight": matrix(EMBEDDING, EMBEDDING) for name in ("attn_q", "attn_k", "attn_v")
        }
        tensors |= {
            f"{block}attn_output.weight": into_residual(EMBEDDING),
            f"{block}attn_norm.weight": ones,
            f"{block}ffn_norm.weight": ones,
            f"{block}ffn_gate.weight": matrix(FEED_FORWARD, EMBEDDING),
            f"{block}ffn_up.weight": matrix(FEED_FORWARD, EMBEDDING),
            f"{block}ffn_down.weight": into_residual(FEED_FORWARD),
        }
    return tensors


def write(path: Path) -> Path:
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(EMBEDDING)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(EMBEDDING // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    tokens, scores, types = _vocabulary()
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores(scores)
    writer.add_token_types(types)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    for name, tensor in _tensors(len(tokens)).items():
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
