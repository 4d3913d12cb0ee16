#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# DuckDB's shared library (MIT), with which Parquet lists are read, out of the npm package @duckdb/node-bindings-linux-x64.
#   tools/npm-duckdb.sh [DIR]      default: diht in the user's data folder, where the program looks; what is there is kept
# The package is only unpacked: nothing of it runs. The file is checked by its SHA-256 before it is put in place.
set -eu
out=${1:-${XDG_DATA_HOME:-${HOME:-/root}/.local/share}/diht}
package=@duckdb/node-bindings-linux-x64@1.5.6-r.1
sum=3f4962cdd266eab2b479a5b5a4a6d063d279b2954ae814ed00385d553b747633
[ -s "$out/libduckdb.so" ] && exit 0
[ "$(uname -m)" = x86_64 ] || { echo "npm-duckdb: the package is for x86_64; this machine is $(uname -m)" >&2; exit 1; }
mkdir -p "$out"
out=$(cd "$out" && pwd)
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
cd "$temp"
npm pack --silent --ignore-scripts "$package" >packed || { echo "npm-duckdb: npm could not fetch $package; is the network up?" >&2; exit 1; }
tar xzf "$(tail -1 packed)" package/libduckdb.so
echo "$sum  package/libduckdb.so" | sha256sum --check --status ||
    { echo "npm-duckdb: the library is not the file this program was made for (its SHA-256 differs)" >&2; exit 1; }
cp package/libduckdb.so "$out/libduckdb.so.part"
mv "$out/libduckdb.so.part" "$out/libduckdb.so"
