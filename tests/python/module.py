# SPDX-License-Identifier: Apache-2.0
# python/diht.py against golden data and against misuse, as TAP lines. Arguments: the module's directory, the library.
# DIHT_GOLDEN: any directory laid out like tests/golden; every model file in it is opened.
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading

MODULE, LIBRARY = sys.argv[1:3]
GOLDEN = os.environ["DIHT_GOLDEN"]
os.environ["DIHT_LIBRARY"] = LIBRARY
sys.path.insert(0, MODULE)
sys.dont_write_bytecode = True
try:
    import numpy as np
except ImportError:
    print("1..0 # SKIP python3-numpy is not installed")
    sys.exit(0)
import diht  # noqa: E402

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
bad, number, failures = [], 0, 0


def check(ok, what):
    if not ok:
        bad.append(what)


def close(a, b, tolerance, what):
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    off = np.abs(a - b).max() if a.shape == b.shape and a.size else np.inf
    check(off <= tolerance, f"{what}: off by {off:.3g}, {tolerance:.3g} allowed")


def raises(kind, words, f, *args, **named):
    try:
        f(*args, **named)
    except kind as e:
        check(all(w in str(e) for w in words.split()), f"'{e}' does not say '{words}'")
    else:
        check(False, f"no {kind.__name__}: {words}")


def golden(*path):
    return os.path.join(GOLDEN, *path)


def load(*path):
    return np.load(golden(*path))


def merges():
    places = [os.environ.get("DIHT_VOCAB", ""), os.path.join(ROOT, "build/vocab/bpe_simple_vocab_16e6.txt")]
    return next((p for p in places if p and os.path.exists(p)), None)


# --- cases ------------------------------------------------------------------------------------------------------------

def model_files():
    return sorted(p for end in ("pt", "safetensors") for p in glob.glob(golden("model", "*", "*." + end)))


def features_of_every_model_file():
    files = model_files()
    check(len(files) >= 8, f"{len(files)} files")
    for path in files:
        folder = os.path.dirname(path)
        data = os.path.join(folder, "fp16") if os.path.basename(path).startswith("A.fp16") else folder
        if os.path.exists(os.path.join(folder, "images.npy")):
            images = np.load(os.path.join(folder, "images.npy"))
        else:
            images = np.load(os.path.join(folder, "images_x16.npy")).astype(np.float32) / 16
        ids = np.load(os.path.join(folder, "ids.npy"))
        want = {k: np.load(os.path.join(data, k + ".npy")) for k in
                ("image_features", "text_features", "image_features_norm", "text_features_norm", "logits_per_image",
                 "logit_scale")}
        with diht.Model(path) as m:
            x, t = m.encode_images(images), m.encode_texts(ids)
            close(m.encode_images(images, raw=True), want["image_features"], 1e-5, path)
            close(m.encode_texts(ids, raw=True), want["text_features"], 1e-5, path)
            close(x, want["image_features_norm"], 1e-5, path)
            close(t, want["text_features_norm"], 1e-5, path)
            close(m.logit_scale, want["logit_scale"], 1e-5, path)
            close(m.logit_scale * x @ t.T, want["logits_per_image"], 3e-5, path)
            check(x.shape[1] == m.embed_dim and images.shape[2] == m.image_size and ids.shape[1] == m.context_length, path)


def features_of_an_image_tower_alone():
    files = sorted(glob.glob(golden("swag", "tiny*.pt")) + glob.glob(golden("swag", "tiny*.safetensors")))
    check(len(files) >= 2, f"{len(files)} files")
    for path in files:
        with diht.Model(path, head_width=8) as m:   # width 32, 4 heads
            close(m.encode_images(load("swag", "images.npy"), raw=True), load("swag", "embedding.npy"), 1e-5, path)
            raises(diht.Error, "image tower alone", m.encode_texts, "a dog")
            raises(diht.Error, "image tower alone", m.encode_texts, np.zeros((1, 4), np.int64))
        with diht.Model(path, head_width=8, image_size=70) as m:
            close(m.encode_images(load("swag", "images_70px.npy"), raw=True), load("swag", "embedding_70px.npy"), 1e-5, path)
    raises(diht.Error, "gelo", diht.Model, golden("model", "O", "O.openai.pt"), activation="gelo")


