# SPDX-License-Identifier: Apache-2.0
"""Ours and others' on this machine in one run, taking turns: peers.py BUILD FOLDER [--json] [--seconds S]
[--only PREFIX] [--threads 1,2] [--html PAGE]. The best repetition of all rounds counts; FOLDER holds the peers' models and packages."""
import argparse
import html
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ORT, TORCH, VISION = "ONNX Runtime 1.30", "PyTorch 1.13", "torchvision 0.14"
# what, unit, our figure of `diht bench`, [(peer, its program's arguments)]
WORK = [
    ("B/32 image, fp32, batch 32", "images/s", "encode_image_vitb32_fp32",
     [(ORT, ["ort", "image.onnx", "image"]), (TORCH, ["torch", "image"])]),
    ("B/32 image, bf16 (peer: fp32)", "images/s", "encode_image_vitb32_bf16", [(ORT, "B/32 image, fp32, batch 32")]),
    ("B/32 image, int8", "images/s", "encode_image_vitb32_int8", [(ORT, ["ort", "image-int8.onnx", "image"])]),
    ("text, 77 rows always, fp32", "texts/s", "encode_text_vitb32_77_fp32",
     [(ORT, ["ort", "text.onnx", "text77"]), (TORCH, ["torch", "text77"])]),
    ("text, mean 12 rows (peers: sorted, trimmed), fp32", "texts/s", "encode_text_vitb32_fp32",
     [(ORT, ["ort", "text.onnx", "text"]), (TORCH, ["torch", "text"])]),
    ("text, mean 12 rows (peer: sorted, trimmed), int8", "texts/s", "encode_text_vitb32_int8",
     [(ORT, ["ort", "text-int8.onnx", "text"])]),
    ("training, tiny, fp32", "samples/s", "train_tiny_fp32", [(TORCH, ["torch", "train_tiny"])]),
    ("training, tiny, bf16 (peer: fp32)", "samples/s", "train_tiny_bf16", [(TORCH, "training, tiny, fp32")]),
    ("training, B/32, captions of mean 12 rows, fp32", "samples/s", "train_vitb32_fp32",
     [(TORCH, ["torch", "train_vitb32"])]),
    ("training, B/32, bf16 (peer: fp32)", "samples/s", "train_vitb32_bf16",
     [(TORCH, "training, B/32, captions of mean 12 rows, fp32")]),
    ("loss, forward and backward, n 8192, d 512 (HN-NCE; peer: InfoNCE)", "runs/s", "loss_hnnce_8192",
     [(TORCH, ["torch", "loss_8192"])]),
    ("JPEG 640x480 to tensor 224, equal to the bit", "images/s/core", "preprocess_jpeg_224",
     [(VISION, ["torch", "jpeg_224"])]),
]


def blas_core():
    """Debian's OpenBLAS takes its oldest kernels on processors newer than itself: name the ones this one can run."""
    flags = next((line.split() for line in open("/proc/cpuinfo") if line.startswith("flags")), [])
    return {"OPENBLAS_CORETYPE": "SkylakeX" if "avx512f" in flags else "Haswell"} if "avx2" in flags else {}


def output(command, threads):
    env = dict(os.environ, **blas_core(), OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS=str(threads),
               NODE_PATH=os.path.join(args.folder, "node_modules"))
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"peers: {' '.join(command)}: {done.stderr.strip()[-500:]}")
    return done.stdout


def ours(figure, threads):
    command = [os.path.join(args.build, "diht"), "bench", "--only", figure, "--threads", str(threads), "--json", "--seconds"]
    for line in output(command + [str(args.seconds)], threads).splitlines():
        row = json.loads(line)
        if row["name"] == figure:
            return row["value"], row["of_peak"]
    return None, None   # this processor lacks the instructions


def theirs(job, threads):
    tail = [str(threads), str(args.seconds)]
    if job[0] == "ort":
        command = ["node", os.path.join(HERE, "ort.js"), os.path.join(args.folder, job[1]), job[2]] + tail
    else:
        command = ["/usr/bin/python3", os.path.join(HERE, "pytorch.py")] + job[1:] + tail
    return float(output(command, threads))


