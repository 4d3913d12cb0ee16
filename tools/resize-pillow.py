# SPDX-License-Identifier: Apache-2.0
# resize-pillow.py FROM TO whole|draft: every FROM/*/*.jpg with a shorter side of 256 as TO/NAME, by a thread a processor.
# Prints the seconds. "draft" lets libjpeg decode at a fraction of the size, as Image.thumbnail does.
import glob
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from PIL import Image


def one(path):
    im = Image.open(path)
    w, h = im.size
    by = 256 / min(w, h)
    size = round(w * by), round(h * by)
    if sys.argv[3] == "draft":
        im.draft("RGB", (2 * size[0], 2 * size[1]))
    im.convert("RGB").resize(size, Image.BICUBIC).save(os.path.join(sys.argv[2], os.path.basename(path)), quality=95)


paths = glob.glob(os.path.join(sys.argv[1], "*", "*.jpg"))
start = time.time()
with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
    for _ in pool.map(one, paths, chunksize=1):
        pass
print("%.3f" % (time.time() - start))
