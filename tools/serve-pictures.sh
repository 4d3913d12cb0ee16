# SPDX-License-Identifier: Apache-2.0
# Read by the benches of fetching: serve_pictures BUILD COUNT TIMES makes pictures (tools/fetch-pictures) and serves them
# with Debian's nginx on loopback, port $port. $dir is a fresh directory, removed at the end with all in it.
dir=$(mktemp -d)
nginx=$(command -v nginx || echo /usr/sbin/nginx)
[ -x "$nginx" ] || { echo "$0: nginx is not installed (apt-get install nginx-light)" >&2; exit 1; }
stop() { [ -s "$dir/nginx.pid" ] && kill "$(cat "$dir/nginx.pid")" 2>/dev/null; rm -rf "$dir"; }
trap stop EXIT
trap 'exit 1' INT TERM
serve_pictures() {
    chmod 755 "$dir"
    "$1/tools/fetch-pictures" "$dir/www" "$2" "http://127.0.0.1:$port" "$3" >&2
    chmod -R a+rX "$dir/www"
    cat >"$dir/nginx.conf" <<CONF
pid $dir/nginx.pid;
error_log $dir/error.log;
worker_processes auto;
events { worker_connections 4096; }
http {
    access_log off;
    sendfile on;
    tcp_nopush on;
    types { image/jpeg jpg; }
    client_body_temp_path $dir/t1; proxy_temp_path $dir/t2; fastcgi_temp_path $dir/t3; uwsgi_temp_path $dir/t4;
    scgi_temp_path $dir/t5;
    server { listen 127.0.0.1:$port backlog=4096; root $dir/www; }
}
CONF
    "$nginx" -c "$dir/nginx.conf" -e "$dir/error.log"
    cat "$dir"/www/*/*.jpg >/dev/null   # into the page cache, for whoever is measured
}
