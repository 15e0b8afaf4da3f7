#!/usr/bin/env bash
# Installs what test/interop/main.ts talks to: etcd (grpc-go) and mariadb-server from Debian, and two virtual environments with gRPC core, the one that
# TiKV 8.5 bundles (1.44.0, which has wheels up to Python 3.10) and the newest. They go to LEVIN_INTEROP_DIR, outside the repository.
# Runs again without harm; what is there already is kept.
set -u
cache="${LEVIN_INTEROP_DIR:-${TMPDIR:-/tmp}/levin-interop}"
mkdir -p "$cache"
failed=0

say() { echo "interop setup: $*"; }

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo -n "$@"; else return 1; fi; }

install_debian() {
  command -v apt-get >/dev/null || return 1
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >/dev/null 2>&1 && return 0
  as_root apt-get update -qq >/dev/null 2>&1
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >/dev/null 2>&1
}

command -v etcd >/dev/null || install_debian etcd-server
if command -v etcd >/dev/null; then say "$(etcd --version | head -1)"; else say "etcd cannot be installed"; failed=1; fi

[ -x /usr/sbin/mariadbd ] || install_debian mariadb-server
if [ -x /usr/sbin/mariadbd ]; then say "$(/usr/sbin/mariadbd --version | head -1)"; else say "mariadb-server cannot be installed"; failed=1; fi

# Paths of interpreters, newest first, of the minor versions given.
pythons() {
  for minor in "$@"; do
    for path in "$HOME"/.pyenv/versions/3."$minor".*/bin/python /usr/local/bin/python3."$minor" /usr/bin/python3."$minor"; do
      [ -x "$path" ] && echo "$path"
    done
    command -v "python3.$minor" 2>/dev/null
  done
}

# environment NAME REQUIREMENT MINOR...: a virtual environment with grpcio out of the first Python that can make one.
environment() {
  local name="$1" requirement="$2" python dir="$cache/$1"
  shift 2
  if "$dir/bin/python" -c 'import grpc' 2>/dev/null; then say "$name: grpcio $("$dir/bin/python" -c 'import grpc; print(grpc.__version__)')"; return; fi
  for python in $(pythons "$@"); do
    "$python" -c 'import sys' 2>/dev/null || continue
    rm -rf "$dir"
    "$python" -m venv "$dir" >/dev/null 2>&1 || { install_debian python3-venv && "$python" -m venv "$dir" >/dev/null 2>&1; } || continue
    "$dir/bin/pip" install -q --only-binary :all: "$requirement" >"$cache/$name.log" 2>&1 || continue
    "$dir/bin/python" -c 'import grpc' 2>/dev/null || continue
    say "$name: grpcio $("$dir/bin/python" -c 'import grpc; print(grpc.__version__)') on $("$python" --version)"
    return
  done
  say "$name: no Python among minor versions $* could install $requirement"
  failed=1
}

environment grpc-1.44.0 grpcio==1.44.0 10 9 8 7
environment grpc-newest grpcio 14 13 12 11 10 9
exit "$failed"
