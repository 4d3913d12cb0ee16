# SPDX-License-Identifier: Apache-2.0
"""DiHT and CLIP models from Python: pictures and captions to features, exactly as the program `diht` computes them.

One file over the C library libdiht.so; needs numpy and nothing else.

    import diht
    model = diht.Model("diht_vitl14_336px.ckpt")
    x = model.encode_images(["a.jpg", "b.png"])            # float32 [2, embed_dim], unit rows
    t = model.encode_texts(["a photo of a dog.", "a photo of a cat."])
    print(model.logit_scale * x @ t.T)

The library is looked for at $DIHT_LIBRARY, in the build directory of this source tree, beside where this file was
installed, and where the system's loader looks. Failures raise `Error` with one sentence saying what to do. Warnings go
to the logger "diht". A Model may be used from several threads, one call works at a time; calls release the GIL.
"""
import ctypes as C
import glob
import json
import logging
import os

import numpy as np

__version__ = "0.1.0"
__all__ = ["Error", "Model", "Tokenizer", "preprocess", "recall", "tokenize", "version"]


class Error(RuntimeError):
    """A failure of the library. `code` is one of diht.h's: "io", "format", "usage", ... ; str() says what happened."""

    names = {-1: "io", -2: "format", -3: "usage", -4: "memory", -5: "missing", -6: "full", -7: "stopped",
             -8: "unsupported"}

    def __init__(self, sentence, code):
        super().__init__(sentence)
        self.code = self.names.get(code, "unknown")


# --- the library ------------------------------------------------------------------------------------------------------

class _ModelAs(C.Structure):
    _fields_ = [("config", C.c_char_p), ("head_width", C.c_int), ("text_head_width", C.c_int),
                ("activation", C.c_char_p), ("image_size", C.c_int)]


class _ModelOptions(C.Structure):
    _fields_ = [("path", C.c_char_p), ("as_", _ModelAs), ("vocab", C.c_char_p), ("precision", C.c_char_p), ("max_pixels", C.c_int64),
                ("threads", C.c_int)]


class _ModelFacts(C.Structure):
    _fields_ = [("embed_dim", C.c_int), ("image_size", C.c_int), ("context_length", C.c_int), ("vocab_size", C.c_int),
                ("parameters", C.c_int64), ("logit_scale", C.c_double), ("mean", C.c_float * 3),
                ("std", C.c_float * 3), ("name", C.c_char_p), ("precision", C.c_char_p)]


class _Picture(C.Structure):
    _fields_ = [("path", C.c_char_p), ("bytes", C.c_char_p), ("size", C.c_size_t), ("rgb", C.c_void_p),
                ("width", C.c_int), ("height", C.c_int)]


class _RecallOptions(C.Structure):
    _fields_ = [("images", C.c_void_p), ("texts", C.c_void_p), ("n", C.c_int64), ("m", C.c_int64), ("d", C.c_int64),
                ("txt2img", C.c_void_p), ("ranges", C.c_int64), ("resamples", C.c_int), ("threads", C.c_int),
                ("json", C.c_bool)]


_Sink = C.CFUNCTYPE(None, C.c_void_p, C.c_int, C.c_char_p)
_Texts = C.POINTER(C.c_char_p)
_Sizes = C.POINTER(C.c_size_t)

# name: (result, arguments); int results below 0 are failures.
_FUNCTIONS = {
    "diht_version": (C.c_char_p, []),
    "diht_error": (C.c_char_p, []),
    "diht_free": (None, [C.c_void_p]),
    "diht_set_log": (None, [_Sink, C.c_void_p]),
    "diht_model_defaults": (None, [C.POINTER(_ModelOptions)]),
    "diht_model_open": (C.c_int, [C.POINTER(C.c_void_p), C.POINTER(_ModelOptions)]),
    "diht_model_close": (None, [C.c_void_p]),
    "diht_model_describe": (None, [C.c_void_p, C.POINTER(_ModelFacts)]),
    "diht_model_tokenizer": (C.c_int, [C.c_void_p, C.POINTER(C.c_void_p)]),
    "diht_pictures": (C.c_int, [C.c_void_p, C.POINTER(_Picture), C.c_int64, C.c_int, C.c_int, C.c_void_p]),
    "diht_encode_pictures": (C.c_int, [C.c_void_p, C.POINTER(_Picture), C.c_int64, C.c_bool, C.c_void_p]),
    "diht_encode_pixels": (C.c_int, [C.c_void_p, C.c_void_p, C.c_int64, C.c_bool, C.c_void_p]),
    "diht_encode_ids": (C.c_int, [C.c_void_p, C.c_void_p, C.c_int64, C.c_int64, C.c_bool, C.c_void_p]),
    "diht_encode_texts": (C.c_int, [C.c_void_p, _Texts, _Sizes, C.c_int64, C.c_bool, C.c_void_p]),
    "diht_tokenizer_open": (C.c_int, [C.POINTER(C.c_void_p), C.c_char_p]),
    "diht_tokenizer_close": (None, [C.c_void_p]),
    "diht_tokenizer_ids": (C.c_int, [C.c_void_p, _Texts, _Sizes, C.c_int64, C.c_int, C.c_void_p]),
    "diht_recall_defaults": (None, [C.POINTER(_RecallOptions)]),
    "diht_recall": (C.c_int, [C.POINTER(_RecallOptions), C.POINTER(C.c_void_p)]),
}