def features_do_not_depend_on_the_call():
    m = diht.Model(golden("model", "A", "A.fp32.pt"))
    images = np.tile(load("model", "A", "images.npy"), (20, 1, 1, 1))
    ids = np.tile(load("model", "A", "ids.npy"), (60, 1))
    x, t = m.encode_images(images), m.encode_texts(ids)
    for threads in (1, 2, 3):
        with diht.Model(golden("model", "A", "A.fp32.pt"), threads=threads) as other:
            for n in (1, 7, 32):
                check(np.array_equal(x[:n], other.encode_images(images[:n])), f"{n} images, {threads} threads")
                check(np.array_equal(t[:n], other.encode_texts(ids[:n])), f"{n} texts, {threads} threads")
    got = [None] * 4

    def work(i):
        got[i] = m.encode_images(images)
    workers = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    [w.start() for w in workers]
    [w.join() for w in workers]
    check(all(np.array_equal(x, g) for g in got), "four threads at once")


def pictures_in_every_form():
    m = diht.Model(golden("model", "A", "A.fp32.pt"))
    paths = sorted(glob.glob(golden("preprocess", "images", "*")))
    check(len(paths) == 12, f"{len(paths)} pictures")
    x = m.encode_images(paths)
    contents = [open(p, "rb").read() for p in paths]
    check(x.shape == (12, 40), "shape")
    check(np.array_equal(x, m.encode_images(contents)), "bytes")
    check(np.array_equal(x, m.encode_images(m.preprocess(paths))), "arrays")
    check(np.array_equal(x[:1], m.encode_images(paths[0])), "one path")
    check(np.array_equal(x[:1], m.encode_images(contents[0])), "one file's bytes")
    check(np.array_equal(x[:1], m.encode_images(m.preprocess(paths[0])[0])), "one array")
    check(m.encode_images([]).shape == (0, 40), "none")
    u8 = [load("preprocess", "expected", os.path.splitext(os.path.basename(p))[0] + ".64.u8.npy") for p in paths]
    mixed = m.encode_images([u8[0], paths[1], contents[2]])
    check(np.array_equal(mixed[1:], x[1:3]), "mixed")
    stack = m.encode_images(np.stack(u8))
    check(np.array_equal(stack[0], mixed[0]) and np.array_equal(stack[3:4], m.encode_images(u8[3])), "uint8 arrays")
    check(np.array_equal(m.encode_images(u8[0][:, ::-1]), m.encode_images(u8[0][:, ::-1].copy())), "not contiguous")


def preprocess_equals_the_reference():
    mean, std = np.array([.48145466, .4578275, .40821073]), np.array([.26862954, .26130258, .27577711])
    paths = sorted(glob.glob(golden("preprocess", "images", "*")))
    for path, pixels in zip(paths, diht.preprocess(paths, 64, threads=2)):
        stem = os.path.splitext(os.path.basename(path))[0]
        levels = (pixels.transpose(1, 2, 0) * std + mean) * 255
        check(np.array_equal(levels.round(), load("preprocess", "expected", stem + ".64.u8.npy")), stem)
        check(np.abs(levels - levels.round()).max() < 1e-3, stem)
        if os.path.exists(golden("preprocess", "expected", stem + ".64.f32.npy")):
            close(pixels, load("preprocess", "expected", stem + ".64.f32.npy"), 1e-6, stem)


