# SPDX-License-Identifier: Apache-2.0
"""The two towers as a PyTorch user writes them, random weights, and the same as ONNX files.

    towers.py DIR     writes DIR/image.onnx, image-int8.onnx, text.onnx, text-int8.onnx of diht_vitb32_224px
"""
import sys

import torch
from torch import nn

VITB32 = dict(image=224, patch=32, width=768, layers=12, heads=12, context=77, vocab=49408,
              text_width=512, text_layers=12, text_heads=8, embed=512)
TINY = dict(image=64, patch=8, width=192, layers=6, heads=3, context=32, vocab=8192,
            text_width=192, text_layers=4, text_heads=3, embed=128)


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.act = nn.GELU()

    def forward(self, x, mask=None):
        n, rows, width = x.shape
        dim = width // self.heads
        q, k, v = self.qkv(self.ln_1(x)).view(n, rows, 3, self.heads, dim).permute(2, 0, 3, 1, 4).unbind(0)
        scores = (q * dim ** -0.5) @ k.transpose(-2, -1)
        if mask is not None:
            scores = scores + mask
        y = (scores.softmax(-1) @ v).transpose(1, 2).reshape(n, rows, width)
        x = x + self.out(y)
        return x + self.down(self.act(self.up(self.ln_2(x))))


class Image(nn.Module):
    def __init__(self, c):
        super().__init__()
        w, rows = c["width"], (c["image"] // c["patch"]) ** 2 + 1
        self.patch = nn.Conv2d(3, w, c["patch"], c["patch"], bias=False)
        self.token = nn.Parameter(torch.randn(1, 1, w) * w ** -0.5)
        self.pos = nn.Parameter(torch.randn(1, rows, w) * w ** -0.5)
        self.ln_pre, self.ln_post = nn.LayerNorm(w), nn.LayerNorm(w)
        self.blocks = nn.ModuleList(Block(w, c["heads"]) for _ in range(c["layers"]))
        self.proj = nn.Linear(w, c["embed"], bias=False)

    def forward(self, pixels):
        x = self.patch(pixels).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.pos
        x = self.ln_pre(x)
        for block in self.blocks:
            x = block(x)
        return self.proj(self.ln_post(x[:, 0]))


class Text(nn.Module):
    def __init__(self, c):
        super().__init__()
        w = c["text_width"]
        self.token = nn.Embedding(c["vocab"], w)
        self.pos = nn.Parameter(torch.randn(c["context"], w) * 0.01)
        self.blocks = nn.ModuleList(Block(w, c["text_heads"]) for _ in range(c["text_layers"]))
        self.ln_final = nn.LayerNorm(w)
        self.proj = nn.Linear(w, c["embed"], bias=False)
        self.register_buffer("mask", torch.full((c["context"],) * 2, float("-inf")).triu(1))

    def forward(self, ids):
        rows = ids.shape[1]
        x = self.token(ids) + self.pos[:rows]
        for block in self.blocks:
            x = block(x, self.mask[:rows, :rows])
        x = self.ln_final(x)
        return self.proj(x[torch.arange(x.shape[0]), ids.argmax(-1)])


class Both(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.image, self.text = Image(c), Text(c)
        self.logit_scale = nn.Parameter(torch.tensor(14.3).log())

    def forward(self, pixels, ids):
        x = nn.functional.normalize(self.image(pixels), dim=-1)
        t = nn.functional.normalize(self.text(ids), dim=-1)
        return info_nce(x, t, self.logit_scale.exp())


def info_nce(x, t, scale):
    logits, own = scale * x @ t.t(), torch.arange(x.shape[0])
    return nn.functional.cross_entropy(logits, own) + nn.functional.cross_entropy(logits.t(), own)


def lengths(n):
    """Captions of mean 12 rows, as `diht bench` makes them."""
    return [5 + round(25 * ((i + .5) / n) ** 2.571) for i in range(n)]


def captions(rows_of, vocab):
    """Ids padded to the longest of these, the end token the highest."""
    ids = torch.zeros(len(rows_of), max(rows_of), dtype=torch.long)
    for i, rows in enumerate(rows_of):
        ids[i, :rows] = torch.randint(1, vocab - 2, (rows,))
        ids[i, rows - 1] = vocab - 1
    return ids


def quantised(path, out):
    """Dynamic quantisation: a product with weights becomes int8 x uint8, weights a scale a column, activations a range a
    tensor; ONNX Runtime fuses the four nodes into one."""
    import numpy
    import onnx
    from onnx import helper, numpy_helper
    model = onnx.load(path)
    weights = {w.name: w for w in model.graph.initializer}
    nodes, gone = [], set()
    ranges = {}   # activation -> its quantised form
    for node in model.graph.node:
        transposed = node.op_type == "Gemm" and any(a.name == "transB" and a.i for a in node.attribute)
        if node.op_type not in ("MatMul", "Gemm") or node.input[1] not in weights:
            nodes.append(node)
            continue
        w = numpy_helper.to_array(weights[node.input[1]])
        w = w.T if transposed else w
        if w.ndim != 2:
            nodes.append(node)
            continue
        name, x = node.output[0], node.input[0]
        scale = numpy.maximum(abs(w).max(0) / 127, 1e-12).astype(numpy.float32)
        model.graph.initializer.extend([
            numpy_helper.from_array(numpy.ascontiguousarray(numpy.rint(w / scale).astype(numpy.int8)), name + ".int8"),
            numpy_helper.from_array(scale, name + ".scale"),
            numpy_helper.from_array(numpy.zeros(len(scale), numpy.int8), name + ".zero")])
        gone.add(node.input[1])
        if x not in ranges:
            ranges[x] = [x + ".q", x + ".q.scale", x + ".q.zero"]
            nodes.append(helper.make_node("DynamicQuantizeLinear", [x], ranges[x]))
        q, q_scale, q_zero = ranges[x]
        bias = node.input[2] if node.op_type == "Gemm" and len(node.input) > 2 else None
        nodes += [
            helper.make_node("MatMulInteger", [q, name + ".int8", q_zero, name + ".zero"], [name + ".sum"]),
            helper.make_node("Cast", [name + ".sum"], [name + ".float"], to=1),
            helper.make_node("Mul", [q_scale, name + ".scale"], [name + ".both"]),
            helper.make_node("Mul", [name + ".float", name + ".both"], [name + ".plain" if bias else name])]
        if bias:
            nodes.append(helper.make_node("Add", [name + ".plain", bias], [name]))
    kept = [w for w in model.graph.initializer if w.name not in gone]
    del model.graph.node[:], model.graph.initializer[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(kept)
    onnx.save(model, out)


def export(folder):
    torch.manual_seed(1)
    both = Both(VITB32).eval()
    pixels = torch.randn(32, 3, 224, 224)
    torch.onnx.export(both.image, pixels, f"{folder}/image.onnx", input_names=["x"], output_names=["y"], opset_version=14)
    torch.onnx.export(both.text, captions([77] * 4, 49408), f"{folder}/text.onnx", input_names=["x"], output_names=["y"],
                      dynamic_axes={"x": {0: "n", 1: "rows"}, "y": {0: "n"}}, opset_version=14)
    for name in "image", "text":
        quantised(f"{folder}/{name}.onnx", f"{folder}/{name}-int8.onnx")


if __name__ == "__main__":
    export(sys.argv[1])
