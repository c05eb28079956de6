#!/usr/bin/env bash
# Runs a command on stack B, on any Linux: in a Debian 13 root of its own, on the commit checked out.
#
#   constraints/stack-b.sh                # make test
#   constraints/stack-b.sh make run
#
# The root lies in out/stack-b and is made once (2 GB, and 5 GB with the environment). Its mounts live
# in a namespace of the command's own: they are gone when it ends, however it ends.
set -euo pipefail
cd "$(dirname "$0")/.."

root=$PWD/out/stack-b
fail() { echo "stack B: $*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || fail "must be run by root, who alone may mount and chroot."
command -v debootstrap >/dev/null || fail "needs debootstrap: apt-get install debootstrap."
unshare --mount --pid --fork true 2>/dev/null ||
    fail "may not make a mount namespace here; in a container, run it with --privileged."

if [ ! -e "$root/.made" ]; then
    echo "stack B  a Debian 13 root in out/stack-b"
    rm -rf "$root" && mkdir -p "$root"
    debootstrap --variant=minbase \
        --include=python3,python3-venv,python3-dev,g++,make,git,ca-certificates,procps \
        trixie "$root" >"$root.log" 2>&1 || fail "debootstrap failed: see out/stack-b.log."
    cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
    # debootstrap does not see all that Chromium depends on.
    chroot "$root" env DEBIAN_FRONTEND=noninteractive sh -c \
        'apt-get update -q && apt-get install -qy --no-install-recommends chromium && apt-get clean' \
        >>"$root.log" 2>&1 || fail "Chromium cannot be installed: see out/stack-b.log."
    touch "$root/.made"
fi

# This machine's trust, package index settings and downloads hold inside, too.
bundle=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}
cp -L "$bundle" "$root/etc/ssl/certs/ca-certificates.crt"
cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
[ ! -e /etc/pip.conf ] || cp -L /etc/pip.conf "$root/etc/"
cache=${RAWBERT_CACHE:-$HOME/.cache/rawbert}
mkdir -p "$cache" "$root/cache"

commit=$(git rev-parse HEAD)
[ -d "$root/src" ] || git clone --quiet --no-checkout "$PWD" "$root/src"
git -C "$root/src" fetch --quiet origin
git -C "$root/src" checkout --quiet --force "$commit"
[ -z "$(git status --porcelain)" ] || echo "stack B  what is not committed is not in it"

[ $# -gt 0 ] || set -- make test
echo "stack B  $* at ${commit:0:12}"
inside='
mount -t proc proc "$1/proc"; mount --rbind /dev "$1/dev"; mount --bind "$2" "$1/cache"
root=$1; shift 2
exec chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin LANG=C.UTF-8 CI="$CI" \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt RAWBERT_CACHE=/cache \
    bash -c "cd /src && exec \"\$@\"" bash "$@"
'
CI=${CI:-} exec unshare --mount --pid --fork --kill-child bash -ec "$inside" bash "$root" "$cache" "$@"