def _places():
    """Where the library may lie, best first."""
    here = os.path.dirname(os.path.realpath(__file__))
    yield os.path.join(here, "..", "build", "src", "libdiht.so")
    at = here                      # PREFIX/lib/python3/dist-packages/diht.py -> PREFIX/lib/TRIPLET/libdiht.so.0
    for _ in range(5):
        at = os.path.dirname(at)
        yield from sorted(glob.glob(os.path.join(glob.escape(at), "lib*", "libdiht.so.0")))
        yield from sorted(glob.glob(os.path.join(glob.escape(at), "lib", "*", "libdiht.so.0")))
    yield "libdiht.so.0"           # the system's loader knows


def _load():
    given = os.environ.get("DIHT_LIBRARY")
    if given and os.path.isdir(given):   # a build directory or where libraries lie
        found = [os.path.join(given, *p) for p in (("src", "libdiht.so"), ("libdiht.so",))]
        given = next((p for p in found if os.path.exists(p)), found[-1])
    tried = []
    for path in [given] if given else _places():
        if os.sep in path and not os.path.exists(path):
            tried.append(f"{os.path.normpath(path)}: not there")
            continue
        try:
            lib = C.CDLL(path)
            for name, (result, arguments) in _FUNCTIONS.items():
                f = getattr(lib, name)
                f.restype, f.argtypes = result, arguments
        except (OSError, AttributeError) as why:
            tried.append(str(why))
            continue
        there = lib.diht_version().decode()
        if there == __version__:
            return lib
        tried.append(f"{path}: version {there}, this module is for {__version__}")
    raise ImportError("libdiht.so, the C library, was not found: build it (meson setup build && ninja -C build) or set "
                      "DIHT_LIBRARY to its file. Tried:\n  " + "\n  ".join(tried))


_lib = _load()
_log = logging.getLogger("diht")


@_Sink
def _sink(user, level, line):   # debug, info, warning; progress is for terminals
    if level <= 2:
        _log.log((logging.DEBUG, logging.INFO, logging.WARNING)[level], "%s", line.decode(errors="replace"))


_lib.diht_set_log(_sink, None)


def version():
    """The library's version."""
    return _lib.diht_version().decode()


def _check(rc):
    if rc < 0:
        raise Error(_lib.diht_error().decode(errors="replace"), rc)


def _path(p):
    return None if p is None else os.fsencode(p)


# --- what goes in -----------------------------------------------------------------------------------------------------

_AT_ONCE = 256   # items a call: Ctrl-C is heard between calls


def _texts(texts):
    """str or an iterable of str -> their UTF-8."""
    texts = [texts] if isinstance(texts, (str, bytes)) else list(texts)
    out = []
    for i, t in enumerate(texts):
        if not isinstance(t, (str, bytes)):
            raise TypeError(f"text {i} is {type(t).__name__}: str expected")
        out.append(t if isinstance(t, bytes) else t.encode("utf-8", "surrogatepass"))   # halves read as U+FFFD
    return out


def _text_arrays(texts):
    return (C.c_char_p * len(texts))(*texts), (C.c_size_t * len(texts))(*map(len, texts))


def _is_picture(x):
    return isinstance(x, (str, bytes, os.PathLike)) or hasattr(x, "convert")


def _pixels_of(x, i):
    """Decoded levels, or a PIL picture, as contiguous uint8 [height, width, 3]."""
    a = np.asarray(x.convert("RGB") if hasattr(x, "convert") else x)
    if a.ndim == 2:
        a = np.repeat(a[:, :, None], 3, axis=2)   # grey
    if a.dtype != np.uint8 or a.ndim != 3 or a.shape[2] != 3:
        raise TypeError(f"picture {i} is {a.dtype} {list(a.shape)}: a path, a file's bytes, or uint8 [height, width, 3] "
                        "expected")
    return np.ascontiguousarray(a)


def _pictures(pictures, first):
    """The C structures and what they borrow."""
    out, keep = (_Picture * len(pictures))(), []
    for i, x in enumerate(pictures):
        if isinstance(x, (str, os.PathLike)):
            out[i].path = os.fsencode(x)
        elif isinstance(x, (bytes, bytearray, memoryview)):
            out[i].bytes = bytes(x)
            out[i].size = len(bytes(x))
        else:
            a = _pixels_of(x, first + i)
            keep.append(a)
            out[i].rgb, out[i].height, out[i].width = a.ctypes.data, a.shape[0], a.shape[1]
    return out, keep


