#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Some 61,000 real captions with pictures (clip art, stamps, emoji, icons) out of packages fetched by name, checked,
# unpacked; nothing of them runs. About 1 GB of disk.
#   tools/open-set.sh BUILD_DIR OUT_DIR     leaves OUT_DIR/open.tsv (caption, path, tags, source); a finished one is kept
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
mkdir -p "$2/packages"
out=$(cd "$2" && pwd)
[ -s "$out/open.tsv" ] && exit 0

say() { echo "open-set: $*" >&2; }
# KIND NAME VERSION SHA256 PARTS...
packages="
deb openclipart-svg 1:0.18+dfsg-19 989712d90d57dfa3230049f553bb43b76c30ee4d4b8c5f6e106e33f7db5cbdc5
deb openclipart-png 1:0.18+dfsg-19 f07f1545a2970c2cf3fa339bc2405da1a95cf2b1827bfa05bf73eb1c20291c02
deb tuxpaint-stamps-default 2022.06.04-1 6db6c1bfc870a47f1499d6203b083522eacb57c5f9c87d468f2e92eb6d9d5f34
npm emoji-datasource-google 16.0.0 fb5fd131b362aab7a55542d2a147a79708cce0a8b1c1bbacd470172708b5c438 emoji.json img/google/64
npm emoji-datasource-twitter 16.0.0 f64a530c63bca463bd8317fdc4615ce63a53a0c65018e4ce2d848aaba7a28877 emoji.json img/twitter/64
npm @iconify/json 2.2.535 1a545f86fa224d6531d8fb101dcbe83aac2b28689a21cbed6fc68318a5af4d91 json
"
icon_sets='emojione-v1 fluent-emoji-flat game-icons healthicons icon-park* meteocons noto-v1 streamline*'
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
cd "$temp"
chmod 755 .   # apt's own user writes here
echo "$packages" | while read -r kind name version sha parts; do
    [ -n "$kind" ] || continue
    say "$name $version"
    case $kind in
    deb) apt-get -q download "$name=$version" >/dev/null 2>fetch.log || rm -f ./*.deb ;;
    npm) npm pack --silent --ignore-scripts "$name@$version" >/dev/null 2>fetch.log || rm -f ./*.tgz ;;
    esac
    file=$(ls ./*.deb ./*.tgz 2>/dev/null || true)
    [ -n "$file" ] || { cat fetch.log >&2; say "$name $version could not be fetched (apt-get update first? network?)"; exit 1; }
    echo "$sha  $file" | sha256sum -c --quiet - >/dev/null ||
        { say "$name is not the file this set was made with (sha256 differs)"; exit 1; }
    case $kind in
    deb) dpkg -x "$file" "$out/packages" ;;
    npm) mkdir -p "$out/packages/$name"
        for part in $parts; do tar xzf "$file" -C "$out/packages/$name" --strip-components=1 "package/$part"; done ;;
    esac
    rm "$file"
done
"$here/demo-data.sh" "$build" "$out/emoji"
clipart=$out/packages/usr/share/openclipart
{
    printf 'caption\tpath\ttags\tsource\n'
    "$build/tools/open-set" clipart "$clipart/svg" "$clipart/png"
    "$build/tools/open-set" stamps "$out/packages/usr/share/tuxpaint/stamps"
    "$build/tools/open-set" emoji "$out/emoji/pairs.tsv"
    for style in google twitter; do
        data=$out/packages/emoji-datasource-$style
        "$build/tools/icon-set" emoji "$data/emoji.json" "$data/img/$style/64" $style
    done
    for name in $icon_sets; do
        for set in "$out/packages/@iconify/json/json/"$name.json; do
            count=$("$build/tools/icon-set" count "$set")
            for from in $(seq 0 800 $((count - 1))); do
                "$build/tools/icon-set" sheet "$set" "$from" sheet.svg
                rsvg-convert --unlimited -b white -o sheet.png sheet.svg
                "$build/tools/icon-set" cut "$set" "$from" sheet.png "$out/icons"
            done
        done
    done
} >"$out/open.tsv.part"
mv "$out/open.tsv.part" "$out/open.tsv"
say "$(wc -l <"$out/open.tsv") rows in $out/open.tsv"
