"""Writes a GGUF file with a tiny llama of random weights: a real model for a real server, and nothing to download.

Usage: tiny_gguf.py FILE. The tokens are the 256 bytes, so any text can go in and anything at all may come out.
"""

import random
import struct
import sys

WIDTH, LAYERS, HEADS, FEED, CONTEXT = 64, 2, 4, 128, 4096
UINT32, FLOAT32, STRING, ARRAY, INT32 = 4, 6, 8, 9, 5
ALIGNMENT = 32
TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def byte_tokens():
    """How GPT-2's tokenizer writes each byte: printable ones as themselves, the others as letters from U+0100 on."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = iter(range(0x100, 0x200))
    return [chr(byte) if byte in plain else chr(next(others)) for byte in range(256)]


def text(value):
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def typed(value):
    if isinstance(value, str):
        return struct.pack("<I", STRING) + text(value)
    if isinstance(value, float):
        return struct.pack("<If", FLOAT32, value)
    if isinstance(value, list):
        kind = STRING if isinstance(value[0], str) else INT32
        items = b"".join(text(item) if kind == STRING else struct.pack("<i", item) for item in value)
        return struct.pack("<IIQ", ARRAY, kind, len(value)) + items
    return struct.pack("<II", UINT32, value)


def write(path, seed=1):
    dice = random.Random(seed)
    tokens = [*byte_tokens(), "<|begin|>", "<|end|>"]
    fields = {
        "general.architecture": "llama", "general.name": "tiny", "general.file_type": 0,
        "llama.block_count": LAYERS, "llama.context_length": CONTEXT, "llama.embedding_length": WIDTH,
        "llama.feed_forward_length": FEED, "llama.attention.head_count": HEADS, "llama.vocab_size": len(tokens),
        "llama.rope.dimension_count": WIDTH // HEADS, "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "gpt-2", "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [1] * 256 + [3, 3], "tokenizer.ggml.merges": ["a b"],
        "tokenizer.ggml.bos_token_id": 256, "tokenizer.ggml.eos_token_id": 257, "tokenizer.chat_template": TEMPLATE,
    }
    # Dimensions as GGUF counts them: the row's length first.
    tensors = {"token_embd.weight": (WIDTH, len(tokens)), "output_norm.weight": (WIDTH,), "output.weight": (WIDTH, len(tokens))}
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        for part in ["attn_norm", "ffn_norm"]:
            tensors[f"{block}{part}.weight"] = (WIDTH,)
        for part in ["attn_q", "attn_k", "attn_v", "attn_output"]:
            tensors[f"{block}{part}.weight"] = (WIDTH, WIDTH)
        for part in ["ffn_gate", "ffn_up"]:
            tensors[f"{block}{part}.weight"] = (WIDTH, FEED)
        tensors[f"{block}ffn_down.weight"] = (FEED, WIDTH)

    head = struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(fields))
    head += b"".join(text(name) + typed(value) for name, value in fields.items())
    offset, bodies = 0, []
    for name, shape in tensors.items():
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        head += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, offset)
        values = [1.0] * count if len(shape) == 1 else [dice.gauss(0, 0.2) for _ in range(count)]
        body = struct.pack(f"<{count}f", *values)
        bodies.append(body + bytes(-len(body) % ALIGNMENT))
        offset += len(bodies[-1])
    with open(path, "wb") as file:
        file.write(head + bytes(-len(head) % ALIGNMENT) + b"".join(bodies))


if __name__ == "__main__":
    write(sys.argv[1])