def _image_list(images):
    """What the user calls images -> a list of pictures; one counts as a list of one."""
    if _is_picture(images) or isinstance(images, (bytearray, memoryview)):
        return [images]
    if isinstance(images, np.ndarray) and images.dtype == np.uint8 and images.ndim <= 3:
        return [images]
    return list(images)


def _parts(items):
    for i in range(0, len(items), _AT_ONCE):
        yield i, items[i:i + _AT_ONCE]


def _array(a, dtype, what, ndim):
    a = np.ascontiguousarray(a, dtype)
    if a.ndim != ndim:
        raise ValueError(f"{what}: {ndim} dimensions expected, {list(a.shape)} found")
    return a


def _load_pictures(handle, images, size, threads):
    pictures = _image_list(images)
    out = np.empty((len(pictures), 3, size, size), np.float32)
    for i, part in _parts(pictures):
        c, keep = _pictures(part, i)
        _check(_lib.diht_pictures(handle, c, len(part), size, threads, out[i:].ctypes.data))
        del keep
    return out


def _token_ids(handle, texts, context):
    texts = _texts(texts)
    if not 2 <= context <= 1 << 16:
        raise ValueError(f"context {context}: 2 to {1 << 16} expected")
    out = np.empty((len(texts), context), np.int64)
    for i, part in _parts(texts):
        _check(_lib.diht_tokenizer_ids(handle, *_text_arrays(part), len(part), context, out[i:].ctypes.data))
    return out


# --- models -----------------------------------------------------------------------------------------------------------

class Model:
    """A checkpoint held open: safetensors, or PyTorch's .pt, .pth, .ckpt, .bin; DiHT's, CLIP's, open_clip's, SWAG's, ours.

    vocab: a merges file, when the model has none inside and is not of CLIP's vocabulary. precision: "fp32", "bf16",
    "int8". threads: 0 is one a processor. max_pixels: pictures of more are refused unread (0: 178,956,970).
    config (a name or file), head_width, text_head_width, activation ("gelu", "quick_gelu"), image_size: what the file
    does not say, or otherwise than wanted; what is assumed is logged.
    """

    def __init__(self, path, vocab=None, precision="fp32", threads=0, max_pixels=0, config=None, head_width=0,
                 text_head_width=0, activation=None, image_size=0):
        self._handle = C.c_void_p()
        o = _ModelOptions()
        _lib.diht_model_defaults(C.byref(o))
        o.path, o.vocab, o.precision = _path(path), _path(vocab), precision.encode()
        o.max_pixels, o.threads = max_pixels, threads
        o.as_.config, o.as_.activation = _path(config), activation.encode() if activation else None
        o.as_.head_width, o.as_.text_head_width, o.as_.image_size = head_width, text_head_width, image_size
        _check(_lib.diht_model_open(C.byref(self._handle), C.byref(o)))
        f = _ModelFacts()
        _lib.diht_model_describe(self._handle, C.byref(f))
        self.embed_dim, self.image_size = f.embed_dim, f.image_size
        self.context_length, self.vocab_size = f.context_length, f.vocab_size
        self.parameters, self.logit_scale = f.parameters, f.logit_scale   # logits = logit_scale * x @ t.T
        self.mean, self.std = tuple(f.mean), tuple(f.std)
        self.name, self.precision = f.name.decode(), f.precision.decode()

    def close(self):
        """Give the memory back now; the model cannot be used any more."""
        handle, self._handle = getattr(self, "_handle", None), None
        if handle:
            _lib.diht_model_close(handle)

    def __del__(self):
        if _lib is not None:   # at the interpreter's end modules may be gone
            self.close()

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.close()

    def __repr__(self):
        return f"<diht.Model {self.name or 'unnamed'}: {self.image_size} px -> {self.embed_dim}, {self.precision}>"

    def _open(self):
        if not self._handle:
            raise ValueError("this model was closed")
        return self._handle

    def encode_images(self, images, raw=False):
        """float32 [n, embed_dim], rows divided by their norm unless `raw`.

        images: paths, files' bytes, uint8 arrays [height, width, 3], PIL pictures, one or a list of them; or float
        arrays [n, 3, S, S] as `preprocess` makes them."""
        handle = self._open()
        if isinstance(images, np.ndarray) and images.dtype.kind == "f":
            s = self.image_size
            pixels = _array(images[None] if images.ndim == 3 else images, np.float32, "images", 4)
            if pixels.shape[1:] != (3, s, s):
                raise ValueError(f"images {list(pixels.shape)}: this model takes [n, 3, {s}, {s}]")
            out = np.empty((len(pixels), self.embed_dim), np.float32)
            for i, part in _parts(pixels):
                _check(_lib.diht_encode_pixels(handle, part.ctypes.data, len(part), raw, out[i:].ctypes.data))
            return out
        pictures = _image_list(images)
        out = np.empty((len(pictures), self.embed_dim), np.float32)
        for i, part in _parts(pictures):
            c, keep = _pictures(part, i)
            _check(_lib.diht_encode_pictures(handle, c, len(part), raw, out[i:].ctypes.data))
            del keep
        return out

    def encode_texts(self, texts, raw=False):
        """float32 [n, embed_dim], rows divided by their norm unless `raw`.

        texts: str, one or several; or whole-number arrays [n, context] as `tokenize` makes them."""
        handle = self._open()
        if isinstance(texts, np.ndarray) and texts.dtype.kind in "iu":
            ids = _array(texts[None] if texts.ndim == 1 else texts, np.int64, "token ids", 2)
            out = np.empty((len(ids), self.embed_dim), np.float32)
            for i, part in _parts(ids):
                _check(_lib.diht_encode_ids(handle, part.ctypes.data, len(part), ids.shape[1], raw,
                                            out[i:].ctypes.data))
            return out
        texts = _texts(texts)
        out = np.empty((len(texts), self.embed_dim), np.float32)
        for i, part in _parts(texts):
            _check(_lib.diht_encode_texts(handle, *_text_arrays(part), len(part), raw, out[i:].ctypes.data))
        return out

    def preprocess(self, images):
        """float32 [n, 3, S, S]: what the image tower reads."""
        return _load_pictures(self._open(), images, self.image_size, 0)

    def tokenize(self, texts, context=None):
        """int64 [n, context_length]: start, the text's ids, end, padded with 0; longer texts are cut."""
        t = C.c_void_p()
        _check(_lib.diht_model_tokenizer(self._open(), C.byref(t)))
        return _token_ids(t, texts, context or self.context_length)


