#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What `./run bench --peers` compares with: ONNX Runtime from its npm package (unpacked, nothing of it runs), the models
# it reads written by PyTorch (a Debian package, as its numpy and onnx are).
#   tools/peers/install.sh DIR
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
dir=$(cd "$1" && pwd)
fetch() {
    [ -d "$dir/node_modules/$1" ] && return 0
    temp=$(mktemp -d)
    if ! (cd "$temp" && npm pack --silent --ignore-scripts "$1@$2" >/dev/null &&
        echo "$3  $1-$2.tgz" | sha256sum -c --quiet - && tar xzf "$1-$2.tgz"); then
        echo "peers: $1 $2 could not be fetched by npm, or is not the file this was made with" >&2
        rm -rf "$temp"
        exit 1
    fi
    mkdir -p "$dir/node_modules"
    mv "$temp/package" "$dir/node_modules/$1"
    rm -rf "$temp"
}
fetch onnxruntime-node 1.30.0 6e3390d6b783e7be946fad629292799da28d0b42f84856e50d2c1b0383291e75
fetch onnxruntime-common 1.30.0 7906c439e0d3e0f4048caa23b64cdfadc0f455c377f579ce1ab2a4b778f07d5f
[ -s "$dir/models-written" ] && exit 0
echo "peers: writing the models" >&2
/usr/bin/python3 -W ignore "$here/towers.py" "$dir"
echo yes >"$dir/models-written"