def better(a, b):
    return b if a is None or (b is not None and b > a) else a


def measure():
    rows = []
    for what, unit, figure, peers in WORK:
        if not figure.startswith(args.only):
            continue
        for threads in args.threads:
            row = {"what": what, "unit": unit, "figure": figure, "threads": threads, "ours": None, "of_peak": None,
                   "peers": {name: None for name, _ in peers}}
            for _ in range(args.rounds):
                value, of_peak = ours(figure, threads)
                row["ours"], row["of_peak"] = better(row["ours"], value), better(row["of_peak"], of_peak)
                for name, job in peers:
                    if isinstance(job, list):
                        value = theirs(job, threads)
                    else:   # measured above already
                        value = next((r["peers"][name] for r in rows if r["what"] == job and r["threads"] == threads), None)
                    row["peers"][name] = better(row["peers"][name], value)
            rows.append(row)
            show(row)
    return rows


def show(row):
    if args.json:
        print(json.dumps(row), flush=True)
        return
    line = f"{row['what']}, {row['threads']} threads".ljust(78)
    line += ("-" if row["ours"] is None else f"{row['ours']:.4g}").rjust(9)
    line += f" {row['unit']}" + (f" ({100 * row['of_peak']:.0f} % of peak)" if row["of_peak"] else "")
    for name, value in row["peers"].items():
        if value and row["ours"]:
            line += f"; {row['ours'] / value:.2f} x {name} ({value:.4g})"
    print(line, flush=True)


def machine():
    model = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), "unknown")
    return f"{os.cpu_count()} processors, {model}"


def page(rows):
    out = ["""<!doctype html><html lang="en"><meta charset="utf-8"><title>diht beside its peers</title><style>
body{font:15px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222;background:#fff}
h2{font-size:1em;margin:1.6em 0 .3em}.r{display:flex;align-items:center;margin:2px 0}.n{width:13em}.t{flex:1}
.b{height:1.1em;background:#9aa5b1}.o .b{background:#1769aa}.v{width:15em;padding-left:.7em;white-space:nowrap}
</style><h1>diht beside its peers</h1>""", f"<p>{html.escape(machine())}. One run, programs taking turns, the best "
           "repetition of each; longer bars are faster, the figure after &times; is ours over theirs.</p>"]
    for row in rows:
        out.append(f"<h2>{html.escape(row['what'])}, {row['threads']} thread{'s' if row['threads'] > 1 else ''}</h2>")
        bars = [("diht", row["ours"], "o")] + [(name, value, "") for name, value in row["peers"].items()]
        most = max((value or 0 for _, value, _ in bars), default=0) or 1
        for name, value, kind in bars:
            text = "not on this processor" if value is None else f"{value:.4g} {row['unit']}"
            if kind and row["of_peak"]:
                text += f", {100 * row['of_peak']:.0f} % of peak"
            if not kind and value and row["ours"]:
                text += f" &times; {row['ours'] / value:.2f}"
            out.append(f'<div class="r {kind}"><span class="n">{html.escape(name)}</span><span class="t"><div class="b" '
                       f'style="width:{100 * (value or 0) / most:.1f}%"></div></span><span class="v">{text}</span></div>')
    return "\n".join(out) + "\n</html>\n"


if __name__ == "__main__":
    p = argparse.ArgumentParser(prog="./run bench --peers")
    p.add_argument("build")
    p.add_argument("folder")
    p.add_argument("--json", action="store_true", help="one object a line")
    p.add_argument("--seconds", type=float, default=1, help="of a measurement, at least (1)")
    p.add_argument("--rounds", type=int, default=2, help="turns (2)")
    p.add_argument("--only", default="", help="figures whose name begins so")
    p.add_argument("--threads", type=lambda s: [int(t) for t in s.split(",")], default=[1, 2])
    p.add_argument("--html", default="peers.html", help="the page (peers.html)")
    args = p.parse_args()
    found = measure()
    with open(args.html, "w", encoding="utf-8") as f:
        f.write(page(found))
    print(f"peers: {args.html} has the bars", file=sys.stderr)