class Tokenizer:
    """CLIP's tokenizer as the reference runs it (ftfy and all). vocab: a merges file; None: the installed one."""

    def __init__(self, vocab=None):
        self._handle = C.c_void_p()
        _check(_lib.diht_tokenizer_open(C.byref(self._handle), _path(vocab)))

    def __del__(self):
        handle, self._handle = getattr(self, "_handle", None), None
        if handle and _lib is not None:
            _lib.diht_tokenizer_close(handle)

    def __call__(self, texts, context=77):
        """int64 [n, context]."""
        return _token_ids(self._handle, texts, context)


_installed = None


def tokenize(texts, context=77):
    """int64 [n, context] with CLIP's own merges, those `./run build` installs for the user."""
    global _installed
    if _installed is None:
        _installed = Tokenizer()
    return _installed(texts, context)


def preprocess(images, size=224, threads=0):
    """float32 [n, 3, size, size]: shorter side to `size`, bicubic, centre crop, CLIP's mean and deviation; equal to
    Pillow and torchvision to the bit."""
    if not 1 <= size <= 8192:
        raise ValueError(f"size {size}: 1 to 8192 expected")
    return _load_pictures(None, images, size, threads)


# --- evaluation -------------------------------------------------------------------------------------------------------

def recall(images, texts, txt2img=None, ranges=0, resamples=2000, threads=0):
    """Retrieval both ways, as a dict: "i2t" and "t2i" with r1, r5, r10 (percent), median_rank, mean_rank, mrr, r1_low,
    r1_high (95 %), n, candidates; "optimistic" and "pessimistic" about ties; "ranges".

    images [n, d], texts [m, d] are used as given; txt2img [m]: each text's image (None: text i belongs to image i);
    ranges: images a gallery (0: one of all)."""
    x, t = _array(images, np.float32, "images", 2), _array(texts, np.float32, "texts", 2)
    if x.shape[1] != t.shape[1]:
        raise ValueError(f"images are {x.shape[1]} wide, texts {t.shape[1]}: features of one model are equally wide")
    o = _RecallOptions()
    _lib.diht_recall_defaults(C.byref(o))
    o.images, o.texts, o.n, o.m, o.d = x.ctypes.data, t.ctypes.data, len(x), len(t), x.shape[1]
    if txt2img is not None:
        where = _array(txt2img, np.int64, "txt2img", 1)
        if len(where) != len(t):
            raise ValueError(f"txt2img has {len(where)} entries for {len(t)} texts")
        o.txt2img = where.ctypes.data
    o.ranges, o.resamples, o.threads, o.json = ranges, resamples, threads, True
    text = C.c_void_p()
    _check(_lib.diht_recall(C.byref(o), C.byref(text)))
    try:
        return json.loads(C.string_at(text).decode())
    finally:
        _lib.diht_free(text)
