#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The demo's pictures and captions: four packages fetched by name, checked, unpacked (nothing of them runs), joined.
#   tools/demo-data.sh BUILD_DIR OUT_DIR      leaves OUT_DIR/pairs.tsv and its pictures; a finished OUT_DIR is kept
set -eu
build=$(cd "$1" && pwd)
mkdir -p "$2"
out=$(cd "$2" && pwd)
[ -s "$out/pairs.tsv" ] && exit 0
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
cd "$temp"
chmod 755 .   # apt's own user writes here

say() { echo "demo-data: $*" >&2; }
# KIND NAME VERSION FILE SHA256
packages="
deb ruby-gemojione 3.3.0-1 ruby-gemojione_3.3.0-1_all.deb 9981df47963de53e10ce097857825c72f2f11dbe2d4cd4887698a99a751bb6bb
deb ruby-tanuki-emoji 0.6.0-2 ruby-tanuki-emoji_0.6.0-2_all.deb 00828824084225f7f70e3e6aa1147468bac84d58a8252281693a28589633d410
npm @discordapp/twemoji 16.0.1 discordapp-twemoji-16.0.1.tgz 2278fd609501e20dc646a546c1d7bbcab86a4c38010ded12b45e61f9687b9d0a
npm openmoji 17.0.0 openmoji-17.0.0.tgz 55ee7d13485dec86e9f38c1f3a645a13382d33ff97c0cd845ee824b0aef45e68
"
echo "$packages" | while read -r kind name version file sha; do
    [ -n "$kind" ] || continue
    say "$name $version"
    case $kind in
    deb) apt-get -q download "$name=$version" >/dev/null 2>apt.log || { cat apt.log >&2; say "$name $version could not be fetched (apt-get update first? network?)"; exit 1; } ;;
    npm) npm pack --silent --ignore-scripts "$name@$version" >/dev/null || { say "$name $version could not be fetched by npm (network?)"; exit 1; } ;;
    esac
    echo "$sha  $file" | sha256sum -c --quiet - >/dev/null || { say "$file is not the file this demo was made with (sha256 differs)"; exit 1; }
    mkdir -p "$kind-$version"
    case $kind in
    deb) dpkg -x "$file" "$kind-$version" ;;
    npm) tar xzf "$file" -C "$kind-$version" ;;
    esac
done
ge=deb-3.3.0-1/usr/share/rubygems-integration/all/gems/gemojione-3.3.0/assets/png
ta=deb-0.6.0-2/usr/share/rubygems-integration/all/gems/tanuki_emoji-0.6.0/app/assets/images/tanuki_emoji
tw=npm-16.0.1/package/dist/svg
om=npm-17.0.0/package/color/svg
tool=$build/tools/demo-data
"$tool" concepts "$ge" "$ta" "$tw" "$om" concepts.tsv
say "drawing the two vector styles"
for style in twemoji openmoji; do
    dir=$tw; [ $style = openmoji ] && dir=$om
    "$tool" sheet $style "$dir" concepts.tsv $style.svg
    rsvg-convert --unlimited -b white -o $style.png $style.svg
done
"$tool" pairs concepts.tsv "$ge" "$ta" twemoji.png openmoji.png npm-17.0.0/package/data/openmoji.json "$out"
