#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How fast diht fetch is beside curl, both from Debian's nginx on this machine, traffic on loopback only.
#   tools/fetch-bench.sh BUILD_DIR [PICTURES [PAIRS [DIHT OPTIONS ...]]]      (20000 pictures, 5 pairs)
# Distinct JPEGs of 35-60 KB. One pair: curl --parallel --parallel-max 64 writes plain files, then diht fetch makes a
# dataset (hash, checks, journal, tar); every other pair in the other order. Prints every pair and the median ratio.
# Needs about PICTURES x 150 KB of disk in TMPDIR, all of it removed at the end.
set -eu
build=$(cd "$1" && pwd)
count=${2:-20000} pairs=${3:-5}
shift; [ $# -gt 0 ] && shift; [ $# -gt 0 ] && shift
here=$(cd "$(dirname "$0")" && pwd)
port=${PORT:-18377}
. "$here/serve-pictures.sh"
command -v curl >/dev/null || { echo "fetch-bench: curl is not installed (apt-get install curl)" >&2; exit 1; }
serve_pictures "$build" "$count" 1
mkdir "$dir/plain"
awk -F'\t' -v d="$dir/plain" '{ n++; printf "url = \"%s\"\noutput = \"%s/%d.jpg\"\n", $2, d, n }' "$dir/www/list.tsv" >"$dir/curl.conf"

now() { date +%s.%N; }
with_curl() {
    rm -rf "$dir/plain"; mkdir "$dir/plain"
    a=$(now)
    curl -s --parallel --parallel-max 64 -K "$dir/curl.conf" >/dev/null
    b=$(now)
    [ "$(find "$dir/plain" -name '*.jpg' | wc -l)" -eq "$count" ] || { echo "fetch-bench: curl did not get all" >&2; exit 1; }
    curl_time=$(echo "$a $b" | awk '{ print $2 - $1 }')
}
with_diht() {
    rm -rf "$dir/set"
    a=$(now)
    "$build/diht" fetch "$dir/www/list.tsv" --out "$dir/set" --allow-net 127.0.0.1 --json "$@" >"$dir/out.json" 2>"$dir/err"
    b=$(now)
    grep -q "\"ok\":$count," "$dir/out.json" || { cat "$dir/err" "$dir/out.json" >&2; exit 1; }
    diht_time=$(echo "$a $b" | awk '{ print $2 - $1 }')
}
i=0
: >"$dir/ratios"
while [ "$i" -lt "$pairs" ]; do
    if [ $((i % 2)) = 0 ]; then with_curl; with_diht "$@"; else with_diht "$@"; with_curl; fi
    i=$((i + 1))
    echo "$curl_time $diht_time $count" | awk '{ printf "curl %.2f s (%.0f/s)  diht %.2f s (%.0f/s)  ratio %.3f\n", $1, $3 / $1, $2, $3 / $2, $1 / $2 }'
    echo "$curl_time $diht_time" | awk '{ print $1 / $2 }' >>"$dir/ratios"
done
sort -n "$dir/ratios" | awk '{ r[NR] = $1 } END { printf "median ratio %.3f\n", NR % 2 ? r[(NR + 1) / 2] : (r[NR / 2] + r[NR / 2 + 1]) / 2 }'
