#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Some 14,000 real captions with pictures (clip art, stamps, emoji) out of packages fetched by name, checked, unpacked;
# nothing of them runs. About 500 MB of disk.
#   tools/open-set.sh BUILD_DIR OUT_DIR     leaves OUT_DIR/open.tsv (caption, path, tags, source); a finished one is kept
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
mkdir -p "$2/packages"
out=$(cd "$2" && pwd)
[ -s "$out/open.tsv" ] && exit 0

say() { echo "open-set: $*" >&2; }
# NAME VERSION SHA256
packages="
openclipart-svg 1:0.18+dfsg-19 989712d90d57dfa3230049f553bb43b76c30ee4d4b8c5f6e106e33f7db5cbdc5
openclipart-png 1:0.18+dfsg-19 f07f1545a2970c2cf3fa339bc2405da1a95cf2b1827bfa05bf73eb1c20291c02
tuxpaint-stamps-default 2022.06.04-1 6db6c1bfc870a47f1499d6203b083522eacb57c5f9c87d468f2e92eb6d9d5f34
"
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
cd "$temp"
chmod 755 .   # apt's own user writes here
echo "$packages" | while read -r name version sha; do
    [ -n "$name" ] || continue
    say "$name $version"
    apt-get -q download "$name=$version" >/dev/null 2>apt.log ||
        { cat apt.log >&2; say "$name $version could not be fetched (apt-get update first? network?)"; exit 1; }
    echo "$sha  $(ls "$name"_*.deb)" | sha256sum -c --quiet - >/dev/null ||
        { say "$name is not the file this set was made with (sha256 differs)"; exit 1; }
    dpkg -x "$name"_*.deb "$out/packages"
    rm "$name"_*.deb
done
"$here/demo-data.sh" "$build" "$out/emoji"
clipart=$out/packages/usr/share/openclipart
{
    printf 'caption\tpath\ttags\tsource\n'
    "$build/tools/open-set" clipart "$clipart/svg" "$clipart/png"
    "$build/tools/open-set" stamps "$out/packages/usr/share/tuxpaint/stamps"
    "$build/tools/open-set" emoji "$out/emoji/pairs.tsv"
} >"$out/open.tsv.part"
mv "$out/open.tsv.part" "$out/open.tsv"
say "$(wc -l <"$out/open.tsv") rows in $out/open.tsv"