def token_ids_equal_the_reference():
    vocab = merges()
    if not vocab:
        return "CLIP's vocabulary is not there (tools/npm-vocab.sh)"
    path = next(iter(sorted(glob.glob(golden("tokenizer", "tokens*.jsonl")))))
    lines = [json.loads(s) for s in open(path)]
    ids = diht.Tokenizer(vocab)([line["text"] for line in lines])
    check(ids.shape == (len(lines), 77) and len(lines) == 400, f"{ids.shape}")
    for i, line in enumerate(lines):
        want = (line["ids"] + [0] * 77)[:77]
        check(ids[i].tolist() == want, f"line {i + 1}")
    m = diht.Model(golden("model", "B", "B.fp16.safetensors"), vocab=vocab)
    texts = [line["text"] for line in lines]
    check(np.array_equal(m.tokenize(texts), ids), "a model's ids")
    check(np.array_equal(m.encode_texts(texts), m.encode_texts(ids)), "texts and ids")
    check(np.array_equal(m.encode_texts(texts[3]), m.encode_texts(ids[3])), "one text")
    check(m.encode_texts([]).shape == (0, 24), "none")
    check(diht.Tokenizer(vocab)("a photo", 4).tolist() == [[49406, 320, 1125, 49407]], "context 4")
    raises(ValueError, "context 1", diht.Tokenizer(vocab), "a", 1)
    raises(TypeError, "text 1 int", m.encode_texts, ["a", 1])
    raises(diht.Error, "A.fp32.pt 512 49408", diht.Model, golden("model", "A", "A.fp32.pt"), vocab=vocab)


def recall_equals_the_reference():
    names = {"R@1": ("r1", 100), "R@5": ("r5", 100), "R@10": ("r10", 100), "median_rank": ("median_rank", 1),
             "mean_rank": ("mean_rank", 1), "mrr": ("mrr", 1)}
    for case in ("one_caption", "five_captions", "ragged", "ties", "constant"):
        x, t, where = (load("recall", case, f + ".npy") for f in ("images", "texts", "txt2img"))
        got = diht.recall(x, t, where, resamples=0)
        want = json.load(open(golden("recall", case, "expected.json")))["metrics"]
        for rule in ("expected", "optimistic", "pessimistic"):
            for way in ("i2t", "t2i"):
                for name, (ours, times) in names.items():
                    one = (got if rule == "expected" else got[rule])[way][ours]
                    close(one / times, want[rule][way][name], 1e-9, f"{case} {rule} {way} {name}")
    x = np.eye(6, dtype=np.float32)
    got = diht.recall(x, x, ranges=4)
    check([(r["from"], r["to"]) for r in got["ranges"]] == [(0, 4), (4, 6)] and got["i2t"]["r1"] == 100, "ranges")
    check(got["i2t"]["r1_low"] <= 100 <= got["i2t"]["r1_high"], "interval")
    raises(ValueError, "6 5", diht.recall, x, x[:, :5])
    raises(ValueError, "3 6", diht.recall, x, x, [0, 1, 2])
    raises(diht.Error, "text 5 image 9", diht.recall, x, x, [0, 1, 2, 3, 4, 9])
    raises(diht.Error, "row 0", diht.recall, x * np.nan, x)
    raises(diht.Error, "-1", diht.recall, x, x, ranges=-1)


def mistakes_are_sentences():
    a = golden("model", "A", "A.fp32.pt")
    m = diht.Model(a)
    raises(diht.Error, "nowhere.pt", diht.Model, "nowhere.pt")
    raises(diht.Error, "module.py", diht.Model, __file__)
    raises(diht.Error, "fp31", diht.Model, a, precision="fp31")
    raises(diht.Error, "gone.txt", diht.Model, a, vocab="gone.txt")
    raises(diht.Error, "A.fp32.pt vocab", m.encode_texts, "a dog")
    raises(diht.Error, "gone.jpg", m.encode_images, ["gone.jpg"])
    raises(diht.Error, "picture 1", m.encode_images, [np.zeros((9, 9, 3), np.uint8), b"no picture"])
    raises(diht.Error, "picture 0", m.encode_images, b"")
    raises(TypeError, "picture 0 [9, 9, 4]", m.encode_images, np.zeros((9, 9, 4), np.uint8))
    raises(TypeError, "picture 0 int64", m.encode_images, [np.zeros((9, 9, 3), np.int64)])
    raises(diht.Error, "picture 0", m.encode_images, np.zeros((0, 9, 3), np.uint8))
    raises(ValueError, "[1, 3, 31, 32] [n, 3, 32, 32]", m.encode_images, np.zeros((3, 31, 32), np.float32))
    raises(diht.Error, "text 0 512", m.encode_texts, np.full((1, 77), 512))
    raises(diht.Error, "pixels", diht.Model(a, max_pixels=100).encode_images, golden("preprocess", "images",
                                                                                  "png_extreme_1x500.png"))
    raises(ValueError, "size 0", diht.preprocess, [], 0)
    try:
        diht.Model("nowhere.pt")
    except diht.Error as e:
        check(e.code == "missing", e.code)
    m.close()
    m.close()
    raises(ValueError, "closed", m.encode_images, [])


