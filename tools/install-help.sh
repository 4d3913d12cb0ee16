#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `meson install` runs this: man pages and shell completion, written by the program from its own tables.
#   tools/install-help.sh DIHT MANDIR DATADIR     directories below the prefix
set -eu
diht=$1 man=$MESON_INSTALL_DESTDIR_PREFIX/$2/man1 data=$MESON_INSTALL_DESTDIR_PREFIX/$3
mkdir -p "$man" "$data/bash-completion/completions" "$data/zsh/site-functions" "$data/fish/vendor_completions.d"
"$diht" help --man >"$man/diht.1"
for command in $("$diht" help | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p'); do
    [ "$command" = help ] || "$diht" help --man "$command" >"$man/diht-$command.1"
done
"$diht" help --completion bash >"$data/bash-completion/completions/diht"
"$diht" help --completion zsh >"$data/zsh/site-functions/_diht"
"$diht" help --completion fish >"$data/fish/vendor_completions.d/diht.fish"
