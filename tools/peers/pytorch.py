# SPDX-License-Identifier: Apache-2.0
"""PyTorch, timed: pytorch.py image|text77|train_tiny|train_vitb32|loss_8192|jpeg_224 THREADS SECONDS; prints samples (loss: runs) a
second (jpeg_224: and core), the best repetition. A training step is forward, backward and AdamW; captions are padded to the batch's longest."""
import sys
import time

import torch

import towers


def step_of(config, n, rows_of):
    model = towers.Both(config)
    adamw = torch.optim.AdamW(model.parameters(), lr=1e-5, betas=(.9, .98), eps=1e-6, weight_decay=.2)
    pixels, ids = torch.randn(n, 3, config["image"], config["image"]), towers.captions(rows_of, config["vocab"])

    def step():
        adamw.zero_grad(set_to_none=True)
        model(pixels, ids).backward()
        adamw.step()
    return step, n


def jpegs():
    """The picture that `diht bench` decodes, but for its noise; Pillow's usual file."""
    import io
    import numpy
    from PIL import Image
    from torchvision import transforms
    y, x, c = numpy.ogrid[:480, :640, :3]
    wave = (x * (5 + c) + y * 3) % 509 // 4 + (x // 40 + y // 56) % 3 * 32
    noise = numpy.random.default_rng(1).integers(0, 12, (480, 640, 3))
    file = io.BytesIO()
    Image.fromarray(((wave + noise) & 255).astype(numpy.uint8)).save(file, "JPEG", quality=90, subsampling=2)
    clip = transforms.Compose([
        transforms.Resize(224, interpolation=transforms.InterpolationMode.BICUBIC), transforms.CenterCrop(224),
        transforms.ToTensor(), transforms.Normalize((.48145466, .4578275, .40821073), (.26862954, .26130258, .27577711))])

    def load():
        for _ in range(16):
            clip(Image.open(io.BytesIO(file.getvalue())).convert("RGB"))
    return load, 16


def work(kind):
    if kind == "jpeg_224":
        torch.set_num_threads(1)
        return jpegs()
    if kind == "train_tiny":
        return step_of(towers.TINY, 256, [32] * 256)
    if kind == "train_vitb32":
        return step_of(towers.VITB32, 32, towers.lengths(32))
    if kind == "loss_8192":
        x, t = (torch.nn.functional.normalize(torch.randn(8192, 512), dim=-1).requires_grad_() for _ in range(2))

        def loss():
            x.grad = t.grad = None
            towers.info_nce(x, t, torch.tensor(14.3)).backward()
        return loss, 1
    if kind == "image":
        tower, given = towers.Image(towers.VITB32), [torch.randn(32, 3, 224, 224)]
    else:
        tower, given = towers.Text(towers.VITB32), [towers.captions([77] * 64, 49408)]
        if kind == "text":
            rows = towers.lengths(256)
            given = [towers.captions(rows[i:i + 32], 49408) for i in range(0, 256, 32)]
    tower.eval()

    def encode():
        with torch.inference_mode():
            for x in given:
                tower(x)
    return encode, sum(len(x) for x in given)


def main(kind, threads, seconds):
    torch.manual_seed(1)
    torch.set_num_threads(int(threads))
    run, samples = work(kind)
    best, end, reps = float("inf"), float("inf"), 0
    while reps < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        run()
        if reps == 0:   # the first warms up
            end = time.perf_counter() + float(seconds)
        else:
            best = min(best, time.perf_counter() - start)
        reps += 1
    print(samples / best)


if __name__ == "__main__":
    main(*sys.argv[1:])
