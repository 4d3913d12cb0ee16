#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# diht fetch --resize 256 beside a pool of threads that does the same with Pillow (Debian's python3-pil).
#   tools/resize-bench.sh BUILD_DIR [PICTURES [TIMES [PAIRS]]]      (4000 pictures of 640x480, 3 pairs)
# TIMES 3: 1920x1440. diht fetches from nginx on loopback, checks, hashes, resizes (shorter side 256, bicubic), encodes
# (JPEG, quality 95), journals and stores; Pillow's threads, one a processor, read the same files from the page cache, resize
# and encode alike and write plain files. A third column lets Pillow decode small too (thumbnail's draft mode).
set -eu
build=$(cd "$1" && pwd)
python=${PYTHON:-/usr/bin/python3}
count=${2:-4000} times=${3:-1} pairs=${4:-3}
here=$(cd "$(dirname "$0")" && pwd)
port=${PORT:-18378}
. "$here/serve-pictures.sh"
"$python" -c 'import PIL' 2>/dev/null || { echo "resize-bench: Pillow is not installed (apt-get install python3-pil)" >&2; exit 1; }
serve_pictures "$build" "$count" "$times"

with_diht() {
    rm -rf "$dir/set"
    "$build/diht" fetch "$dir/www/list.tsv" --out "$dir/set" --allow-net 127.0.0.1 --resize 256 --json >"$dir/out.json" 2>"$dir/err"
    grep -q "\"ok\":$count," "$dir/out.json" || { cat "$dir/err" "$dir/out.json" >&2; exit 1; }
    sed 's/.*"seconds":\([0-9.]*\).*/\1/' "$dir/out.json"
}
with_pillow() {
    rm -rf "$dir/plain"; mkdir "$dir/plain"
    "$python" "$here/resize-pillow.py" "$dir/www" "$dir/plain" "$1"
}
i=0
while [ "$i" -lt "$pairs" ]; do
    a=$(with_diht) b=$(with_pillow whole) c=$(with_pillow draft)
    echo "$a $b $c $count" | awk '{ printf "diht %.2f s (%.0f/s)  pillow %.2f s (%.0f/s)  ratio %.2f  pillow, draft %.2f s  ratio %.2f\n", $1, $4 / $1, $2, $4 / $2, $2 / $1, $3, $3 / $1 }'
    echo "$a $b $c" | awk '{ print $2 / $1, $3 / $1 }' >>"$dir/ratios"
    i=$((i + 1))
done
sort -n "$dir/ratios" | awk '{ r[NR] = $1; s[NR] = $2 } END { m = int((NR + 1) / 2); printf "median ratio %.2f\n", r[m] }'