def program(code, **env):
    return subprocess.run([sys.executable, "-B", "-c", code], env={**os.environ, **env}, capture_output=True, text=True)


def the_library_is_found_or_missed_clearly():
    with tempfile.TemporaryDirectory() as scratch:
        site = os.path.join(scratch, "usr", "lib", "python3", "dist-packages")
        os.makedirs(site)
        shutil.copy(os.path.join(MODULE, "diht.py"), site)
        use = f"import sys; sys.path.insert(0, {site!r}); import diht; print(diht.version())"
        bare = {"DIHT_LIBRARY": ""}
        p = program(use, DIHT_LIBRARY=os.path.join(scratch, "none.so"))
        check(p.returncode and "none.so" in p.stderr and "DIHT_LIBRARY" in p.stderr, p.stderr)
        open(os.path.join(scratch, "text.so"), "w").write("not a library")
        p = program(use, DIHT_LIBRARY=os.path.join(scratch, "text.so"))
        check(p.returncode and "ImportError" in p.stderr and "text.so" in p.stderr, p.stderr)
        p = program(use, DIHT_LIBRARY=os.path.dirname(os.path.dirname(LIBRARY)))   # a build directory
        check(p.stdout.strip() == diht.version(), p.stderr)
        triplet = os.path.join(scratch, "usr", "lib", "x86_64-linux-gnu")
        os.makedirs(triplet)
        shutil.copy(LIBRARY, os.path.join(triplet, "libdiht.so.0"))
        p = program(use, **bare)
        check(p.stdout.strip() == diht.version(), p.stderr)
        text = open(os.path.join(site, "diht.py")).read()
        open(os.path.join(site, "diht.py"), "w").write(text.replace('__version__ = "', '__version__ = "9.'))
        p = program(use, **bare)
        check(p.returncode and "version" in p.stderr and "9." in p.stderr, p.stderr)


def warnings_go_to_the_logger():
    p = program("import logging; logging.basicConfig(level=logging.INFO)\n"
                f"import sys; sys.path.insert(0, {MODULE!r}); import diht\n"
                f"m = diht.Model({golden('model', 'A', 'A.fp32.pt')!r}, precision='int8'); print(m.precision)",
                DIHT_ISA="avx2")
    if "has no avx2" in p.stderr:
        return "this processor has no AVX2"
    check(p.stdout.strip() == "fp32" and "WARNING:diht:" in p.stderr and "int8" in p.stderr, p.stdout + p.stderr)


CASES = [features_of_every_model_file, features_of_an_image_tower_alone, features_do_not_depend_on_the_call, pictures_in_every_form,
         preprocess_equals_the_reference, token_ids_equal_the_reference, recall_equals_the_reference,
         mistakes_are_sentences, the_library_is_found_or_missed_clearly, warnings_go_to_the_logger]
for case in CASES:
    bad.clear()
    number += 1
    skip = case()
    for line in bad[:20]:
        print("# " + line.replace("\n", "\n# "))
    print(f"{'not ok' if bad else 'ok'} {number} - {case.__name__}{' # SKIP ' + skip if skip and not bad else ''}", flush=True)
    failures += bool(bad)
print(f"1..{number}")
sys.exit(failures > 0)
